//! Hosts reached over SSH: one pool of connections, authentication, host keys (design 6).

use std::sync::Arc;

use async_trait::async_trait;

use super::{Host, HostError, Process, Reach, Spawn};
use crate::node::HostDef;

/// Settings of a pool that are not a host's own.
#[derive(Clone, Debug, Default)]
pub struct SshOptions {
    /// Socket of the agent; `None`: no agent. Never another operator's (design 6).
    pub agent: Option<std::path::PathBuf>,
    /// Home directory of the user, for `~/.ssh`; `None`: looked up.
    pub home: Option<std::path::PathBuf>,
}

/// All SSH connections of one daemon or program.
#[derive(Debug)]
pub struct SshPool {
    _options: SshOptions,
}

impl SshPool {
    /// An empty pool.
    pub fn new(options: SshOptions) -> Arc<SshPool> {
        Arc::new(SshPool { _options: options })
    }
}

/// One host reached over SSH.
#[derive(Debug)]
pub struct SshHost {
    definition: HostDef,
    _pool: Arc<SshPool>,
}

impl SshHost {
    /// The host of a definition; nothing is dialled before it is used.
    pub fn new(definition: HostDef, pool: Arc<SshPool>) -> SshHost {
        SshHost { definition, _pool: pool }
    }
}

#[async_trait]
impl Host for SshHost {
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
