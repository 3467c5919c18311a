//! Who gets the keys. The newest lease does; when it is dropped, the one before it does again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::Notify;

use super::INTERRUPT;

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

#[derive(Default)]
struct State {
    leases: Vec<Lease>,
    next: u64,
    branches: u64,
    /// Branches whose leases get no keys for now.
    parked: BTreeSet<u64>,
    /// Typed ahead and looked at by who watches for Ctrl-C; older than what waits.
    ahead: Vec<u8>,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    /// How often all that was typed was dropped.
    flushes: u64,
    closed: bool,
}

struct Lease {
    id: u64,
    branch: u64,
    /// Told when there may be something for it. Each has its own: others, on other threads, sleep on.
    turn: Arc<Notify>,
}

impl State {
    /// Who gets the keys: the newest lease, those of parked branches left out.
    fn reader(&self) -> Option<&Lease> {
        self.leases.iter().rev().find(|lease| !self.parked.contains(&lease.branch))
    }

    /// Wakes who gets the keys, if there is something for him.
    fn call_reader(&self) {
        if !self.waiting.is_empty() || !self.ahead.is_empty() || self.closed {
            self.reader().inspect(|lease| lease.turn.notify_one());
        }
    }

    fn take_ahead(&mut self) -> Option<Bytes> {
        (!self.ahead.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.ahead)))
    }

    fn take_waiting(&mut self) -> Option<Bytes> {
        let bytes = self.waiting.pop_front()?;
        self.waiting_bytes -= bytes.len();
        Some(bytes)
    }

    fn put_last(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(bytes);
    }

    fn put_first(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push_front(bytes);
    }

    /// Drops what was typed. A Ctrl-C that nobody has noticed yet is no data and stays.
    fn flush(&mut self) {
        let interrupts = self.waiting.iter().any(|bytes| bytes.contains(&INTERRUPT));
        self.ahead.clear();
        self.waiting.clear();
        self.waiting_bytes = 0;
        if interrupts {
            self.put_first(Bytes::from_static(&[INTERRUPT]));
        }
        self.flushes += 1;
    }
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
        self.push_and(bytes, || ()).await;
    }

    /// The same; `handed` is called at the moment from which on they can be read, before anybody can have read them. It
    /// must not use the hub.
    pub async fn push_and(&self, bytes: Bytes, handed: impl FnOnce()) {
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.shared.lock();
                if state.closed {
                    return handed();
                }
                if state.waiting_bytes == 0 || state.waiting_bytes + bytes.len() <= WAITING_MAX {
                    state.put_last(bytes);
                    handed();
                    return state.call_reader();
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
        Keyboard { shared: self.shared.clone(), id, turn, only_new: false }
    }
}

/// A lease of the keyboard.
pub struct Keyboard {
    shared: Arc<Shared>,
    id: u64,
    turn: Arc<Notify>,
    only_new: bool,
}

impl Keyboard {
    /// The next typed bytes, in the order typed; `None` when nothing will ever come again. Waits while a newer
    /// lease has the keyboard. Cancel safe: bytes are taken only when returned.
    pub async fn read(&mut self) -> Option<Bytes> {
        let only_new = self.only_new;
        self.next(|state| match only_new {
            true => state.take_waiting(),
            false => state.take_ahead().or_else(|| state.take_waiting()),
        })
        .await
    }

    /// The same lease without what was typed ahead: that stays for whoever reads after it.
    pub fn only_new(mut self) -> Keyboard {
        self.only_new = true;
        self
    }

    /// Shows the next typed bytes to `look`, which takes what it wants and puts the rest behind what was typed ahead
    /// before. In one step, so that nothing overtakes anything. `None` and cancellation as with [`Keyboard::read`].
    pub(super) async fn look<T>(&mut self, mut look: impl FnMut(&mut Vec<u8>, &Bytes) -> T) -> Option<T> {
        self.next(|state| {
            let bytes = state.take_waiting()?;
            Some(look(&mut state.ahead, &bytes))
        })
        .await
    }

    async fn next<T>(&mut self, mut take: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        loop {
            {
                let mut state = self.shared.lock();
                if state.reader().is_some_and(|lease| lease.id == self.id) {
                    if let Some(taken) = take(&mut state) {
                        drop(state);
                        self.shared.room.notify_waiters();
                        return Some(taken);
                    }
                    if state.closed {
                        return None;
                    }
                }
            }
            // Told meanwhile, it returns at once: such a call is kept until somebody waits.
            self.turn.notified().await;
        }
    }

    /// Gives bytes back that were read but not used; the next reader gets them first (type-ahead), and who watches for
    /// Ctrl-C looks at them again.
    pub fn unread(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if !self.only_new
            && let Some(ahead) = state.take_ahead()
        {
            state.put_first(ahead);
        }
        state.put_first(bytes);
        state.call_reader();
    }

    /// Drops what was typed and not read, as a terminal does before it asks for a password (`TCSAFLUSH`). Nothing while
    /// a newer lease has the keyboard: then it was typed for others.
    pub fn flush(&mut self) {
        let mut state = self.shared.lock();
        if state.reader().is_some_and(|lease| lease.id == self.id) {
            state.flush();
            drop(state);
            self.shared.room.notify_waiters();
        }
    }

    /// How often what was typed was dropped; who holds some of it drops it, too, when this has grown.
    pub(crate) fn flushes(&self) -> u64 {
        self.shared.lock().flushes
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.leases.retain(|lease| lease.id != self.id);
        if let (true, Some(wanted)) = (state.leases.is_empty(), &self.shared.wanted) {
            wanted(false);
        }
        state.call_reader();
    }
}

#[cfg(test)]
#[path = "keyboard_tests.rs"]
mod keyboard_tests;
