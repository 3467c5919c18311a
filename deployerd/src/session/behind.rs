//! An action's terminal in the background: what is written to it is kept until the operator comes back (row Q-29).

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use super::views::Held;

/// Whether an action is in the background of its session, and what it has shown there.
///
/// All methods that take or give bytes are called when it is the caller's turn to write to the session's terminal, so
/// that no byte of the background lands on what is in front.
pub(crate) struct Behind {
    state: Mutex<State>,
    away: watch::Sender<bool>,
    asks: watch::Sender<bool>,
    wish: Notify,
}

#[derive(Default)]
struct State {
    held: Held,
    /// The line that is edited there.
    drawn: Vec<u8>,
    /// Whether an isolation waits for an answer.
    isolation_asks: bool,
}

impl Behind {
    /// In the foreground.
    pub(crate) fn new() -> Behind {
        Behind {
            state: Mutex::default(),
            away: watch::Sender::new(false),
            asks: watch::Sender::new(false),
            wish: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is in the background.
    pub(crate) fn is_away(&self) -> bool {
        *self.away.borrow()
    }

    /// Hears when it goes to the background or comes back.
    pub(crate) fn away(&self) -> watch::Receiver<bool> {
        self.away.subscribe()
    }

    /// Whether it waits for an answer there.
    pub(crate) fn asks(&self) -> watch::Receiver<bool> {
        self.asks.subscribe()
    }

    /// The operator asks to leave it.
    pub(crate) fn leave(&self) {
        self.wish.notify_one();
    }

    /// Waits for that. Cancel safe.
    pub(crate) async fn left(&self) {
        self.wish.notified().await;
    }

    /// Whether one of its isolations waits for an answer.
    pub(crate) fn isolation_asks(&self, asks: bool) {
        let mut state = self.state();
        state.isolation_asks = asks;
        self.tell(&state);
    }

    /// Output: kept, or given back when it can be shown.
    pub(crate) fn output(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        let mut state = self.state();
        if !self.is_away() {
            return Some(bytes);
        }
        state.held.push(&bytes);
        None
    }

    /// The same for a line that is edited, or ended.
    pub(crate) fn draw(&self, drawn: Vec<u8>) -> Option<Vec<u8>> {
        let mut state = self.state();
        if !self.is_away() {
            return Some(drawn);
        }
        state.drawn = drawn;
        self.tell(&state);
        None
    }

    /// Nobody will end the line that was edited; whether it is one of the background.
    pub(crate) fn abandon(&self) -> bool {
        let mut state = self.state();
        state.drawn.clear();
        self.tell(&state);
        self.is_away()
    }

    /// To the background.
    pub(crate) fn go(&self) {
        let state = self.state();
        self.away.send_replace(true);
        drop(state);
    }

    /// Back: what was kept, and the line that is edited.
    pub(crate) fn come(&self) -> (Vec<u8>, Vec<u8>) {
        let mut state = self.state();
        let shown = (state.held.take(), std::mem::take(&mut state.drawn));
        state.isolation_asks = false;
        self.away.send_replace(false);
        self.tell(&state);
        shown
    }

    fn tell(&self, state: &State) {
        let asks = self.is_away() && (state.isolation_asks || !state.drawn.is_empty());
        self.asks.send_if_modified(|before| std::mem::replace(before, asks) != asks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: Q-29
    #[test]
    fn what_is_written_in_the_background_comes_with_the_way_back() {
        let behind = Behind::new();
        let asks = behind.asks();
        assert_eq!(behind.output(b"one".to_vec()).as_deref(), Some(&b"one"[..]));
        behind.go();
        assert_eq!(behind.output(b"two\r\n".to_vec()), None);
        assert!(!*asks.borrow());
        assert_eq!(behind.draw(b"\rpassword: ".to_vec()), None);
        assert!(*asks.borrow(), "somebody must come back");
        assert_eq!(behind.come(), (b"two\r\n".to_vec(), b"\rpassword: ".to_vec()));
        assert!(!*asks.borrow());
        assert_eq!(behind.output(b"three".to_vec()).as_deref(), Some(&b"three"[..]));
    }
}
