//! A lease of the keyboard: the right to read keys.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use super::Shared;
use super::waiting::State;
use crate::terminal::INTERRUPT;

/// A lease of the keyboard.
pub struct Keyboard {
    shared: Arc<Shared>,
    id: u64,
    turn: Arc<Notify>,
    only_new: bool,
    /// What [`State::flushes`] was when it took something last.
    flushed: u64,
    /// The same for [`State::passing`].
    pub(super) passing: u64,
}

impl Keyboard {
    /// Of a lease that `state` has taken up.
    pub(super) fn new(shared: Arc<Shared>, state: &State, id: u64, turn: Arc<Notify>) -> Keyboard {
        Keyboard { shared, id, turn, only_new: false, flushed: state.flushes, passing: state.passing }
    }

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
    pub(in crate::terminal) async fn look<T>(&mut self, mut look: impl FnMut(&mut Vec<u8>, &Bytes) -> T) -> Option<T> {
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
                        (self.flushed, self.passing) = (state.flushes, state.passing);
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
    /// Ctrl-C looks at them again. When what was typed was dropped meanwhile, only a Ctrl-C among them is kept.
    pub fn unread(&mut self, mut bytes: Bytes) {
        let mut state = self.shared.lock();
        if state.flushes != self.flushed {
            let interrupts = bytes.contains(&INTERRUPT);
            bytes = if interrupts { Bytes::from_static(&[INTERRUPT]) } else { Bytes::new() };
        }
        if bytes.is_empty() {
            return;
        }
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
