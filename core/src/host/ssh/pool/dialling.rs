//! One dial for everybody who waits for the same destination.

use std::sync::{Arc, Weak};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::entry::Entry;
use super::shared::Shared;
use crate::host::ssh::auth::Memory;
use crate::host::ssh::connection::{Connection, keep};
use crate::host::ssh::dial::Dialler;
use crate::host::ssh::failure::Failure;
use crate::host::ssh::hops::Journey;
use crate::host::ssh::progress::{Narrator, Step, Steps};
use crate::host::ssh::target::{Key, Target};
use crate::host::{Asker, Reach};

/// What became of a dial: the connection, for as long as anybody keeps it, or why there is none.
type Report = Option<Result<Weak<Connection>, Failure>>;

/// A connection in the making. It belongs to the pool: whoever asked for it first may go away, others may still wait.
pub(super) struct Dial {
    pub(super) id: u64,
    pub(super) done: watch::Receiver<Report>,
    /// How far it has come.
    pub(super) steps: watch::Receiver<Step>,
    pub(super) waiting: usize,
    pub(super) abandon: CancellationToken,
    /// Who is asked.
    pub(super) asker: Arc<dyn Asker>,
}

/// A place among those who wait for a dial. When the last one leaves, the dial is given up.
pub(super) struct Waiting {
    pub(super) key: Key,
    pub(super) dial: u64,
    pub(super) done: watch::Receiver<Report>,
    pub(super) steps: watch::Receiver<Step>,
    /// Whether the one who is asked is the one who waits here.
    pub(super) same_person: bool,
    pub(super) pool: Arc<Shared>,
}

/// What the first to wait needs to start a dial.
pub(super) struct Starter {
    pub(super) waiting: Waiting,
    pub(super) report: watch::Sender<Report>,
    pub(super) steps: Steps,
    pub(super) abandon: CancellationToken,
    pub(super) memory: Arc<Memory>,
}

impl Waiting {
    /// Waits for the end of the dial; a slow one tells the person who waits what it is doing.
    pub(super) async fn wait(
        mut self,
        target: &Target,
        journey: &Journey,
        asker: &dyn Asker,
    ) -> Result<Weak<Connection>, Failure> {
        let narrator = Narrator { asker, label: journey.label(target), target, own: self.same_person };
        let telling = narrator.tell(self.steps.clone());
        let given_up = Failure::new("the attempt to connect was given up");
        tokio::select! {
            done = self.done.wait_for(Option::is_some) => match done {
                Ok(done) => done.clone().unwrap_or(Err(given_up)),
                Err(_) => Err(given_up),
            },
            never = telling => match never {},
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
            if destination.connections.is_empty() {
                destinations.remove(&self.key);
            }
        }
    }
}

impl Shared {
    /// Dials in a task of its own.
    pub(super) fn start(
        self: &Arc<Shared>,
        starter: Starter,
        target: &Arc<Target>,
        journey: &Journey,
        reach: &Reach,
    ) -> Waiting {
        let Starter { waiting, report, steps, abandon, memory } = starter;
        let (key, id) = (waiting.key.clone(), waiting.dial);
        let (target, pool) = (target.clone(), self.clone());
        let (journey, reach) = (journey.clone(), reach.clone());
        tokio::spawn(async move {
            let dialler = Dialler {
                target: &target,
                journey: &journey,
                reach: &reach,
                pool: &pool,
                memory: &memory,
                steps: &steps,
            };
            let dialled = tokio::select! {
                dialled = dialler.dial() => dialled,
                () = abandon.cancelled() => return,
            };
            match &dialled {
                Ok(_) => tracing::debug!(%target, "connected"),
                Err(_) => tracing::debug!(%target, "could not be connected"),
            }
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
        report: watch::Sender<Report>,
    ) {
        let mut destinations = self.lock();
        let Some(destination) = destinations.get_mut(key) else { return };
        if destination.dial.as_ref().is_none_or(|current| current.id != dial) {
            // Given up, or everything was closed meanwhile; dropping the connection ends it.
            return;
        }
        destination.dial = None;
        let outcome = connected.map(|connection| {
            let entry = Entry::new(connection);
            tokio::spawn(keep(Arc::downgrade(&entry.connection), key.clone(), Arc::downgrade(self)));
            let connection = Arc::downgrade(&entry.connection);
            destination.connections.push(entry);
            connection
        });
        if destination.connections.is_empty() {
            destinations.remove(key);
        }
        report.send_replace(Some(outcome));
    }
}

/// Whether two askers are the same person.
pub(super) fn same(one: &Arc<dyn Asker>, other: &Arc<dyn Asker>) -> bool {
    std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}
