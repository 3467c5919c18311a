//! What hosts share within one daemon or program: the SSH connection pool.

use std::sync::Arc;

use super::password::TypedPasswords;
use super::ssh::{SshOptions, SshPool};
use super::{Host, local::LocalHost, ssh::SshHost};
use crate::node::{HostDef, HostKind};

/// Makes hosts from definitions and owns their connections. One per daemon or program, no global.
#[derive(Debug)]
pub struct HostServices {
    ssh: Arc<SshPool>,
    pub(crate) typed_passwords: TypedPasswords,
}

impl HostServices {
    /// Services with a pool of their own.
    pub fn new(ssh: SshOptions) -> Arc<HostServices> {
        Arc::new(HostServices { ssh: SshPool::new(ssh), typed_passwords: TypedPasswords::default() })
    }

    /// The host of a definition.
    pub fn host(&self, definition: &HostDef) -> Arc<dyn Host> {
        match definition.kind() {
            HostKind::Local => Arc::new(LocalHost::new(definition.clone())),
            HostKind::Ssh => Arc::new(SshHost::new(definition.clone(), self.ssh.clone())),
            HostKind::Custom(factory) => factory.host(definition),
        }
    }

    /// The connection pool, for `connections` and for stopping.
    pub fn ssh(&self) -> &Arc<SshPool> {
        &self.ssh
    }
}
