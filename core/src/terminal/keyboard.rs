//! Who gets the keys. The newest lease does; when it is dropped, the one before it does again.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::Notify;

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
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
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
        if !self.waiting.is_empty() || self.closed {
            self.reader().inspect(|lease| lease.turn.notify_one());
        }
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
        loop {
            let room = self.shared.room.notified();
            tokio::pin!(room);
            room.as_mut().enable();
            {
                let mut state = self.shared.lock();
                if state.closed {
                    return;
                }
                if state.waiting_bytes == 0 || state.waiting_bytes + bytes.len() <= WAITING_MAX {
                    state.waiting_bytes += bytes.len();
                    state.waiting.push_back(bytes);
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
        state.waiting_bytes += bytes.len();
        state.waiting.push_back(bytes);
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
        self.shared.lock().waiting_bytes == 0
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
        Keyboard { shared: self.shared.clone(), id, turn }
    }
}

/// A lease of the keyboard.
pub struct Keyboard {
    shared: Arc<Shared>,
    id: u64,
    turn: Arc<Notify>,
}

impl Keyboard {
    /// The next typed bytes, in the order typed; `None` when nothing will ever come again. Waits while a newer
    /// lease has the keyboard. Cancel safe: bytes are taken only when returned.
    pub async fn read(&mut self) -> Option<Bytes> {
        loop {
            {
                let mut state = self.shared.lock();
                if state.reader().is_some_and(|lease| lease.id == self.id) {
                    if let Some(bytes) = state.waiting.pop_front() {
                        state.waiting_bytes -= bytes.len();
                        drop(state);
                        self.shared.room.notify_waiters();
                        return Some(bytes);
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

    /// Gives bytes back that were read but not used; the next reader gets them first (type-ahead).
    pub fn unread(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        state.waiting_bytes += bytes.len();
        state.waiting.push_front(bytes);
        state.call_reader();
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
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_newest_lease_reads_and_the_older_one_resumes() {
        let hub = KeyboardHub::new();
        let mut shell = hub.lease();
        hub.push(Bytes::from_static(b"typed ahead")).await;
        assert_eq!(shell.read().await.as_deref(), Some(&b"typed ahead"[..]));
        let mut program = hub.lease();
        hub.push(Bytes::from_static(b"to the program")).await;
        assert_eq!(program.read().await.as_deref(), Some(&b"to the program"[..]));
        drop(program);
        hub.push(Bytes::from_static(b"to the shell")).await;
        hub.close();
        assert_eq!(shell.read().await.as_deref(), Some(&b"to the shell"[..]));
        assert_eq!(shell.read().await, None);
    }

    #[tokio::test]
    async fn a_parked_branch_gets_no_keys_until_it_is_back() {
        let hub = KeyboardHub::new();
        let mut shell = hub.lease();
        let job = hub.branch();
        let (mut action, mut program) = (job.lease(), job.lease());
        job.park(true);
        let mut late = job.lease();
        hub.push(Bytes::from_static(b"to the shell")).await;
        assert_eq!(shell.read().await.as_deref(), Some(&b"to the shell"[..]));
        job.park(false);
        hub.push(Bytes::from_static(b"to the newest")).await;
        assert_eq!(late.read().await.as_deref(), Some(&b"to the newest"[..]));
        drop(late);
        hub.push(Bytes::from_static(b"to the program")).await;
        assert_eq!(program.read().await.as_deref(), Some(&b"to the program"[..]));
        drop(program);
        hub.close();
        assert_eq!(action.read().await, None);
    }

    #[tokio::test]
    async fn unread_bytes_come_first() {
        let hub = KeyboardHub::new();
        let mut lease = hub.lease();
        hub.push(Bytes::from_static(b"second")).await;
        lease.unread(Bytes::from_static(b"first"));
        assert_eq!(lease.read().await.as_deref(), Some(&b"first"[..]));
        assert_eq!(lease.read().await.as_deref(), Some(&b"second"[..]));
    }

    #[tokio::test]
    async fn a_flood_is_held_back() {
        let hub = KeyboardHub::new();
        hub.push(Bytes::from(vec![b'x'; WAITING_MAX])).await;
        let pushed = tokio::spawn({
            let hub = hub.clone();
            async move { hub.push(Bytes::from_static(b"y")).await }
        });
        tokio::task::yield_now().await;
        assert!(!pushed.is_finished());
        let mut lease = hub.lease();
        assert_eq!(lease.read().await.map(|b| b.len()), Some(WAITING_MAX));
        assert_eq!(lease.read().await.as_deref(), Some(&b"y"[..]));
        pushed.await.expect("the push ends");
    }
}
