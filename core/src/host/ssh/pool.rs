//! All connections of one daemon or program: who shares which, who dials, when they end.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::SshOptions;
use super::auth::Memory;
use super::connection::{Connection, IDLE, keep};
use super::dial::dial;
use super::failure::{Failure, FailureKind};
use super::governor::Governor;
use super::questions::Questions;
use super::target::{Key, Target};
use crate::host::{Asker, NobodyToAsk, Reach};

/// Connections to one destination. With the ten channels a stock sshd allows each, 160 commands at once.
const MAX_CONNECTIONS: usize = 16;

/// All SSH connections of one daemon or program (rows F-66, W-56).
///
/// Hosts with the same destination, user, identity and trust share connections; whoever comes first dials, the others
/// wait for the result. Further connections are opened when the server allows no more channels on one.
pub struct SshPool {
    pub(super) shared: Arc<Shared>,
}

/// What the pool and the tasks of its connections share.
pub(super) struct Shared {
    pub(super) options: SshOptions,
    governor: Governor,
    ids: AtomicU64,
    // Plain data and short work; nothing awaits while it is locked, and no guard leaves this file.
    destinations: Mutex<HashMap<Key, Destination>>,
}

#[derive(Default)]
struct Destination {
    connections: Vec<Entry>,
    dial: Option<Dial>,
    memory: Arc<Memory>,
    /// Told when a channel ends or a connection goes away.
    freed: Arc<Notify>,
}

struct Entry {
    connection: Arc<Connection>,
    leases: usize,
    idle_since: Option<Instant>,
}

/// A connection in the making. It belongs to the pool: whoever asked for it first may go away, others may still wait.
struct Dial {
    id: u64,
    done: watch::Receiver<Option<Result<(), Failure>>>,
    waiting: usize,
    abandon: CancellationToken,
    /// Who is asked.
    asker: Arc<dyn Asker>,
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
    /// How long nobody has used it; `None` while somebody does.
    pub idle: Option<Duration>,
}

/// The right to use one channel of a connection. Given back when dropped.
pub(super) struct Lease {
    pub(super) connection: Arc<Connection>,
    key: Key,
    pool: Weak<Shared>,
}

/// The way to another lease for the same host, for whoever needs one later. Cheap to clone.
#[derive(Clone)]
pub(super) struct Spare {
    pool: Weak<Shared>,
    target: Arc<Target>,
    slug: Arc<str>,
}

impl Spare {
    pub(super) fn new(pool: &Arc<Shared>, target: &Arc<Target>, slug: &str) -> Spare {
        Spare { pool: Arc::downgrade(pool), target: target.clone(), slug: slug.into() }
    }

    /// A lease of none of the connections to avoid; nobody is asked anything.
    pub(super) async fn lease(&self, avoid: &[u64]) -> Result<Lease, Failure> {
        let Some(pool) = self.pool.upgrade() else { return Err(Failure::new("the pool is gone")) };
        let reach = Reach { asker: Arc::new(NobodyToAsk), cancel: CancellationToken::new() };
        pool.lease(&self.target, &self.slug, &reach, avoid).await
    }
}

impl SshPool {
    /// An empty pool.
    pub fn new(options: SshOptions) -> Arc<SshPool> {
        let shared =
            Shared { options, governor: Governor::default(), ids: AtomicU64::new(0), destinations: Mutex::default() };
        Arc::new(SshPool { shared: Arc::new(shared) })
    }

    /// What is connected now, in order of destination.
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        let destinations = self.shared.lock();
        let entries = destinations.values().flat_map(|destination| &destination.connections);
        let alive = entries.filter(|entry| !entry.connection.is_dead());
        let mut infos: Vec<_> = alive.map(Entry::info).collect();
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

/// What is to be done to get a lease.
enum Next {
    Lease(Lease),
    Wait(Waiting),
    Dial(Starter),
    Full(Arc<Notify>),
}

/// A place among those who wait for a dial. When the last one leaves, the dial is given up.
struct Waiting {
    key: Key,
    dial: u64,
    done: watch::Receiver<Option<Result<(), Failure>>>,
    /// Whether the one who is asked is the one who waits here.
    same_person: bool,
    pool: Arc<Shared>,
}

/// What the first to wait needs to start a dial.
struct Starter {
    waiting: Waiting,
    report: watch::Sender<Option<Result<(), Failure>>>,
    abandon: CancellationToken,
    memory: Arc<Memory>,
}

impl Waiting {
    async fn wait(mut self) -> Result<(), Failure> {
        match self.done.wait_for(Option::is_some).await {
            Ok(done) => done.clone().unwrap_or(Ok(())),
            Err(_) => Err(Failure::new("the attempt to connect was given up")),
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut destinations = self.pool.lock();
        let Some(destination) = destinations.get_mut(&self.key) else { return };
        let Some(dial) = destination.dial.as_mut().filter(|dial| dial.id == self.dial) else { return };
        dial.waiting -= 1;
        if dial.waiting == 0 {
            dial.abandon.cancel();
            destination.dial = None;
        }
    }
}

impl Shared {
    /// The right to use a channel of a connection to `target`, dialled if need be, but of none of those to `avoid`.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn lease(
        self: &Arc<Shared>,
        target: &Arc<Target>,
        slug: &str,
        reach: &Reach,
        avoid: &[u64],
    ) -> Result<Lease, Failure> {
        let key = target.key();
        loop {
            let dial = match self.next(&key, reach, avoid) {
                Next::Lease(lease) => return Ok(lease),
                Next::Full(freed) => {
                    self.wait_for_room(&key, target, avoid, freed).await?;
                    continue;
                }
                Next::Wait(dial) => dial,
                Next::Dial(starter) => self.start(starter, target, slug, reach),
            };
            let same_person = dial.same_person;
            match dial.wait().await {
                Ok(()) => {}
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

    fn next(self: &Arc<Shared>, key: &Key, reach: &Reach, avoid: &[u64]) -> Next {
        let mut destinations = self.lock();
        let destination = destinations.entry(key.clone()).or_default();
        destination.connections.retain(|entry| !entry.connection.is_dead());
        if let Some(entry) = destination.connections.iter_mut().find(|entry| entry.has_room(avoid)) {
            entry.leases += 1;
            entry.idle_since = None;
            let connection = entry.connection.clone();
            return Next::Lease(Lease { connection, key: key.clone(), pool: Arc::downgrade(self) });
        }
        if let Some(dial) = destination.dial.as_mut() {
            dial.waiting += 1;
            let same_person = same(&dial.asker, &reach.asker);
            let (dial, done) = (dial.id, dial.done.clone());
            return Next::Wait(Waiting { key: key.clone(), dial, done, same_person, pool: self.clone() });
        }
        if destination.connections.len() >= MAX_CONNECTIONS {
            return Next::Full(destination.freed.clone());
        }
        let (report, done) = watch::channel(None);
        let (id, abandon) = (self.next_id(), CancellationToken::new());
        let asker = reach.asker.clone();
        destination.dial = Some(Dial { id, done: done.clone(), waiting: 1, abandon: abandon.clone(), asker });
        let waiting = Waiting { key: key.clone(), dial: id, done, same_person: true, pool: self.clone() };
        Next::Dial(Starter { waiting, report, abandon, memory: destination.memory.clone() })
    }

    /// Dials in a task of its own.
    fn start(self: &Arc<Shared>, starter: Starter, target: &Arc<Target>, slug: &str, reach: &Reach) -> Waiting {
        let Starter { waiting, report, abandon, memory } = starter;
        let (key, id) = (waiting.key.clone(), waiting.dial);
        let (target, pool) = (target.clone(), self.clone());
        let questions = Questions::new(reach.asker.clone(), slug, reach.cancel.clone());
        tokio::spawn(async move {
            let dialled = tokio::select! {
                dialled = dial(&target, &questions, &pool.governor, &memory) => dialled,
                () = abandon.cancelled() => return,
            };
            let connected = dialled.map(|link| Connection::new(pool.next_id(), link, &target));
            pool.dialled(&key, id, connected, report);
        });
        waiting
    }

    /// Puts a new connection up for use and tells those who wait.
    fn dialled(
        self: &Arc<Shared>,
        key: &Key,
        dial: u64,
        connected: Result<Connection, Failure>,
        report: watch::Sender<Option<Result<(), Failure>>>,
    ) {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return };
        if destination.dial.as_ref().is_none_or(|current| current.id != dial) {
            // Given up, or everything was closed meanwhile; dropping the connection ends it.
            return;
        }
        destination.dial = None;
        let outcome = connected.map(|connection| {
            let connection = Arc::new(connection);
            tokio::spawn(keep(Arc::downgrade(&connection), key.clone(), Arc::downgrade(self)));
            destination.connections.push(Entry { connection, leases: 0, idle_since: Some(Instant::now()) });
        });
        if destination.connections.is_empty() {
            destinations.remove(key);
        }
        report.send_replace(Some(outcome));
    }

    /// Takes a connection that has ended out of the list.
    pub(super) fn forget(&self, key: &Key, id: u64) {
        let mut destinations = self.lock();
        if let Some(destination) = destinations.get_mut(key) {
            destination.connections.retain(|entry| entry.connection.id != id);
            destination.freed.notify_waiters();
        }
    }

    /// Takes a connection out of the list if nobody has used it for long. What people typed for the destination is
    /// forgotten with its last connection.
    pub(super) fn retire(&self, key: &Key, id: u64, now: Instant) -> bool {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return true };
        let idle = |entry: &Entry| entry.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= IDLE);
        let retired = destination.connections.extract_if(.., |entry| entry.connection.id == id && idle(entry)).count();
        drop(destinations);
        self.tidy(key);
        retired > 0
    }

    /// Forgets a destination that is not in use.
    pub(super) fn tidy(&self, key: &Key) {
        let mut destinations = self.lock();
        let unused = |destination: &Destination| destination.connections.is_empty() && destination.dial.is_none();
        if destinations.get(key).is_some_and(unused) {
            destinations.remove(key);
        }
    }

    fn has_room(&self, key: &Key, avoid: &[u64]) -> bool {
        let destinations = self.lock();
        destinations.get(key).is_none_or(|destination| {
            let alive = destination.connections.iter().filter(|entry| !entry.connection.is_dead()).count();
            alive < MAX_CONNECTIONS || destination.connections.iter().any(|entry| entry.has_room(avoid))
        })
    }

    fn release(&self, key: &Key, id: u64) {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return };
        if let Some(entry) = destination.connections.iter_mut().find(|entry| entry.connection.id == id) {
            entry.leases = entry.leases.saturating_sub(1);
            if entry.leases == 0 {
                entry.idle_since = Some(Instant::now());
            }
        }
        destination.freed.notify_waiters();
    }

    /// What is known of every connection, for tests that wait for facts.
    #[cfg(test)]
    pub(super) fn vitals_for_tests(&self) -> Vec<Arc<super::vitals::Vitals>> {
        let destinations = self.lock();
        let entries = destinations.values().flat_map(|destination| &destination.connections);
        entries.map(|entry| entry.connection.vitals.clone()).collect()
    }

    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Destination>> {
        self.destinations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Whether a command may go there: the server allows another channel, and no slow reader holds it up.
    fn has_room(&self, avoid: &[u64]) -> bool {
        let vitals = &self.connection.vitals;
        !avoid.contains(&self.connection.id)
            && self.leases < vitals.limit()
            && !vitals.stalled()
            && !self.connection.is_dead()
    }

    fn info(&self) -> ConnectionInfo {
        ConnectionInfo {
            address: self.connection.address.clone(),
            port: self.connection.port,
            user: self.connection.user.clone(),
            channels: self.leases,
            idle: self.idle_since.map(|since| since.elapsed()),
        }
    }
}

/// Whether two askers are the same person.
fn same(one: &Arc<dyn Asker>, other: &Arc<dyn Asker>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(pool) = self.pool.upgrade() {
            pool.release(&self.key, self.connection.id);
        }
    }
}
