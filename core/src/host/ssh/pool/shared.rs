//! What the pool and the tasks of its connections share: the table of destinations.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dialling::{Dial, Starter, Waiting, same};
use super::entry::Entry;
use super::lease::{Lease, Purpose};
use crate::host::Reach;
use crate::host::ssh::SshOptions;
use crate::host::ssh::auth::Memory;
use crate::host::ssh::config::Resolver;
use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::{Failure, FailureKind};
use crate::host::ssh::governor::Governor;
use crate::host::ssh::helper::Helpers;
use crate::host::ssh::hops::Journey;
use crate::host::ssh::progress;
use crate::host::ssh::sftp::Slots;
use crate::host::ssh::target::{Key, Target};

/// Connections to one destination. With the ten channels a stock sshd allows each, 160 commands at once.
const MAX_CONNECTIONS: usize = 16;

/// What the pool and the tasks of its connections share.
pub(in crate::host::ssh) struct Shared {
    pub(in crate::host::ssh) options: SshOptions,
    pub(in crate::host::ssh) governor: Governor,
    pub(in crate::host::ssh) resolver: Resolver,
    pub(in crate::host::ssh) helpers: Arc<Helpers>,
    pub(in crate::host::ssh) sftp: Slots,
    pub(super) commands: TaskTracker,
    ids: AtomicU64,
    // Plain data and short work; nothing awaits while it is locked, and no guard leaves this folder.
    destinations: Mutex<HashMap<Key, Destination>>,
}

/// How many connections in a row may end between login and first use. A server that ends every one would otherwise be
/// logged in to for ever.
const MAX_SHORT_LIVED: usize = 3;

/// Why a connection is over; `None`: it is not.
async fn why_over(made: &Weak<Connection>) -> Option<String> {
    match made.upgrade() {
        Some(connection) if connection.is_dead() => Some(connection.last_words().await),
        Some(_) => None,
        None => Some("the connection was lost".into()),
    }
}

/// What there is of one destination.
#[derive(Default)]
pub(super) struct Destination {
    pub(super) connections: Vec<Entry>,
    pub(super) dial: Option<Dial>,
    memory: Arc<Memory>,
    /// Told when a channel ends or a connection goes away.
    freed: Arc<Notify>,
}

/// What is to be done to get a lease.
enum Next {
    Lease(Lease),
    Wait(Waiting),
    Dial(Starter),
    Full(Arc<Notify>),
}

impl Shared {
    /// An empty table.
    pub(super) fn new(options: SshOptions) -> Shared {
        let resolver = Resolver::new(options.home.clone(), options.agent.clone());
        Shared {
            options,
            resolver,
            governor: Governor::default(),
            helpers: Arc::default(),
            sftp: Slots::default(),
            commands: TaskTracker::new(),
            ids: AtomicU64::new(0),
            destinations: Mutex::default(),
        }
    }

    /// The right to use a channel of a connection to `target`, dialled if need be, but of none of those to `avoid`.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(in crate::host::ssh) async fn lease(
        self: &Arc<Shared>,
        target: &Arc<Target>,
        journey: &Journey,
        reach: &Reach,
        avoid: &[u64],
    ) -> Result<Lease, Failure> {
        self.obtain(target, journey, reach, avoid, Purpose::Session).await
    }

    /// The right to go on to another host through a connection to `hop`, dialled if need be.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(in crate::host::ssh) async fn lease_hop(
        self: &Arc<Shared>,
        hop: &Arc<Target>,
        journey: &Journey,
        reach: &Reach,
    ) -> Result<Lease, Failure> {
        self.obtain(hop, journey, reach, &[], Purpose::Hop).await
    }

    async fn obtain(
        self: &Arc<Shared>,
        target: &Arc<Target>,
        journey: &Journey,
        reach: &Reach,
        avoid: &[u64],
        purpose: Purpose,
    ) -> Result<Lease, Failure> {
        let key = &target.key;
        let mut short_lived = 0;
        loop {
            let dial = match self.next(key, reach, avoid, purpose) {
                Next::Lease(lease) => {
                    self.used_for(key, lease.connection.id, journey.slug());
                    return Ok(lease);
                }
                Next::Full(freed) => {
                    self.wait_for_room(key, target, avoid, freed).await?;
                    continue;
                }
                Next::Wait(dial) => dial,
                Next::Dial(starter) => self.start(starter, target, journey, reach),
            };
            let same_person = dial.same_person;
            match dial.wait(target, journey, &*reach.asker).await {
                Ok(made) => {
                    if let Some(why) = why_over(&made).await {
                        short_lived += 1;
                        if short_lived == MAX_SHORT_LIVED {
                            return Err(Failure::new(format!("login: {why}, each time right after we were let in"))
                                .hint(
                                    "the server's log says why: an account that expired, a full disk, a missing home",
                                ));
                        }
                    }
                }
                // Whoever started it was asked and did not answer; somebody else may.
                Err(failure) if !same_person && matches!(failure.kind, FailureKind::Unanswered(_)) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    async fn wait_for_room(
        &self,
        key: &Key,
        target: &Target,
        avoid: &[u64],
        freed: Arc<Notify>,
    ) -> Result<(), Failure> {
        let waiting = freed.notified();
        tokio::pin!(waiting);
        waiting.as_mut().enable();
        if self.has_room(key, avoid) || tokio::time::timeout(target.timeout, waiting).await.is_ok() {
            return Ok(());
        }
        Err(Failure::new(format!("all {MAX_CONNECTIONS} connections to the server are busy"))
            .hint("raise MaxSessions in its sshd_config, or run fewer commands at once"))
    }

    fn next(self: &Arc<Shared>, key: &Key, reach: &Reach, avoid: &[u64], purpose: Purpose) -> Next {
        let mut destinations = self.lock();
        let destination = destinations.entry(key.clone()).or_default();
        destination.connections.retain(|entry| !entry.connection.is_dead());
        if let Some(entry) = destination.connections.iter_mut().find(|entry| entry.has_room(avoid, purpose)) {
            return Next::Lease(Lease::new(entry.take(purpose), key, purpose, self));
        }
        if let Some(dial) = destination.dial.as_mut() {
            dial.waiting += 1;
            let same_person = same(&dial.asker, &reach.asker);
            let (dial, done, steps) = (dial.id, dial.done.clone(), dial.steps.clone());
            return Next::Wait(Waiting { key: key.clone(), dial, done, steps, same_person, pool: self.clone() });
        }
        if destination.connections.len() >= MAX_CONNECTIONS {
            return Next::Full(destination.freed.clone());
        }
        let (report, done) = watch::channel(None);
        let (step, steps) = progress::steps();
        let (id, abandon) = (self.next_id(), CancellationToken::new());
        let asker = reach.asker.clone();
        destination.dial =
            Some(Dial { id, done: done.clone(), steps: steps.clone(), waiting: 1, abandon: abandon.clone(), asker });
        let waiting = Waiting { key: key.clone(), dial: id, done, steps, same_person: true, pool: self.clone() };
        Next::Dial(Starter { waiting, report, steps: step, abandon, memory: destination.memory.clone() })
    }

    /// Takes a connection that has ended out of the list.
    pub(in crate::host::ssh) fn forget(&self, key: &Key, id: u64) {
        let mut destinations = self.lock();
        if let Some(destination) = destinations.get_mut(key) {
            destination.connections.retain(|entry| entry.connection.id != id);
            destination.freed.notify_waiters();
        }
    }

    /// Takes a connection out of the list if nobody has used it for long. What people typed for the destination is
    /// forgotten with its last connection.
    pub(in crate::host::ssh) fn retire(&self, key: &Key, id: u64, now: Instant) -> bool {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return true };
        let retire = |entry: &mut Entry| entry.connection.id == id && entry.is_idle(now);
        let retired = destination.connections.extract_if(.., retire).count();
        drop(destinations);
        self.tidy(key);
        retired > 0
    }

    /// Forgets a destination that is not in use.
    pub(in crate::host::ssh) fn tidy(&self, key: &Key) {
        let mut destinations = self.lock();
        let unused = |destination: &Destination| destination.connections.is_empty() && destination.dial.is_none();
        if destinations.get(key).is_some_and(unused) {
            destinations.remove(key);
        }
    }

    fn used_for(&self, key: &Key, id: u64, slug: &str) {
        let mut destinations = self.lock();
        let entries = destinations.get_mut(key).map(|destination| &mut destination.connections);
        let Some(entry) = entries.and_then(|entries| entries.iter_mut().find(|entry| entry.connection.id == id)) else {
            return;
        };
        entry.used_for(slug);
    }

    fn has_room(&self, key: &Key, avoid: &[u64]) -> bool {
        let destinations = self.lock();
        destinations.get(key).is_none_or(|destination| {
            let alive = destination.connections.iter().filter(|entry| !entry.connection.is_dead()).count();
            alive < MAX_CONNECTIONS
                || destination.connections.iter().any(|entry| entry.has_room(avoid, Purpose::Session))
        })
    }

    pub(super) fn release(&self, key: &Key, id: u64, purpose: Purpose) {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return };
        if let Some(entry) = destination.connections.iter_mut().find(|entry| entry.connection.id == id) {
            entry.give_back(purpose);
        }
        destination.freed.notify_waiters();
    }

    /// What is known of every connection, for tests that wait for facts.
    #[cfg(test)]
    pub(in crate::host::ssh) fn vitals_for_tests(&self) -> Vec<Arc<crate::host::ssh::vitals::Vitals>> {
        let destinations = self.lock();
        let entries = destinations.values().flat_map(|destination| &destination.connections);
        entries.map(|entry| entry.connection.vitals.clone()).collect()
    }

    pub(super) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, HashMap<Key, Destination>> {
        self.destinations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
