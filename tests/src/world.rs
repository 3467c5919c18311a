//! A world of its own for each story: a home, a runtime directory, a deployment file, and the `deployer` binary.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use portable_pty::CommandBuilder;
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::processes::{self, MARK};
use crate::sessions::SessionLine;
use crate::sshd::{self, Setup, Sshd};
use crate::terminal::{Terminal, log_tail};
use crate::wait::{TIMEOUT, eventually, within};

/// How long what was ended by a story may take to be gone, unless the story says otherwise.
const AFTERMATH: Duration = Duration::from_secs(10);

/// The first lines of every deployment file of the stories: the usual names.
pub const PRELUDE: &str = r#"
local deployer = require "deployer"
local Node, ParallelNode, SSHHost, LocalHost = deployer.Node, deployer.ParallelNode, deployer.SSHHost, deployer.LocalHost
"#;

/// Where a story happens. Declare it first, so that it is dropped last: it then checks that nothing is left behind.
pub struct World {
    dir: TempDir,
    farms: AtomicU32,
    aftermath: Duration,
}

impl Default for World {
    fn default() -> World {
        World::new()
    }
}

impl World {
    /// An empty world.
    ///
    /// # Panics
    /// When its directories cannot be made.
    pub fn new() -> World {
        // Short, whatever TMPDIR says: socket paths have at most 107 bytes.
        let dir = tempfile::Builder::new().prefix("dt-").tempdir_in("/tmp").expect("a directory for the world");
        let world = World { dir, farms: AtomicU32::new(0), aftermath: AFTERMATH };
        for (path, mode) in [(world.dir().to_path_buf(), 0o755), (world.home(), 0o700), (world.runtime_dir(), 0o700)] {
            fs::create_dir_all(&path).expect("the directories of the world");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("the modes of the world's directories");
        }
        world
    }

    /// How long what was ended by the story may take to be gone.
    pub fn patience(&mut self, aftermath: Duration) {
        self.aftermath = aftermath;
    }

    /// The directory of everything; also the working directory of what the story starts.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The operator's home.
    pub fn home(&self) -> PathBuf {
        self.dir().join("home")
    }

    /// The operator's `XDG_RUNTIME_DIR`.
    pub fn runtime_dir(&self) -> PathBuf {
        self.dir().join("run")
    }

    /// Where the team's daemons of this world have their sockets.
    pub fn team_dir(&self) -> PathBuf {
        self.dir().join("team")
    }

    /// The path of the log that daemons of this world write their stderr to.
    pub fn daemon_log(&self) -> PathBuf {
        self.dir().join("daemon.log")
    }

    /// The logs that may explain a failure: the daemon's, and each farm's.
    fn logs(&self) -> Vec<PathBuf> {
        let farms = (0..self.farms.load(Ordering::Relaxed)).map(|number| self.dir().join(format!("ssh{number}/log")));
        std::iter::once(self.daemon_log()).chain(farms).collect()
    }

    /// Writes a file below [`World::dir`].
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir().join(name);
        fs::write(&path, text).expect("a file of the world");
        path
    }

    /// Writes `deploy.lua`: the usual names, then `lua`.
    pub fn deploy(&self, lua: &str) -> PathBuf {
        self.write("deploy.lua", &format!("{PRELUDE}{lua}"))
    }

    /// Servers on `addresses` loopback addresses.
    pub fn sshd(&self, addresses: usize) -> Sshd {
        self.sshd_with(&Setup::addresses(addresses))
    }

    /// Servers of a special kind.
    pub fn sshd_with(&self, setup: &Setup) -> Sshd {
        let number = self.farms.fetch_add(1, Ordering::Relaxed);
        setup.start(&self.dir().join(format!("ssh{number}")), &self.mark())
    }

    fn mark(&self) -> String {
        self.dir().display().to_string()
    }

    /// The environment of everything the story starts; nothing of the environment of the tests gets through.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let user = sshd::user_name();
        let mut environment = vec![
            ("HOME", self.home().display().to_string()),
            ("XDG_RUNTIME_DIR", self.runtime_dir().display().to_string()),
            ("DEPLOYER_TEAM_DIRECTORY", self.team_dir().display().to_string()),
            ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin".to_string()),
            ("TERM", "xterm-256color".to_string()),
            ("LANG", "C.UTF-8".to_string()),
            ("SHELL", "/bin/sh".to_string()),
            ("LOGNAME", user.clone()),
            ("USER", user),
            (MARK, self.mark()),
        ];
        // Coverage runs tell the binaries where to write.
        environment.extend(std::env::var("LLVM_PROFILE_FILE").ok().map(|file| ("LLVM_PROFILE_FILE", file)));
        environment
    }

    /// A command line in this world, for a terminal.
    pub fn in_terminal(&self, program: &Path, args: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(self.dir());
        command.env_clear();
        self.environment().into_iter().for_each(|(name, value)| command.env(name, value));
        command
    }

    /// A command in this world, without a terminal: a session of its own, and nothing to read.
    pub fn without_terminal(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(program).args(args);
        command.current_dir(self.dir()).env_clear().envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// Starts any command in a terminal of 24 lines and 80 columns.
    pub fn terminal(&self, name: &str, program: &str, args: &[&str]) -> Terminal {
        self.terminal_sized(name, program, args, 24, 80)
    }

    /// Starts any command in a terminal; `deployer` means the binary that was built.
    pub fn terminal_sized(&self, name: &str, program: &str, args: &[&str], rows: u16, cols: u16) -> Terminal {
        let program = if program == "deployer" { deployer() } else { PathBuf::from(program) };
        Terminal::spawn(name, self.in_terminal(&program, args), rows, cols, self.logs())
    }

    /// `deployer connect` with `args`, in a terminal of 24 lines and 80 columns.
    pub fn connect(&self, name: &str, args: &[&str]) -> Terminal {
        self.terminal(name, "deployer", &[&["connect"], args].concat())
    }

    /// Runs `deployer` with `args` to its end, without a terminal.
    pub fn run(&self, args: &[&str]) -> Finished {
        self.run_program(&deployer(), args)
    }

    /// Runs a program to its end, without a terminal.
    ///
    /// # Panics
    /// When it cannot be started, or does not end within [`TIMEOUT`].
    pub fn run_program(&self, program: &Path, args: &[&str]) -> Finished {
        let mut command = self.without_terminal(program, args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starting the command");
        let pid = child.id() as i32;
        let line = format!("{} {}", program.display(), args.join(" "));
        let output = std::thread::spawn(move || child.wait_with_output());
        let ended = within(TIMEOUT, || output.is_finished());
        if !ended {
            processes::kill_tree(pid);
        }
        let output = output.join().expect("the thread that reads").expect("the output of the command");
        let finished = Finished {
            line,
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        assert!(ended, "did not end within {TIMEOUT:?}: {finished:#?}\n{}", log_tail(&self.daemon_log()));
        finished
    }

    /// `deployer -f deploy.lua listen`, and waits until it says that it listens.
    pub fn listen(&self) -> Daemon {
        // Stories that end while something runs do not wait for it.
        self.listen_with(&["-f", "deploy.lua", "listen", "--drain", "0"])
    }

    /// As [`World::listen`], with these arguments.
    ///
    /// # Panics
    /// When it does not listen within [`TIMEOUT`].
    pub fn listen_with(&self, args: &[&str]) -> Daemon {
        self.listen_as(&deployer(), args, &[])
    }

    /// As [`World::listen`], with a program that becomes the daemon, and variables of its own.
    ///
    /// # Panics
    /// When it does not listen within [`TIMEOUT`].
    pub fn listen_as(&self, program: &Path, args: &[&str], variables: &[(&str, &str)]) -> Daemon {
        let mut command = Command::new(program);
        command.args(args).current_dir(self.dir()).env_clear().envs(self.environment()).envs(variables.iter().copied());
        Daemon::start(command, self.daemon_log())
    }

    /// The sessions of this world's daemons, as `deployer list-sessions --json` tells them.
    ///
    /// # Panics
    /// When it does not tell.
    pub fn sessions(&self) -> Vec<SessionLine> {
        let listed = self.run(&["list-sessions", "--json"]);
        assert_eq!(listed.status, Some(0), "{listed:#?}");
        SessionLine::read_all(&listed.stdout).unwrap_or_else(|why| panic!("{why}: {listed:#?}"))
    }

    /// Waits until `list-sessions` shows a fact.
    ///
    /// # Panics
    /// When it does not within [`TIMEOUT`].
    pub fn eventually_sessions(&self, fact: &str, holds: impl Fn(&[SessionLine]) -> bool) {
        eventually(fact, || holds(&self.sessions()), || format!("{:#?}", self.sessions()));
    }

    /// Sockets that exist in the runtime directory.
    pub fn sockets(&self) -> Vec<PathBuf> {
        sockets_below(&self.runtime_dir())
    }

    fn nothing_is_left(&self) -> bool {
        processes::of_world(&self.mark()).is_empty() && self.sockets().is_empty()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let clean = std::thread::panicking() || within(self.aftermath, || self.nothing_is_left());
        let (left, sockets) = (processes::of_world(&self.mark()), self.sockets());
        processes::kill_world(&self.mark());
        assert!(clean, "left behind: {left:#?} {sockets:?}\n{}", log_tail(&self.daemon_log()));
    }
}

fn sockets_below(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(sockets_below(&entry.path())),
            Ok(kind) if kind.is_socket() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

/// What a command without a terminal left.
#[derive(Debug)]
pub struct Finished {
    /// The command line.
    pub line: String,
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// All of its standard output.
    pub stdout: String,
    /// All of its standard error.
    pub stderr: String,
}

/// The built `deployer` binary, beside the directory of the test's own.
///
/// # Panics
/// When it was not built.
pub fn deployer() -> PathBuf {
    let test = std::env::current_exe().expect("the path of the test");
    let target = test.parent().and_then(Path::parent).expect("tests live two levels below the target directory");
    let binary = target.join("deployer");
    assert!(binary.exists(), "{} is missing: `cargo build --workspace --bins` builds it", binary.display());
    binary
}
