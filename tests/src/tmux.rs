//! A tmux with programs of a world in it: what operators have around their client.

use std::path::PathBuf;
use std::process::Command;

use crate::wait::eventually;
use crate::world::World;

/// A tmux server of its own, ended when dropped.
pub struct Tmux<'a> {
    world: &'a World,
    socket: PathBuf,
}

/// A pane of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TmuxPane {
    /// Such as `%1`; later panes have higher numbers.
    pub id: String,
    /// Whether it has the keyboard.
    pub active: bool,
    /// What programs call it.
    pub title: String,
}

impl<'a> Tmux<'a> {
    /// Starts it, 200 by 60, with `deployer` and these arguments in its first pane.
    ///
    /// # Panics
    /// When there is no tmux.
    pub fn start(world: &'a World, args: &[&str]) -> Tmux<'a> {
        let socket = world.dir().join("tmux");
        let tmux = Tmux { world, socket };
        let program = crate::world::deployer().display().to_string();
        let mut words = vec!["-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "60", program.as_str()];
        words.extend(args);
        tmux.command(&words);
        tmux
    }

    /// Runs a command of tmux; what it prints.
    ///
    /// # Panics
    /// When it fails.
    pub fn command(&self, words: &[&str]) -> String {
        let (status, printed) = self.tell(words);
        assert!(status, "tmux {words:?}: {printed}");
        printed
    }

    fn tell(&self, words: &[&str]) -> (bool, String) {
        let mut command = Command::new("tmux");
        command.arg("-S").arg(&self.socket).args(words).current_dir(self.world.dir());
        command.env_clear().envs(self.world.environment());
        let output = command.output().expect("tmux is installed");
        let printed = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&printed).into_owned())
    }

    /// Its panes, oldest first; none when it has ended.
    pub fn panes(&self) -> Vec<TmuxPane> {
        let (alive, listed) = self.tell(&["list-panes", "-a", "-F", "#{pane_id} #{pane_active} #{pane_title}"]);
        let pane = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let (id, active) = (words.next()?.to_string(), words.next()? == "1");
            Some(TmuxPane { id, active, title: words.next().unwrap_or_default().to_string() })
        };
        let mut panes: Vec<TmuxPane> = if alive { listed.lines().filter_map(pane).collect() } else { Vec::new() };
        panes.sort_by_key(|pane| pane.id[1..].parse::<u32>().unwrap_or(u32::MAX));
        panes
    }

    /// What a pane shows; nothing when it is gone.
    pub fn screen(&self, id: &str) -> String {
        let (there, text) = self.tell(&["capture-pane", "-p", "-t", id]);
        if there { text.trim_end().to_string() } else { String::new() }
    }

    /// Types a line and Enter.
    pub fn send_line(&self, id: &str, line: &str) {
        self.command(&["send-keys", "-t", id, "-l", line]);
        self.command(&["send-keys", "-t", id, "Enter"]);
    }

    /// Waits until a fact holds.
    ///
    /// # Panics
    /// When it does not in time; with all screens.
    pub fn wait_for(&self, fact: &str, holds: impl Fn(&Tmux) -> bool) {
        eventually(fact, || holds(self), || self.evidence());
    }

    /// Waits until a pane shows a text.
    pub fn wait_for_text(&self, id: &str, fact: &str, text: &str) {
        self.wait_for(&format!("{fact} ({text:?} in {id})"), |tmux| tmux.screen(id).contains(text));
    }

    /// Waits until there are so many panes; they, oldest first.
    pub fn wait_for_panes(&self, fact: &str, count: usize) -> Vec<TmuxPane> {
        self.wait_for(&format!("{fact} ({count} panes)"), |tmux| tmux.panes().len() == count);
        self.panes()
    }

    fn evidence(&self) -> String {
        let shown = |pane: TmuxPane| format!("--- {pane:?}\n{}\n", self.screen(&pane.id));
        let panes: String = self.panes().into_iter().map(shown).collect();
        format!("{panes}{}", crate::terminal::log_tail(&self.world.daemon_log()))
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        // It may have ended with its last pane.
        let _ended = self.tell(&["kill-server"]);
    }
}
