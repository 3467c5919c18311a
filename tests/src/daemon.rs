//! `deployer listen`, while it runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::processes;
use crate::terminal::log_tail;
use crate::wait::{TIMEOUT, eventually, within};

/// A daemon that runs. Ended by SIGTERM when dropped, and then expected to leave no socket.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    socket: PathBuf,
}

impl Daemon {
    /// Starts it, with its output in `log`, and waits until it says where it listens.
    ///
    /// # Panics
    /// When it does not within [`TIMEOUT`].
    pub fn start(mut command: Command, log: PathBuf) -> Daemon {
        let output = File::create(&log).expect("the log of the daemon");
        command.stdin(Stdio::null()).stdout(output.try_clone().expect("the log of the daemon")).stderr(output);
        let child = command.spawn().expect("starting deployer listen");
        let mut daemon = Daemon { child, log, socket: PathBuf::new() };
        let mut announced = None;
        within(TIMEOUT, || {
            announced = daemon.announced();
            announced.is_some() || !matches!(daemon.child.try_wait(), Ok(None))
        });
        daemon.socket = announced.unwrap_or_else(|| panic!("no daemon listens\n{}", log_tail(&daemon.log)));
        daemon
    }

    /// The socket that it announced.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its process id.
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// The port of the loopback that it announced for telnet.
    ///
    /// # Panics
    /// When it announces none within [`TIMEOUT`].
    pub fn telnet_port(&self) -> String {
        let log = || fs::read_to_string(&self.log).unwrap_or_default();
        let announced = || {
            let log = log();
            let line = log.split_inclusive('\n').find(|line| line.starts_with("telnet on ") && line.ends_with('\n'))?;
            line.strip_prefix("telnet on 127.0.0.1:")?.split(' ').next().map(str::to_string)
        };
        eventually("the telnet port is announced", || announced().is_some(), || log_tail(&self.log));
        announced().expect("it was announced")
    }

    /// The most memory that it has had, bytes (resident).
    ///
    /// # Panics
    /// When it has ended.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("the daemon runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts memory");
        1024 * line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number of KiB")
    }

    /// Kills it as a crash would. Its socket stays.
    pub fn kill_9(&mut self) {
        processes::signal(self.pid(), Signal::KILL);
        let _reaped = self.child.wait();
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        processes::signal(self.pid(), signal);
    }

    /// Waits for its end and returns its exit status.
    ///
    /// # Panics
    /// When it does not end within [`TIMEOUT`].
    pub fn ends(&mut self) -> Option<i32> {
        assert!(processes::ends_within(self.pid(), TIMEOUT), "the daemon did not end\n{}", log_tail(&self.log));
        self.child.wait().ok().and_then(|status| status.code())
    }

    /// Asks it to end (SIGTERM) and returns its exit status.
    ///
    /// # Panics
    /// When it does not end within [`TIMEOUT`].
    pub fn stop(&mut self) -> Option<i32> {
        processes::signal(self.pid(), Signal::TERM);
        let ended = processes::ends_within(self.pid(), TIMEOUT);
        if !ended {
            self.kill_9();
        }
        assert!(ended, "the daemon did not end within {TIMEOUT:?} of SIGTERM\n{}", log_tail(&self.log));
        self.child.wait().ok().and_then(|status| status.code())
    }

    fn announced(&self) -> Option<PathBuf> {
        let log = fs::read_to_string(&self.log).ok()?;
        let line = log.split_inclusive('\n').find(|line| line.starts_with("listening on ") && line.ends_with('\n'))?;
        line.split_whitespace().nth(2).map(|path| PathBuf::from(path.trim_end_matches([',', ';', ':'])))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return;
        }
        if std::thread::panicking() {
            self.kill_9();
        } else {
            self.stop();
            assert!(!self.socket.exists(), "the daemon left its socket {}", self.socket.display());
        }
    }
}
