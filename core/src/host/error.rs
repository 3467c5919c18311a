//! What can go wrong on the way to a host and on it.

use std::sync::Arc;

use super::files::FileError;
use super::{ExitStatus, RunOutput};

/// A host could not be used.
#[derive(Clone, Debug, thiserror::Error)]
pub enum HostError {
    /// No connection (row K-14).
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The host was reached, but would not start the command.
    #[error("{host}: the command was not started: {reason}")]
    Refused {
        /// Slug of the host.
        host: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Whoever is behind the run may not use the host there.
    #[error("{host}: not permitted: {reason}")]
    Forbidden {
        /// Slug of the host.
        host: String,
        /// Who may not, and what to do.
        reason: String,
    },
    /// The host was reached, but its files cannot be used.
    #[error("{host}: no access to its files: {reason}")]
    NoFiles {
        /// Slug of the host.
        host: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The run was cancelled.
    #[error("{host}: interrupted")]
    Interrupted {
        /// Slug of the host.
        host: String,
    },
}

/// No connection to a host (rows F-68, K-14).
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host}: cannot connect to {user}@{address}:{port}: {reason}{}", hint_line(.hint))]
pub struct ConnectError {
    /// Slug of the host.
    pub host: String,
    /// What was dialled.
    pub address: String,
    /// Port that was dialled.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Which step failed and why, lower-case: "connection refused".
    pub reason: String,
    /// What to do about it, when that is known: a command, a setting.
    pub hint: Option<String>,
}

fn hint_line(hint: &Option<String>) -> String {
    hint.as_ref().map(|hint| format!("\n  {hint}")).unwrap_or_default()
}

/// A command failed, or could not run (rows F-27, K-11).
#[derive(Clone, Debug, thiserror::Error)]
pub enum RunError {
    /// It ran and did not end with status 0.
    #[error(transparent)]
    Failed(Arc<RunFailure>),
    /// It did not run.
    #[error(transparent)]
    Host(#[from] HostError),
    /// It was stopped, by Ctrl-C or because the run was cancelled.
    #[error("{host}: interrupted{}: {command}{}", if *.by_key { " (Ctrl-C)" } else { "" }, if *.certain { "" } else { " (the remote process may still run)" })]
    Interrupted {
        /// Slug of the host.
        host: String,
        /// The command, without the composed surroundings.
        command: String,
        /// Whether the end of the process was seen.
        certain: bool,
        /// Whether the operator pressed Ctrl-C at the command itself; otherwise the whole run was to end.
        by_key: bool,
    },
    /// It did not end well on all of several hosts (row F-76 with design 8).
    #[error("{}", several(.0))]
    Several(Arc<[HostOutcome]>),
    /// A file of it could not be used.
    #[error(transparent)]
    File(Arc<FileError>),
    /// Wrong use: a command that is not text, a terminal that went away, initial input without a terminal.
    #[error("{host}: {message}")]
    Usage {
        /// Slug of the host.
        host: String,
        /// What is wrong.
        message: String,
    },
}

/// What became of a command on one of several hosts.
#[derive(Clone, Debug)]
pub struct HostOutcome {
    /// Slug of the host.
    pub host: String,
    /// What it printed, or why it did not end well.
    pub result: Result<Arc<RunOutput>, RunError>,
}

fn several(outcomes: &[HostOutcome]) -> String {
    let errors: Vec<&RunError> = outcomes.iter().filter_map(|outcome| outcome.result.as_ref().err()).collect();
    let lines: String = errors.iter().map(|error| format!("\n  {error}")).collect();
    format!("failed on {} of {} hosts{lines}", errors.len(), outcomes.len())
}

/// A command that ended badly: the `ExecCommandFailed` of the original (row K-11).
#[derive(Clone, Debug, thiserror::Error)]
#[error("{host}: {}: {command}", how_it_failed(.status, .reason))]
pub struct RunFailure {
    /// Slug of the host.
    pub host: String,
    /// The command with its prefixes (row F-27); no secret is ever part of it.
    pub command: String,
    /// Whether it ran under sudo.
    pub use_sudo: bool,
    /// How it ended.
    pub status: ExitStatus,
    /// What is to say beyond the status: that a timeout ended it.
    pub reason: Option<String>,
    /// What it printed until then.
    pub output: Arc<RunOutput>,
}

fn how_it_failed(status: &ExitStatus, reason: &Option<String>) -> String {
    match reason {
        Some(reason) => format!("{reason} ({status})"),
        None => status.to_string(),
    }
}
