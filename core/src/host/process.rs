//! A running command, the same for local and remote hosts.

use std::fmt;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::terminal::Size;

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// The composed command line; `None` asks for the user's login shell.
    pub line: Option<String>,
    /// With or without a terminal.
    pub mode: SpawnMode,
}

/// With or without a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpawnMode {
    /// A PTY of this size; stderr is merged into stdout (row F-15).
    Pty {
        /// Size at start.
        size: Size,
        /// TERM for the PTY request; empty becomes `dumb`.
        term: String,
    },
    /// Pipes; stdout and stderr apart (row F-16 with design 8).
    Piped,
}

/// What a running command tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEvent {
    /// Output; with a PTY all of it.
    Stdout(Bytes),
    /// Error output, without a PTY.
    Stderr(Bytes),
    /// The end. Nothing follows.
    Exit(ExitStatus),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It exited with this status, 0..=255.
    Code(i32),
    /// A signal ended it; the name without SIG, as in RFC 4254 section 6.10. A failure everywhere (row F-29).
    Signal(String),
    /// The connection went away first: what became of the command is not known. Never retried.
    Unknown(String),
}

impl ExitStatus {
    /// Whether the command ended well.
    pub fn success(&self) -> bool {
        *self == ExitStatus::Code(0)
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ExitStatus::Code(code) => write!(f, "status {code}"),
            ExitStatus::Signal(name) => write!(f, "killed by SIG{name}"),
            ExitStatus::Unknown(why) => write!(f, "outcome unknown: {why}"),
        }
    }
}

/// Signals a run may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Hang up.
    Hup,
    /// Interrupt, as Ctrl-C.
    Int,
    /// Please end.
    Term,
    /// End now.
    Kill,
}

/// A running command.
///
/// Dropping it while the command runs starts the polite end in the background: Ctrl-C on a PTY, TERM, KILL after a
/// grace, then the channel is closed. No remote process is left behind silently.
pub struct Process {
    /// Output and the end, in order. The sender never waits longer than its own memory bound: a process is always
    /// drained from the connection, whoever reads here.
    pub events: mpsc::Receiver<ProcessEvent>,
    /// The other direction.
    pub control: ProcessControl,
}

/// Requests to a running command. Cheap to clone; sending to an ended command is a no-op.
#[derive(Clone)]
pub struct ProcessControl {
    sender: mpsc::Sender<ControlRequest>,
}

/// What [`ProcessControl`] asks of the task that owns the process.
#[derive(Debug)]
pub(crate) enum ControlRequest {
    /// Bytes for stdin.
    Input(Bytes),
    /// No more input (row W-47).
    Eof,
    /// The terminal has a new size (row F-32).
    Resize(Size),
    /// A signal.
    Signal(Signal),
}

impl ProcessControl {
    /// A control and the end its owner listens on. The bound is what typed-ahead input may pile up to.
    pub(crate) fn channel() -> (ProcessControl, mpsc::Receiver<ControlRequest>) {
        let (sender, receiver) = mpsc::channel(64);
        (ProcessControl { sender }, receiver)
    }

    /// Writes to stdin; waits while the command does not read.
    pub async fn input(&self, bytes: Bytes) {
        self.request(ControlRequest::Input(bytes)).await;
    }

    /// Closes stdin.
    pub async fn eof(&self) {
        self.request(ControlRequest::Eof).await;
    }

    /// Tells the new size.
    pub async fn resize(&self, size: Size) {
        self.request(ControlRequest::Resize(size)).await;
    }

    /// Sends a signal.
    pub async fn signal(&self, signal: Signal) {
        self.request(ControlRequest::Signal(signal)).await;
    }

    async fn request(&self, request: ControlRequest) {
        // The receiver is gone when the command has ended; its end was or will be reported as an event.
        let _ended = self.sender.send(request).await;
    }
}
