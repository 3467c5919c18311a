//! The child process itself: its end, and signals to it. It is always reaped.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal as Number, WaitId, WaitIdOptions, WaitIdStatus};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::group;
use super::spawn::registered;
use crate::host::{ExitStatus, Signal};

/// A child that leads a session of its own.
pub(in crate::host) struct Child {
    pid: Pid,
    /// Becomes readable when the child has ended; no SIGCHLD handler, which would be global state.
    ended: AsyncFd<OwnedFd>,
    /// The terminal, to find what runs in its foreground.
    master: Option<Arc<AsyncFd<OwnedFd>>>,
    reaped: bool,
}

impl Child {
    /// Takes over a child that nobody else waits for.
    pub(super) fn new(pid: u32, master: Option<Arc<AsyncFd<OwnedFd>>>) -> io::Result<Child> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        let ended = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK).map_err(io::Error::from);
        let ended = ended.and_then(|fd| registered(fd, Interest::READABLE)).map_err(|error| abandoned(pid, error))?;
        Ok(Child { pid, ended, master, reaped: false })
    }

    /// Waits for the end. Cancel safe; must not be called again after it returned.
    pub(in crate::host) async fn wait(&mut self) -> ExitStatus {
        loop {
            let mut ready = match self.ended.readable().await {
                Ok(ready) => ready,
                Err(error) => return ExitStatus::Unknown(format!("waiting for the process: {error}")),
            };
            match rustix::process::waitid(
                WaitId::PidFd(self.ended.as_fd()),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            ) {
                Ok(Some(status)) => {
                    self.reaped = true;
                    return exit_status(&status);
                }
                Ok(None) => ready.clear_ready(),
                Err(error) => return ExitStatus::Unknown(format!("waiting for the process: {error}")),
            }
        }
    }

    /// Sends a signal to the child's process group, and to what is in the foreground of its terminal: a shell with
    /// job control gives each job a group of its own.
    pub(in crate::host) fn signal(&self, signal: Signal) {
        let number = match signal {
            Signal::Hup => Number::HUP,
            Signal::Int => Number::INT,
            Signal::Term => Number::TERM,
            Signal::Kill => Number::KILL,
        };
        let foreground = self.master.as_ref().and_then(|master| rustix::termios::tcgetpgrp(master.as_fd()).ok());
        for group in [Some(self.pid), foreground.filter(|group| *group != self.pid)].into_iter().flatten() {
            if let Err(error) = rustix::process::kill_process_group(group, number) {
                // It may have ended by itself meanwhile, or run as another user; the ladder goes on either way.
                tracing::debug!(%error, group = group.as_raw_nonzero(), ?signal, "signal not delivered");
            }
        }
    }
}

impl Child {
    /// Whether something is left in the child's process group; as long as it is, its number is not given to another
    /// one. What has ended and only waits for a careless init to be reaped does not count.
    pub(in crate::host) fn group_lives(&self) -> bool {
        let there = rustix::process::test_kill_process_group(self.pid) != Err(Errno::SRCH);
        there && !group::only_zombies(self.pid)
    }

    /// Lets go of the terminal.
    pub(super) fn hang_up(&mut self) {
        self.master = None;
    }
}

/// The owner went away without seeing the end, because the whole runtime did: nothing is left behind.
impl Drop for Child {
    fn drop(&mut self) {
        if !self.reaped {
            self.signal(Signal::Kill);
            let _status = rustix::process::waitid(
                WaitId::PidFd(self.ended.as_fd()),
                WaitIdOptions::EXITED | WaitIdOptions::NOHANG,
            );
        }
    }
}

/// Ends a child that cannot be waited for, and keeps the error.
fn abandoned(pid: Pid, error: io::Error) -> io::Error {
    let _gone = rustix::process::kill_process_group(pid, Number::KILL);
    let _status = rustix::process::waitpid(Some(pid), rustix::process::WaitOptions::empty());
    error
}

fn exit_status(status: &WaitIdStatus) -> ExitStatus {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(code), _) => ExitStatus::Code(code),
        (None, Some(number)) => ExitStatus::Signal(signal_name(number)),
        (None, None) => ExitStatus::Unknown("the process neither exited nor was killed".to_string()),
    }
}

/// Names as in RFC 4254 section 6.10, without SIG.
fn signal_name(number: i32) -> String {
    const NAMES: &[(Number, &str)] = &[
        (Number::HUP, "HUP"),
        (Number::INT, "INT"),
        (Number::QUIT, "QUIT"),
        (Number::ILL, "ILL"),
        (Number::TRAP, "TRAP"),
        (Number::ABORT, "ABRT"),
        (Number::BUS, "BUS"),
        (Number::FPE, "FPE"),
        (Number::KILL, "KILL"),
        (Number::USR1, "USR1"),
        (Number::SEGV, "SEGV"),
        (Number::USR2, "USR2"),
        (Number::PIPE, "PIPE"),
        (Number::ALARM, "ALRM"),
        (Number::TERM, "TERM"),
        (Number::XCPU, "XCPU"),
        (Number::XFSZ, "XFSZ"),
        (Number::SYS, "SYS"),
    ];
    match NAMES.iter().find(|(known, _)| known.as_raw() == number) {
        Some((_, name)) => name.to_string(),
        None => number.to_string(),
    }
}
