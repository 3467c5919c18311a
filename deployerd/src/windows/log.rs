//! The indented log of a session, kept for the windows that show it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use deployer_core::logger::{IndentedLine, LineSink};
use tokio::sync::broadcast;

/// Lines kept for whoever looks later.
const KEPT: usize = 500;

/// Lines that may wait for one window; a slower one is told how many it missed.
const WAITING: usize = 1024;

/// The log of one session. A mutex around plain data, never held across an await.
pub(crate) struct SessionLog {
    kept: Mutex<VecDeque<Arc<IndentedLine>>>,
    lines: broadcast::Sender<Arc<IndentedLine>>,
}

/// What was logged before, and what is from now on.
pub(crate) struct Subscription {
    pub(super) before: Vec<Arc<IndentedLine>>,
    pub(super) lines: broadcast::Receiver<Arc<IndentedLine>>,
}

impl SessionLog {
    /// An empty log.
    pub(crate) fn new() -> Arc<SessionLog> {
        Arc::new(SessionLog { kept: Mutex::default(), lines: broadcast::Sender::new(WAITING) })
    }

    /// Follows it.
    pub(crate) fn subscribe(&self) -> Subscription {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that no line is shown twice or not at all.
        Subscription { before: kept.iter().cloned().collect(), lines: self.lines.subscribe() }
    }
}

impl LineSink for SessionLog {
    fn line(&self, line: IndentedLine) {
        let line = Arc::new(line);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(line.clone());
        // Nobody may be looking.
        let _nobody_looks = self.lines.send(line);
    }
}
