//! Events of a run and those who listen: the screen, the journal, tests (section L).

mod failure;
mod indented;
mod run_log;
mod screen;
mod summary;
#[cfg(test)]
mod tests;
mod trace;

pub use indented::{IndentedLine, IndentedLogger, LineSink};
pub use run_log::RunLog;
pub use screen::ScreenLogger;
pub use trace::{Trace, TraceBranch, TraceItem, TraceLogger};

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::env::{ActionError, CellOutcome};
use crate::host::ExitStatus;
use crate::host::files::OpenMode;
use crate::terminal::Terminal;

/// Something that happened in a run. No event ever carries a secret.
#[derive(Clone, Debug)]
pub enum Event {
    /// An action, property or query begins (row E-27).
    Entered {
        /// Dotted path of the node.
        node: String,
        /// Name of the action.
        action: String,
        /// Arguments as they print.
        args: Vec<String>,
    },
    /// It ended, on whichever way.
    Left {
        /// Dotted path of the node.
        node: String,
        /// Name of the action.
        action: String,
        /// Whether it ended well.
        ok: bool,
    },
    /// A command begins (row L-03).
    RunStarted(RunEntry),
    /// It ended.
    RunFinished {
        /// As at the start.
        run: RunEntry,
        /// How it ended; `None` when it was never started.
        status: Option<ExitStatus>,
        /// Whether the operator's Ctrl-C at the command ended it.
        by_key: bool,
        /// How long it took.
        elapsed: Duration,
    },
    /// A silent command has ended: nothing of it is shown, and nobody is told which command it was (row F-31).
    RanUnseen {
        /// Where it ran; the command is empty.
        run: RunEntry,
        /// How it ended; `None` when it was never started.
        status: Option<ExitStatus>,
        /// How long it took.
        elapsed: Duration,
    },
    /// An action on an array begins in all its cells (rows L-06, C-34).
    ParallelStarted {
        /// Dotted path of the array.
        node: String,
        /// Name of the action.
        action: String,
        /// Labels of the cells, in host order.
        labels: Vec<String>,
    },
    /// All cells have ended: the summary.
    ParallelFinished {
        /// Dotted path of the array.
        node: String,
        /// Name of the action.
        action: String,
        /// What became of each, in host order.
        outcomes: Vec<CellOutcome>,
    },
    /// An error left the innermost action (row E-10); logged once.
    Failed(ActionError),
    /// A notice for the operator.
    Message(String),
    /// A file of a host is opened or transferred (row L-05).
    FileStarted(FileEntry),
    /// It was closed, or the transfer ended; once for each that was started.
    FileFinished {
        /// As at the start.
        file: FileEntry,
        /// Whether all of it was read or written.
        ok: bool,
        /// Bytes that were read or written.
        bytes: u64,
        /// How long it took.
        elapsed: Duration,
    },
    /// A step of connecting to a host (row F-67).
    Connecting {
        /// Slug of the host.
        host: String,
        /// What is being done.
        step: String,
    },
}

/// A command in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEntry {
    /// Dotted path of the node whose host it is; empty outside of a tree.
    pub node: String,
    /// Slug of the host.
    pub host: String,
    /// The command as written in the deployment, prefixes included, directory and environment left out.
    pub command: String,
    /// Whether it runs under sudo.
    pub use_sudo: bool,
    /// Whether it is only checked.
    pub sandbox: bool,
    /// Whether it has a terminal.
    pub interactive: bool,
}

/// A file in the log (row L-05).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Slug of the host.
    pub host: String,
    /// What is done with it.
    pub operation: FileOperation,
    /// Path on the host; bytes that are no text are replaced.
    pub remote: String,
    /// Path on this machine, for transfers.
    pub local: Option<String>,
    /// Whether it is done as root.
    pub use_sudo: bool,
    /// Whether nothing is touched.
    pub sandbox: bool,
    /// Whether the operator is not told; the journal is.
    pub silent: bool,
}

/// What is done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileOperation {
    /// Opened by an action.
    Open(OpenMode),
    /// Uploaded.
    Put,
    /// Downloaded.
    Get,
}

/// Somebody who listens.
#[async_trait]
pub trait Listener: Send + Sync {
    /// Takes an event. `terminal` is the terminal of the run, an auxiliary one inside an isolation.
    async fn event(&self, event: &Event, terminal: &Arc<dyn Terminal>);

    /// Who listens to one action of a shell instead, beside which others may run; `None`: this one hears the events of all
    /// as they come.
    fn action(&self) -> Option<Arc<dyn Listener>> {
        None
    }

    /// Who listens to one isolation of a parallel run instead (row L-06); `None`: this one hears the events of all
    /// isolations as they come.
    fn branch(&self, label: &str) -> Option<Arc<dyn Listener>> {
        let _the_same_for_all = label;
        None
    }
}

/// A listener from a function, for programs (row L-17). It hears the events of all isolations as they come, and must not
/// wait.
pub fn listener(hear: impl Fn(&Event) + Send + Sync + 'static) -> Arc<dyn Listener> {
    Arc::new(Hearing(hear))
}

struct Hearing<F>(F);

#[async_trait]
impl<F: Fn(&Event) + Send + Sync> Listener for Hearing<F> {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        (self.0)(event);
    }
}

/// Hands events to all listeners, in order. Cheap to clone; the terminal it carries is that of the run.
#[derive(Clone)]
pub struct Logger {
    listeners: Arc<[Arc<dyn Listener>]>,
    terminal: Arc<dyn Terminal>,
}

impl Logger {
    /// A logger with these listeners.
    pub fn new(listeners: Vec<Arc<dyn Listener>>, terminal: Arc<dyn Terminal>) -> Logger {
        Logger { listeners: listeners.into(), terminal }
    }

    /// The logger of one isolation, on its own terminal: each listener, or whom that supplies for the branch.
    pub fn branch(&self, terminal: Arc<dyn Terminal>, label: &str) -> Logger {
        let listeners =
            self.listeners.iter().map(|listener| listener.branch(label).unwrap_or_else(|| listener.clone()));
        Logger { listeners: listeners.collect(), terminal }
    }

    /// The logger of one action of a shell: each listener, or whom that supplies for it.
    pub fn action(&self) -> Logger {
        let listeners = self.listeners.iter().map(|listener| listener.action().unwrap_or_else(|| listener.clone()));
        Logger { listeners: listeners.collect(), terminal: self.terminal.clone() }
    }

    /// The same with one listener more, for as long as the new logger is used (row L-01).
    pub fn with(&self, listener: Arc<dyn Listener>) -> Logger {
        let listeners = self.listeners.iter().cloned().chain([listener]).collect();
        Logger { listeners, terminal: self.terminal.clone() }
    }

    /// Tells everybody.
    pub async fn emit(&self, event: Event) {
        for listener in self.listeners.iter() {
            listener.event(&event, &self.terminal).await;
        }
    }
}
