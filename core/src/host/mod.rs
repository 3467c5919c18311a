//! Hosts: what a host is, how a command line is composed, how commands run locally and over SSH.
//!
//! [`Host`] is the small trait that a kind of host implements; [`HostsContainer`] and [`HostContainer`] are what a
//! deployment calls (`self.hosts:run`, `self.host:run`).

#![allow(clippy::result_large_err, reason = "an error names host, address and remedy, and is made once a failure")]

mod ask;
mod collect;
mod compose;
mod container;
mod context;
mod directory;
mod drive;
mod driven;
mod end_marks;
mod error;
mod forbidden;
mod keys;
mod lifecycle;
mod many;
mod one_run;
mod password;
mod process;
mod queries;
mod run;
mod services;
mod show;
mod sudo;
mod sudo_session;

pub mod command;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
pub mod files;
pub mod local;
pub mod ssh;

pub use ask::{Answer, Asker, NoAnswer, NobodyToAsk, Operator, Question, QuestionKind};
pub use container::{HostContainer, HostsContainer};
pub use context::{ContextGuard, HostContext};
pub use error::{ConnectError, HostError, HostOutcome, RunError, RunFailure};
pub use process::{
    ControlRequest, ControlRequests, ExitStatus, Process, ProcessControl, ProcessEvent, Signal, Spawn, SpawnMode,
};
pub use run::{RunIo, RunOptions, RunOutput, login_shell, run};
pub use services::HostServices;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use self::files::FileSystem;
use crate::node::HostDef;

/// What one attempt to reach a host needs from the person and the run behind it.
#[derive(Clone)]
pub struct Reach {
    /// Who answers questions (password, unknown host key). Labelled, one question at a time.
    pub asker: Arc<dyn Asker>,
    /// The run was cancelled: give up, leave nothing behind.
    pub cancel: tokio_util::sync::CancellationToken,
}

/// A place where commands run. Three are built in, [`local::LocalHost`], [`ssh::SshHost`] and [`command::CommandHost`]; a
/// program can bring more with a [`crate::node::HostFactory`].
///
/// A host value is cheap and shared; connections belong to [`HostServices`]. An implementation says how a command is
/// started ([`Host::spawn`]) and feeds [`Process::events`]; all the rest (composing the line, sudo, output, timeouts,
/// questions) is done for it. Three things it owes everybody: events are never held back by a reader beyond a bound of its
/// own, a process that is dropped is ended, and the end that is told is the end that was seen
/// ([`ExitStatus::Unknown`] otherwise). `conformance` (feature of the same name) checks that with real commands.
#[async_trait]
pub trait Host: Send + Sync + fmt::Debug {
    /// The definition this host was made from.
    fn definition(&self) -> &HostDef;

    /// Absolute directory used when no `cd` is active (row F-39).
    ///
    /// # Errors
    /// When the host cannot be reached.
    async fn start_path(&self, reach: &Reach) -> Result<String, HostError>;

    /// Starts a command line under the host's `/bin/sh -c` (or a login shell when `spawn.line` is `None`).
    ///
    /// # Errors
    /// When the host cannot be reached or refuses to start the command. After `Ok` the command was accepted; what
    /// becomes of it arrives as [`ProcessEvent`]s.
    async fn spawn(&self, spawn: Spawn, reach: &Reach) -> Result<Process, HostError>;

    /// The files of the host, as the login user sees them. Hosts that only run commands have none.
    ///
    /// # Errors
    /// When the host cannot be reached or does not give access to files.
    async fn files(&self, _reach: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        let host = self.definition().slug().to_string();
        Err(HostError::NoFiles { host, reason: "hosts of this kind only run commands".to_string() })
    }
}
