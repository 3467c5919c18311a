//! What runs now, told to the session's status in the order in which it began.

use std::sync::{Arc, Mutex, PoisonError};

use crate::shell::StatusSink;

/// A mutex around plain data, never held across an await.
pub(in crate::shell) struct Running {
    status: Arc<dyn StatusSink>,
    now: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u64,
    actions: Vec<(u64, String)>,
}

/// One of them; it has ended when this is dropped.
pub(in crate::shell) struct Runs {
    running: Arc<Running>,
    id: u64,
}

impl Running {
    pub(in crate::shell) fn new(status: Arc<dyn StatusSink>) -> Arc<Running> {
        Arc::new(Running { status, now: Mutex::default() })
    }

    /// An action begins.
    pub(in crate::shell) fn begin(self: &Arc<Self>, action: String) -> Runs {
        let mut id = 0;
        self.change(|state| {
            state.next += 1;
            id = state.next;
            state.actions.push((id, action));
        });
        Runs { running: self.clone(), id }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let actions: Vec<String> = state.actions.iter().map(|(_, action)| action.clone()).collect();
        // Told under the lock, so that what is told last is what is true last.
        self.status.running(&actions);
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        self.running.change(|state| state.actions.retain(|(id, _)| *id != self.id));
    }
}
