//! Who gets the keys. The newest lease does; when it is dropped, the one before it does again.

mod lease;
mod waiting;

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

pub use lease::Keyboard;
use waiting::{Lease, State};

/// Typed bytes that may wait for a reader. A person types ahead a line or two; the bound is for floods.
const WAITING_MAX: usize = 64 * 1024;

/// The distributing end, owned by whoever reads the device.
///
/// A mutex around plain data: it is locked for a push or a pop and never across an await.
#[derive(Clone, Default)]
pub struct KeyboardHub {
    shared: Arc<Shared>,
    branch: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when bytes were taken: there is room for more.
    room: Notify,
    /// Told, under the lock, when the first lease is taken and when the last one is given back.
    wanted: Option<Box<dyn Fn(bool) + Send + Sync>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl KeyboardHub {
    /// A hub without readers; what is typed meanwhile waits for the first one.
    pub fn new() -> KeyboardHub {
        KeyboardHub::default()
    }

    /// The same; `wanted` is told when somebody begins to want keys, and when nobody does any more. It must not use the
    /// hub.
    pub(super) fn watched(wanted: impl Fn(bool) + Send + Sync + 'static) -> KeyboardHub {
        let shared = Shared { wanted: Some(Box::new(wanted)), ..Shared::default() };
        KeyboardHub { shared: Arc::new(shared), branch: 0 }
    }

    /// Hands typed bytes over. Waits while the reader is more than 64 KiB behind, so that a flood is held back
    /// at its source.
    pub async fn push(&self, bytes: Bytes) {
        self.push_if(bytes, || true).await;
    }

    /// The same; `may` is called at the moment from which on they can be read, before anybody can have read them. They
    /// are dropped when it says no. It must not use the hub.
    pub async fn push_if(&self, bytes: Bytes, may: impl FnOnce() -> bool) {
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.shared.lock();
                let has_room = state.waiting_bytes == 0 || state.waiting_bytes + bytes.len() <= WAITING_MAX;
                if state.closed || has_room {
                    if may() && !state.closed {
                        state.put_last(bytes);
                        state.call_reader();
                    }
                    return;
                }
            }
            room.await;
        }
    }

    /// Hands typed bytes over if there is room; false when the reader is too far behind, or nothing may be typed any
    /// more.
    pub fn offer(&self, bytes: Bytes) -> bool {
        let mut state = self.shared.lock();
        if state.closed || state.waiting_bytes + bytes.len() > WAITING_MAX {
            return false;
        }
        state.put_last(bytes);
        state.call_reader();
        true
    }

    /// Nothing will be typed any more: readers get what is waiting, then the end.
    pub fn close(&self) {
        let mut state = self.shared.lock();
        state.closed = true;
        state.call_reader();
        drop(state);
        self.shared.room.notify_waiters();
    }

    /// Whether everything typed was taken by a reader that has not given it back.
    pub fn is_idle(&self) -> bool {
        let state = self.shared.lock();
        state.waiting_bytes == 0 && state.ahead.is_empty()
    }

    /// Drops what was typed and not read.
    pub fn flush(&self) {
        let mut state = self.shared.lock();
        state.flush();
        state.call_reader();
        drop(state);
        self.shared.room.notify_waiters();
    }

    /// A keyboard of its own for somebody to whom keys of this one are passed on, by [`KeyboardHub::pass_on`] or
    /// otherwise: what waits there can be dropped from here.
    pub fn below(&self) -> KeyboardHub {
        let hub = KeyboardHub::new();
        let mut state = self.shared.lock();
        if state.below.len() == state.below.capacity() {
            state.below.retain(|below| below.strong_count() > 0);
        }
        state.below.push(Arc::downgrade(&hub.shared));
        hub
    }

    /// Drops what was typed and not read on the keyboards below this one, and what is on its way there.
    pub fn flush_below(&self) {
        let mut state = self.shared.lock();
        state.passing += 1;
        for below in state.below.iter().filter_map(Weak::upgrade) {
            KeyboardHub { shared: below, branch: 0 }.flush();
        }
    }

    /// Passes on what `keyboard` has read last, with `pass`, which puts it into keyboards below this one and uses no other
    /// hub. Not called when that was to be dropped meanwhile ([`KeyboardHub::flush_below`]).
    pub fn pass_on(&self, keyboard: &Keyboard, pass: impl FnOnce()) {
        let state = self.shared.lock();
        if state.passing == keyboard.passing {
            pass();
        }
    }

    /// The same keyboard for one of several who take turns: all leases taken here can be parked together.
    pub fn branch(&self) -> KeyboardHub {
        let mut state = self.shared.lock();
        state.branches += 1;
        KeyboardHub { shared: self.shared.clone(), branch: state.branches }
    }

    /// While parked, leases of this branch get no keys, however new they are.
    pub fn park(&self, parked: bool) {
        let mut state = self.shared.lock();
        match parked {
            true => state.parked.insert(self.branch),
            false => state.parked.remove(&self.branch),
        };
        state.call_reader();
    }

    /// Takes the keyboard until the lease is dropped.
    pub fn lease(&self) -> Keyboard {
        let mut state = self.shared.lock();
        state.next += 1;
        let id = state.next;
        let turn = Arc::new(Notify::new());
        state.leases.push(Lease { id, branch: self.branch, turn: turn.clone() });
        if let (1, Some(wanted)) = (state.leases.len(), &self.shared.wanted) {
            wanted(true);
        }
        Keyboard::new(self.shared.clone(), &state, id, turn)
    }
}

#[cfg(test)]
mod tests;
