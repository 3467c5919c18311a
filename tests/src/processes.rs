//! The process table: who belongs to a story, and how it ends.
//!
//! Everything that a story starts carries [`MARK`] in its environment, with the directory of the story's world as value; ssh
//! servers pass it on to what they start. So even a process that nobody waits for any more is found.

use std::fs;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::wait::within;

/// The environment variable that tells which world a process belongs to.
pub const MARK: &str = "DEPLOYER_TEST_WORLD";

/// How long killed processes may take to leave the process table.
const DYING: Duration = Duration::from_secs(10);

/// A process that is alive (zombies are not).
#[derive(Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// The id of its parent.
    pub parent: i32,
    /// Its command line, or its name where it has none.
    pub command: String,
    environment: Vec<u8>,
}

/// Without the environment, which is long and may hold what does not belong into a log.
impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} (of {}): {}", self.pid, self.parent, self.command)
    }
}

impl Process {
    fn read(pid: i32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may contain spaces and parentheses: the fields start after the last one.
        let (head, fields) = stat.rsplit_once(") ")?;
        let mut fields = fields.split(' ');
        if matches!(fields.next()?, "Z" | "X") {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let mut command = String::from_utf8_lossy(&words).replace('\0', " ").trim().to_string();
        if command.is_empty() {
            command = head.split_once('(').map_or("?", |(_, name)| name).to_string();
        }
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        Some(Process { pid, parent, command, environment })
    }

    fn belongs_to(&self, world: &str) -> bool {
        let mark = format!("{MARK}={world}");
        self.command.contains(world) || self.environment.split(|byte| *byte == 0).any(|entry| entry == mark.as_bytes())
    }
}

/// Every live process of the machine.
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter_map(Process::read).collect()
}

/// The processes that belong to the world in the directory `world`.
pub fn of_world(world: &str) -> Vec<Process> {
    let me = std::process::id() as i32;
    all().into_iter().filter(|process| process.pid != me && process.belongs_to(world)).collect()
}

/// The children of `pid`, their children, and so on.
pub fn descendants(pid: i32) -> Vec<Process> {
    let table = all();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for process in table.iter().filter(|process| process.parent == parent) {
            parents.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

/// Whether a process is alive (zombies are not).
pub fn is_alive(pid: i32) -> bool {
    Process::read(pid).is_some()
}

/// Sends a signal; a process that is gone already is not an error.
pub fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _gone_already = kill_process(pid, signal);
    }
}

/// Kills `pid` and all that came from it, and waits until they are gone; whoever started `pid` has to reap it. It is
/// stopped first, so that it cannot have more children meanwhile.
pub fn kill_tree(pid: i32) {
    signal(pid, Signal::STOP);
    let family = descendants(pid);
    family.iter().for_each(|process| signal(process.pid, Signal::KILL));
    signal(pid, Signal::KILL);
    // A signal is not an end yet.
    family.iter().for_each(|process| {
        ends_within(process.pid, DYING);
    });
}

/// Kills whatever belongs to a world, again and again until nothing is left.
pub fn kill_world(world: &str) {
    within(DYING, || {
        let left = of_world(world);
        left.iter().for_each(|process| signal(process.pid, Signal::KILL));
        left.is_empty()
    });
}

/// Waits for the end of a process, whoever its parent is. False when it still runs after `limit`.
pub fn ends_within(pid: i32, limit: Duration) -> bool {
    match watch(pid) {
        Some(handle) => readable_within(&handle, limit),
        None => true,
    }
}

fn watch(pid: i32) -> Option<OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

/// A process handle becomes readable when its process ends.
fn readable_within(handle: &OwnedFd, limit: Duration) -> bool {
    let limit = Timespec { tv_sec: limit.as_secs() as i64, tv_nsec: i64::from(limit.subsec_nanos()) };
    let mut waiting = [PollFd::new(handle, PollFlags::IN)];
    matches!(poll(&mut waiting, Some(&limit)), Ok(count) if count > 0)
}
