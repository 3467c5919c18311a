//! Other users of the machine. They need no entry in the user database: a number is enough for the kernel.

use std::path::Path;

use crate::terminal::Terminal;
use crate::world::{Finished, World, deployer};

/// The group that reaches the team's socket in stories.
pub const TEAM_GROUP: &str = "41000";

/// A user of the machine, when the stories run as root.
pub struct Other<'a> {
    world: &'a World,
    uid: String,
    groups: &'static str,
}

impl<'a> Other<'a> {
    /// The user with this id, a member of [`TEAM_GROUP`]. Where the stories do not run as root, `None`, and the story
    /// says on stderr that it was not told.
    #[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
    pub fn member(world: &'a World, uid: u32) -> Option<Other<'a>> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("not told: only root can be several users");
            return None;
        }
        Some(Other { world, uid: uid.to_string(), groups: TEAM_GROUP })
    }

    /// The same user id without the group.
    pub fn stranger(self) -> Other<'a> {
        Other { groups: "41999", ..self }
    }

    fn line<'b>(&'b self, program: &'b str, args: &[&'b str]) -> Vec<&'b str> {
        let mut line = vec!["--reuid", &self.uid, "--regid", &self.uid, "--groups", self.groups];
        // Neither a home nor a runtime directory that is somebody else's.
        line.extend(["env", "-u", "XDG_RUNTIME_DIR", "HOME=/nonexistent", program]);
        line.extend(args);
        line
    }

    /// Runs `deployer` with `args` to its end, without a terminal.
    pub fn run(&self, args: &[&str]) -> Finished {
        let program = deployer().display().to_string();
        self.world.run_program(Path::new("setpriv"), &self.line(&program, args))
    }

    /// `deployer connect` with `args`, in a terminal of 24 lines and 80 columns.
    pub fn connect(&self, name: &str, args: &[&str]) -> Terminal {
        let program = deployer().display().to_string();
        self.world.terminal(name, "setpriv", &self.line(&program, &[&["connect"], args].concat()))
    }
    /// The telnet of the system, in a terminal of 24 lines and 80 columns.
    pub fn telnet(&self, name: &str, ip: &str, port: &str) -> Terminal {
        self.world.terminal(name, "setpriv", &self.line("/usr/bin/telnet", &[ip, port]))
    }
}
