//! What `list-sessions` shows of a session: plain data that the session updates, so that answering asks nobody
//! (row Q-26, W-38).

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use deployer_core::shell::StatusSink;
use deployer_protocol::{SessionInfo, SessionState};
use tokio::sync::watch;

/// A mutex around plain data: locked to copy or to set a field, never across an await.
pub(crate) struct Summary {
    info: Mutex<SessionInfo>,
    changed: OnceLock<Arc<watch::Sender<u64>>>,
}

impl Summary {
    /// A session that begins now.
    pub(crate) fn new(name: String, owner: String) -> Summary {
        let info = SessionInfo {
            name,
            owner,
            created_ms: now_ms(),
            clients: Vec::new(),
            node: String::new(),
            state: SessionState::Idle,
        };
        Summary { info: Mutex::new(info), changed: OnceLock::new() }
    }

    fn lock(&self) -> MutexGuard<'_, SessionInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to tell when the session begins or ends an action.
    pub(crate) fn tell(&self, changed: Arc<watch::Sender<u64>>) {
        let _told_already = self.changed.set(changed);
    }

    /// As it is now.
    pub(crate) fn info(&self) -> SessionInfo {
        self.lock().clone()
    }

    /// Whose it is.
    pub(crate) fn set_owner(&self, owner: String) {
        self.lock().owner = owner;
    }

    /// Who is attached.
    pub(crate) fn set_clients(&self, clients: Vec<String>) {
        self.lock().clients = clients;
    }
}

impl StatusSink for Summary {
    fn at(&self, node: &str) {
        self.lock().node = node.to_string();
    }

    fn running(&self, actions: &[String]) {
        let mut info = self.lock();
        let since_ms = match info.state {
            SessionState::Running { since_ms, .. } => since_ms,
            SessionState::Idle => now_ms(),
        };
        info.state = match actions {
            [] => SessionState::Idle,
            actions => SessionState::Running { action: actions.join(", "), since_ms },
        };
        drop(info);
        if let Some(changed) = self.changed.get() {
            changed.send_modify(|count| *count += 1);
        }
    }
}

/// Milliseconds since 1970 UTC; 0 when the clock is before that.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
