//! The right to use a connection.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;

use super::shared::Shared;
use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::Failure;
use crate::host::ssh::target::{Key, Target};
use crate::host::{NobodyToAsk, Reach};

/// The right to use one channel of a connection. Given back when dropped.
pub(in crate::host::ssh) struct Lease {
    pub(in crate::host::ssh) connection: Arc<Connection>,
    key: Key,
    pool: Weak<Shared>,
}

impl Lease {
    pub(super) fn new(connection: Arc<Connection>, key: &Key, pool: &Arc<Shared>) -> Lease {
        Lease { connection, key: key.clone(), pool: Arc::downgrade(pool) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(&self.key, self.connection.id);
        }
    }
}

/// The way to another lease for the same host, for whoever needs one later. Cheap to clone.
#[derive(Clone)]
pub(in crate::host::ssh) struct Spare {
    pool: Weak<Shared>,
    target: Arc<Target>,
    slug: Arc<str>,
}

impl Spare {
    pub(in crate::host::ssh) fn new(pool: &Arc<Shared>, target: &Arc<Target>, slug: &str) -> Spare {
        Spare { pool: Arc::downgrade(pool), target: target.clone(), slug: slug.into() }
    }

    /// A lease of none of the connections to avoid; nobody is asked anything.
    pub(in crate::host::ssh) async fn lease(&self, avoid: &[u64]) -> Result<Lease, Failure> {
        let Some(pool) = self.pool.upgrade() else { return Err(Failure::new("the pool is gone")) };
        let reach = Reach { asker: Arc::new(NobodyToAsk), cancel: CancellationToken::new() };
        pool.lease(&self.target, &self.slug, &reach, avoid).await
    }
}
