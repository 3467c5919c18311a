//! What hosts share within one daemon or program: the SSH connection pool.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::TaskTracker;

use super::password::TypedPasswords;
use super::ssh::{SshOptions, SshPool};
use super::{Host, local::LocalHost, ssh::SshHost};
use crate::node::{HostDef, HostKind};

/// Time for commands to end: that of a polite end, and a little more.
const ENDING: Duration = Duration::from_secs(6);

/// Makes hosts from definitions and owns their connections. One per daemon or program, no global.
#[derive(Debug)]
pub struct HostServices {
    ssh: Arc<SshPool>,
    /// Commands on this machine.
    local: TaskTracker,
    pub(crate) typed_passwords: TypedPasswords,
}

impl HostServices {
    /// Services with a pool of their own.
    pub fn new(ssh: SshOptions) -> Arc<HostServices> {
        let (ssh, local, typed_passwords) = (SshPool::new(ssh), TaskTracker::new(), TypedPasswords::default());
        Arc::new(HostServices { ssh, local, typed_passwords })
    }

    /// The host of a definition.
    pub fn host(&self, definition: &HostDef) -> Arc<dyn Host> {
        match definition.kind() {
            HostKind::Local => Arc::new(LocalHost::new(definition.clone()).among(self.local.clone())),
            HostKind::Ssh => Arc::new(SshHost::new(definition.clone(), self.ssh.clone())),
            HostKind::Custom(factory) => factory.host(definition),
        }
    }

    /// Waits until no command runs any more, at most 6 s: those that nobody wants any longer are ended politely in the
    /// background, and would go on for ever if the program ended first.
    pub async fn commands_end(&self) {
        let ending = async { tokio::join!(all_end(&self.local), all_end(self.ssh.commands())) };
        if tokio::time::timeout(ENDING, ending).await.is_err() {
            tracing::warn!("commands that were stopped may still run: they do not end");
        }
    }

    /// The connection pool, for `connections` and for stopping.
    pub fn ssh(&self) -> &Arc<SshPool> {
        &self.ssh
    }
}

async fn all_end(commands: &TaskTracker) {
    commands.close();
    commands.wait().await;
}
