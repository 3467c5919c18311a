//! The right to use a connection.

use std::sync::{Arc, Weak};

use tokio_util::sync::CancellationToken;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::shared::Shared;
use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::Failure;
use crate::host::ssh::hops::Journey;
use crate::host::ssh::target::{Key, Target};
use crate::host::{NobodyToAsk, Reach};

/// The right to use one channel of a connection. Given back when dropped.
pub(in crate::host::ssh) struct Lease {
    pub(in crate::host::ssh) connection: Arc<Connection>,
    key: Key,
    purpose: Purpose,
    pool: Weak<Shared>,
}

/// What a channel is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A command, a file transfer: a session, of which servers allow so many (MaxSessions).
    Session,
    /// A way on to another host, of which there may be any number.
    Hop,
}

impl Lease {
    pub(super) fn new(connection: Arc<Connection>, key: &Key, purpose: Purpose, pool: &Arc<Shared>) -> Lease {
        Lease { connection, key: key.clone(), purpose, pool: Arc::downgrade(pool) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(&self.key, self.connection.id, self.purpose);
        }
    }
}

/// The way to another lease for the same host, for whoever needs one later. Cheap to clone.
#[derive(Clone)]
pub(in crate::host::ssh) struct Spare {
    pool: Weak<Shared>,
    target: Arc<Target>,
    journey: Journey,
}

impl Spare {
    pub(in crate::host::ssh) fn new(pool: &Arc<Shared>, target: &Arc<Target>, journey: &Journey) -> Spare {
        Spare { pool: Arc::downgrade(pool), target: target.clone(), journey: journey.clone() }
    }

    /// A command that counts among the pool's until this is dropped; `None`: the pool is gone.
    pub(in crate::host::ssh) fn command(&self) -> Option<TaskTrackerToken> {
        self.pool.upgrade().map(|pool| pool.commands.token())
    }

    /// A lease of none of the connections to avoid; nobody is asked anything.
    pub(in crate::host::ssh) async fn lease(&self, avoid: &[u64]) -> Result<Lease, Failure> {
        let Some(pool) = self.pool.upgrade() else { return Err(Failure::new("the pool is gone")) };
        let reach = Reach { asker: Arc::new(NobodyToAsk), cancel: CancellationToken::new() };
        pool.lease(&self.target, &self.journey, &reach, avoid).await
    }
}
