//! The machine deployer itself runs on (row F-58).

use async_trait::async_trait;

use super::{Host, HostError, Process, Reach, Spawn};
use crate::node::HostDef;

/// Runs commands with `/bin/sh` here, in a PTY of their own or with pipes.
#[derive(Debug)]
pub struct LocalHost {
    definition: HostDef,
}

impl LocalHost {
    /// The local host with this definition.
    pub fn new(definition: HostDef) -> LocalHost {
        LocalHost { definition }
    }
}

#[async_trait]
impl Host for LocalHost {
    fn definition(&self) -> &HostDef {
        &self.definition
    }

    async fn start_path(&self, _reach: &Reach) -> Result<String, HostError> {
        todo!("host helper")
    }

    async fn spawn(&self, _spawn: Spawn, _reach: &Reach) -> Result<Process, HostError> {
        todo!("host helper")
    }
}
