//! What all connections and sessions of a daemon share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deployer_protocol::{DaemonInfo, ErrorKind};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Options;
use crate::connection::{ClientId, Refusal};
use crate::registry::Registry;
use crate::session::Program;
use crate::session::now_ms;
use crate::windows::Tickets;

/// Clients that have said hello, at once (features and figures: 500 on one session).
const CLIENTS_MAX: usize = 512;

/// One daemon.
pub(crate) struct Daemon {
    /// How it serves.
    pub(crate) options: Options,
    /// What runs in a session.
    pub(crate) program: Program,
    /// Its sessions.
    pub(crate) registry: Arc<Registry>,
    /// Tasks of sessions.
    pub(crate) tasks: TaskTracker,
    /// Room for clients that have said hello.
    pub(crate) clients: Arc<Semaphore>,
    /// Clients that are attached to a session.
    pub(crate) attached: watch::Sender<usize>,
    /// One turn at loading the tree to say what is in it.
    pub(crate) completing: Semaphore,
    /// Windows that are to come.
    pub(crate) tickets: Tickets,
    /// Connections must end: the daemon is about to.
    pub(crate) closing: CancellationToken,
    started_ms: u64,
    last_client: AtomicU64,
}

impl Daemon {
    /// A daemon without sessions.
    pub(crate) fn new(options: Options, program: Program) -> Arc<Daemon> {
        Arc::new(Daemon {
            options,
            program,
            registry: Arc::default(),
            tasks: TaskTracker::new(),
            clients: Arc::new(Semaphore::new(CLIENTS_MAX)),
            attached: watch::Sender::new(0),
            completing: Semaphore::new(1),
            tickets: Tickets::default(),
            closing: CancellationToken::new(),
            started_ms: now_ms(),
            last_client: AtomicU64::new(0),
        })
    }

    /// The answer to `list-sessions`, from summaries.
    pub(crate) fn info(&self) -> DaemonInfo {
        DaemonInfo {
            pid: std::process::id(),
            started_ms: self.started_ms,
            tree: self.options.tree.origin(),
            private: self.options.private,
            sessions: self.registry.infos(),
        }
    }

    /// Changes whenever a session begins or ends an action, or ends.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.registry.changes()
    }

    /// The number of a connection that was accepted now.
    pub(crate) fn next_client(&self) -> ClientId {
        ClientId(self.last_client.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Room for one more client that has been let in, for as long as the permit lives.
    pub(crate) fn place_for_a_client(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        self.clients.clone().try_acquire_owned().map_err(|_| {
            let sentence = format!("{CLIENTS_MAX} clients are connected to this daemon: end some first");
            Refusal(ErrorKind::Unavailable, sentence)
        })
    }

    /// Counts an attached client for as long as the guard lives.
    pub(crate) fn count_attached(self: &Arc<Daemon>) -> AttachedGuard {
        self.attached.send_modify(|count| *count += 1);
        AttachedGuard(self.clone())
    }
}

/// One attached client.
pub(crate) struct AttachedGuard(Arc<Daemon>);

impl Drop for AttachedGuard {
    fn drop(&mut self) {
        self.0.attached.send_modify(|count| *count -= 1);
    }
}
