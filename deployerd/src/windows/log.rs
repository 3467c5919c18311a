//! The indented log of a session, kept for the windows that show it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use deployer_core::logger::{IndentedLine, LineSink};
use tokio::sync::broadcast;

/// Lines kept for whoever looks later.
const KEPT: usize = 500;

/// Lines that may wait for one window; a slower one is told how many it missed.
const WAITING: usize = 1024;

/// The log of one session. The lock is never held across an await.
#[derive(Default)]
pub(crate) struct SessionLog(Mutex<State>);

#[derive(Default)]
struct State {
    kept: VecDeque<Arc<IndentedLine>>,
    /// To those who look, while somebody does: an idle session must not pay for the queue.
    lines: Option<broadcast::Sender<Arc<IndentedLine>>>,
}

/// What was logged before, and what is from now on.
pub(crate) struct Subscription {
    pub(super) before: Vec<Arc<IndentedLine>>,
    pub(super) lines: broadcast::Receiver<Arc<IndentedLine>>,
}

impl SessionLog {
    /// An empty log.
    pub(crate) fn new() -> Arc<SessionLog> {
        Arc::default()
    }

    /// Follows it.
    pub(crate) fn subscribe(&self) -> Subscription {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that no line is shown twice or not at all.
        let lines = state.lines.get_or_insert_with(|| broadcast::Sender::new(WAITING)).subscribe();
        Subscription { before: state.kept.iter().cloned().collect(), lines }
    }
}

impl LineSink for SessionLog {
    fn line(&self, line: IndentedLine) {
        let line = Arc::new(line);
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.kept.len() == KEPT {
            state.kept.pop_front();
        }
        state.kept.push_back(line.clone());
        if state.lines.as_ref().is_some_and(|lines| lines.send(line).is_err()) {
            state.lines = None;
        }
    }
}
