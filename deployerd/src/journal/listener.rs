//! Commands of a session, for the journal. Never what they print or read.

use std::sync::Arc;

use async_trait::async_trait;
use deployer_core::host::ExitStatus;
use deployer_core::host::files::OpenMode;
use deployer_core::logger::{Event, FileEntry, FileOperation, Listener, RunEntry};
use deployer_core::terminal::Terminal;

use super::entry::text;
use super::{About, Entry, Journal, What};
use crate::authority::AtWork;

/// Writes what an action of a session runs, and keeps track of the nodes that it runs on.
pub(crate) struct JournalListener {
    pub(crate) at_work: Arc<AtWork>,
    /// Those behind the action.
    pub(crate) about: About,
    pub(crate) journal: Arc<Journal>,
}

impl JournalListener {
    fn write(&self, what: What) {
        self.journal.write(Entry::now(self.about.clone(), what));
    }
}

#[async_trait]
impl Listener for JournalListener {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        match event {
            Event::Entered { node, .. } => self.at_work.enters(node),
            Event::Left { node, .. } => self.at_work.leaves(node),
            Event::RunStarted(run) => self.write(What::Command {
                node: text(&run.node),
                host: text(&run.host),
                command: text(&run.command),
                sudo: run.use_sudo,
                sandbox: run.sandbox,
            }),
            Event::RunFinished { run, status, elapsed, .. } => {
                self.write(ended(run, Some(&run.command), status.as_ref(), elapsed.as_millis()));
            }
            Event::RanUnseen { run, status, elapsed } => {
                self.write(ended(run, None, status.as_ref(), elapsed.as_millis()));
            }
            Event::FileFinished { file, ok, bytes, elapsed } => {
                self.write(used(file, *ok, *bytes, elapsed.as_millis()));
            }
            _ => {}
        }
    }
}

fn used(file: &FileEntry, ok: bool, bytes: u64, elapsed_ms: u128) -> What {
    What::File {
        host: text(&file.host),
        operation: match file.operation {
            FileOperation::Open(OpenMode::Read) => "read",
            FileOperation::Open(OpenMode::Write) => "write",
            FileOperation::Open(OpenMode::Append) => "append",
            FileOperation::Put => "put",
            FileOperation::Get => "get",
        },
        remote: text(&file.remote),
        local: file.local.as_deref().map(text),
        sudo: file.use_sudo,
        sandbox: file.sandbox,
        ok,
        bytes,
        elapsed_ms: elapsed_ms as u64,
    }
}

fn ended(run: &RunEntry, command: Option<&str>, status: Option<&ExitStatus>, elapsed_ms: u128) -> What {
    What::CommandEnd {
        node: text(&run.node),
        host: text(&run.host),
        command: command.map(text),
        code: match status {
            Some(ExitStatus::Code(code)) => Some(*code),
            _ => None,
        },
        outcome: text(&status.map_or("not started".to_string(), ToString::to_string)),
        elapsed_ms: elapsed_ms as u64,
    }
}
