//! A running command, the same for local and remote hosts.

use std::fmt;

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use crate::terminal::Size;

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// The composed command line; `None` asks for the user's login shell.
    pub line: Option<String>,
    /// With or without a terminal.
    pub mode: SpawnMode,
    /// Nobody watches it and nobody types: its input ends at once. Only pipes; a host may run it more cheaply.
    pub unattended: bool,
    /// The runtime that keys come from and output goes to. A host that passes bytes on itself does it there: each thread
    /// on the way of a key costs more than all the rest of it. The runtime that is asked when `None`.
    pub served_on: Option<Handle>,
}

impl Spawn {
    /// A command line, to be watched.
    pub fn line(line: impl Into<String>, mode: SpawnMode) -> Spawn {
        Spawn { line: Some(line.into()), mode, unattended: false, served_on: None }
    }
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

/// Which of the two outputs of a command without a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum Stream {
    Out,
    Err,
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
    /// It ended, but the connection was lost before all of its output had come: what there is of it may be cut short. A
    /// failure everywhere, for whoever reads the output cannot know. Only an SSH host tells it.
    CutOff {
        /// How it ended: a code or a signal.
        ended: Box<ExitStatus>,
        /// Why the connection was lost.
        why: String,
    },
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
            ExitStatus::CutOff { ended, why } => write!(f, "ended with {ended}, but output may be missing: {why}"),
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
/// Dropping it while the command runs starts the polite end in the background: Ctrl-C and HUP on a PTY, TERM, KILL after a
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
    input: mpsc::Sender<ControlRequest>,
    urgent: mpsc::Sender<ControlRequest>,
}

/// What [`ProcessControl`] asks of the task that owns the process.
#[derive(Debug)]
pub enum ControlRequest {
    /// Bytes for stdin.
    Input(Bytes),
    /// No more input (row W-47).
    Eof,
    /// The terminal has a new size (row F-32).
    Resize(Size),
    /// A signal.
    Signal(Signal),
}

/// The end of a [`ProcessControl`] that the owner of the process listens on.
///
/// Input waits in a queue of its own, so that a signal reaches a command that does not read.
pub struct ControlRequests {
    input: mpsc::Receiver<ControlRequest>,
    urgent: mpsc::Receiver<ControlRequest>,
}

impl ControlRequests {
    /// The next request, urgent ones first; `None` when nobody can ask any more. Cancel safe.
    pub async fn recv(&mut self) -> Option<ControlRequest> {
        tokio::select! {
            biased;
            Some(request) = self.urgent.recv() => Some(request),
            request = self.input.recv() => request,
        }
    }

    /// The next resize or signal, for an owner that has no room for more input now. Cancel safe.
    pub async fn recv_urgent(&mut self) -> Option<ControlRequest> {
        self.urgent.recv().await
    }
}

impl ProcessControl {
    /// A control and the end its owner listens on: for whoever implements [`super::Host`]. The bound is what
    /// typed-ahead input may pile up to.
    pub fn channel() -> (ProcessControl, ControlRequests) {
        let (input, input_requests) = mpsc::channel(64);
        let (urgent, urgent_requests) = mpsc::channel(16);
        (ProcessControl { input, urgent }, ControlRequests { input: input_requests, urgent: urgent_requests })
    }

    /// Writes to stdin; waits while the command does not read.
    pub async fn input(&self, bytes: Bytes) {
        // The receiver is gone when the command has ended; its end was or will be reported as an event.
        let _ended = self.input.send(ControlRequest::Input(bytes)).await;
    }

    /// Closes stdin, after all input sent before. On a PTY the end-of-file character is typed.
    pub async fn eof(&self) {
        let _ended = self.input.send(ControlRequest::Eof).await;
    }

    /// Tells the new size.
    pub async fn resize(&self, size: Size) {
        let _ended = self.urgent.send(ControlRequest::Resize(size)).await;
    }

    /// Sends a signal, past all input that waits. [`Signal::Int`] on a PTY types Ctrl-C, which also reaches what
    /// runs there as another user. Never waits; with 16 requests unanswered a further one is dropped.
    pub fn signal(&self, signal: Signal) {
        let _ended_or_full = self.urgent.try_send(ControlRequest::Signal(signal));
    }
}
