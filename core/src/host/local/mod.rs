//! The machine deployer itself runs on (row F-58).

mod child;
mod files;
mod group;
mod input;
mod limits;
mod open_file;
mod output;
mod spawn;
mod task;

#[cfg(test)]
mod tests;

pub(in crate::host) use child::Child;
pub(in crate::host) use spawn::{Piped, environment, piped};

use std::path::PathBuf;
use std::sync::Arc;

pub use limits::raise_descriptor_limit;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

pub use files::LocalFiles;
pub(crate) use files::NAMES_MAX;

use super::files::FileSystem;
use super::{Host, HostError, Process, ProcessControl, Reach, Spawn};
use crate::node::HostDef;

/// Runs commands with `/bin/sh` here, in a PTY of their own or with pipes.
///
/// Commands start in the directory that was current when the host was made, whatever the program does later
/// (row F-39), with the environment of the program except what is deployer's own: `DEPLOYER_*` and the variables a
/// service manager hands down.
#[derive(Debug)]
pub struct LocalHost {
    definition: HostDef,
    start: Result<PathBuf, String>,
    commands: TaskTracker,
}

impl LocalHost {
    /// The local host with this definition.
    pub fn new(definition: HostDef) -> LocalHost {
        let start = std::env::current_dir().map_err(|error| format!("the current directory is gone: {error}"));
        LocalHost { definition, start, commands: TaskTracker::new() }
    }

    /// The same, with its commands among those of a daemon or program.
    pub(super) fn among(self, commands: TaskTracker) -> LocalHost {
        LocalHost { commands, ..self }
    }

    fn start(&self) -> Result<&PathBuf, HostError> {
        self.start.as_ref().map_err(|reason| self.refused(reason.clone()))
    }

    /// A command or question that this host does not take.
    pub(super) fn refused(&self, reason: String) -> HostError {
        HostError::Refused { host: self.definition.slug().to_string(), reason }
    }
}

#[async_trait]
impl Host for LocalHost {
    fn definition(&self) -> &HostDef {
        &self.definition
    }

    async fn start_path(&self, _reach: &Reach) -> Result<String, HostError> {
        Ok(self.start()?.to_string_lossy().into_owned())
    }

    async fn spawn(&self, spawn: Spawn, _reach: &Reach) -> Result<Process, HostError> {
        let start = self.start()?.clone();
        // fork and exec of a program with a lot of memory take milliseconds that other tasks need.
        let relay = spawn.served_on.clone().unwrap_or_else(Handle::current);
        let started = relay.spawn_blocking(move || spawn::start(&spawn, &start)).await;
        let started = started.map_err(|error| error.to_string()).and_then(|started| started);
        let (child, input, output) = started.map_err(|reason| self.refused(reason))?;
        let (control, requests) = ProcessControl::channel();
        let (events, receiver) = tokio::sync::mpsc::channel(task::EVENTS_MAX);
        self.commands.spawn_on(task::Task::new(child, input, output, requests, events).run(), &relay);
        Ok(Process { events: receiver, control })
    }

    async fn files(&self, _reach: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        Ok(Arc::new(LocalFiles))
    }
}
