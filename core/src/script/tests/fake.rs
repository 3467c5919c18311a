//! A host in memory: it says what it was given, after a few turns of the scheduler.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tokio::sync::mpsc;

use crate::host::{ExitStatus, Host, HostError, Process, ProcessControl, ProcessEvent, Reach, Spawn};
use crate::node::{HostDef, HostFactory};

/// Makes fake hosts and remembers the lines that they were given.
#[derive(Clone, Debug, Default)]
pub(super) struct Fake {
    pub(super) lines: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug)]
struct FakeHost {
    definition: HostDef,
    fake: Fake,
}

impl HostFactory for Fake {
    fn host(&self, definition: &HostDef) -> Arc<dyn Host> {
        Arc::new(FakeHost { definition: definition.clone(), fake: self.clone() })
    }
}

#[async_trait]
impl Host for FakeHost {
    fn definition(&self) -> &HostDef {
        &self.definition
    }

    async fn start_path(&self, _: &Reach) -> Result<String, HostError> {
        Ok("/home/fake".to_string())
    }

    /// `exit N` ends with N, `kill` by a signal, `hang` never; anything else prints the slug and the line.
    async fn spawn(&self, spawn: Spawn, _: &Reach) -> Result<Process, HostError> {
        let line = spawn.line.unwrap_or_default();
        self.fake.lines.lock().unwrap().push(format!("{}: {line}", self.definition.slug()));
        let (sender, events) = mpsc::channel(8);
        let (control, requests) = ProcessControl::channel();
        let slug = self.definition.slug().to_string();
        tokio::spawn(async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            let status = match line.split_once("exit ").and_then(|(_, code)| code.trim_end_matches(')').parse().ok()) {
                Some(code) => ExitStatus::Code(code),
                None if line.contains("kill") => ExitStatus::Signal("KILL".to_string()),
                None => ExitStatus::Code(0),
            };
            if line.contains("hang") {
                let mut requests = requests;
                while let Some(request) = requests.recv().await {
                    drop(request);
                }
                return;
            }
            drop(sender.send(ProcessEvent::Stdout(format!("{slug}: {line}\n").into())).await);
            drop(sender.send(ProcessEvent::Exit(status)).await);
        });
        Ok(Process { events, control })
    }
}
