//! All connections of one daemon or program: who shares which, who dials, when they end.

mod dialling;
mod entry;
mod lease;
mod shared;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use super::SshOptions;

pub(super) use lease::{Lease, Spare};
pub(super) use shared::Shared;

/// All SSH connections of one daemon or program (rows F-66, W-56).
///
/// Hosts with the same destination, user, identity and trust share connections; whoever comes first dials, the others
/// wait for the result. Further connections are opened when the server allows no more channels on one.
pub struct SshPool {
    pub(super) shared: Arc<Shared>,
}

/// One connection as [`SshPool::connections`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// Name or address that was dialled.
    pub address: String,
    /// Port that was dialled.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// Commands that use it now.
    pub channels: usize,
    /// Connections to other hosts that go through it now.
    pub hops: usize,
    /// What it goes through itself, nearest first: `bastion, inner`; `None`: nothing.
    pub via: Option<String>,
    /// Slugs of the hosts it was last used for, the latest first; at most eight.
    pub hosts: Vec<String>,
    /// How long nobody has used it; `None` while somebody does.
    pub idle: Option<Duration>,
    /// The server's version, as it says: `OpenSSH_9.2p1 Debian-2`.
    pub server: String,
    /// Key exchange, kind of host key and cipher that were agreed on.
    pub algorithms: String,
}

impl SshPool {
    /// An empty pool.
    pub fn new(options: SshOptions) -> Arc<SshPool> {
        Arc::new(SshPool { shared: Arc::new(Shared::new(options)) })
    }

    /// The commands that run, those included that nobody wants any more and that are being ended.
    pub(in crate::host) fn commands(&self) -> &TaskTracker {
        &self.shared.commands
    }

    /// What is connected now, in order of destination.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        let destinations = self.shared.lock();
        let entries = destinations.values().flat_map(|destination| &destination.connections);
        let alive = entries.filter(|entry| !entry.connection.is_dead());
        let mut infos: Vec<_> = alive.map(|entry| entry.info()).collect();
        infos.sort_by(|a, b| (&a.address, a.port, &a.user).cmp(&(&b.address, b.port, &b.user)));
        infos
    }

    /// Closes everything, all at once; servers that do not answer are cut off after two seconds. Commands that still run
    /// end with an unknown outcome.
    pub async fn close_all(&self) {
        let destinations = std::mem::take(&mut *self.shared.lock());
        let mut closing = JoinSet::new();
        for destination in destinations.into_values() {
            if let Some(dial) = destination.dial {
                dial.abandon.cancel();
            }
            for entry in destination.connections {
                closing.spawn(async move { entry.connection.close("the connection was closed here").await });
            }
        }
        closing.join_all().await;
    }
}

impl fmt::Debug for SshPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SshPool").field("connections", &self.connections().len()).finish_non_exhaustive()
    }
}
