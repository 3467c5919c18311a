//! The keyboard of code that does not read it: Ctrl-C is noticed, everything else is kept for whoever reads next.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::FutureExt;

use super::Keyboard;

/// Bytes that may be typed ahead while an action runs; more is dropped.
const AHEAD_MAX: usize = 4096;
/// Ctrl-C.
pub(crate) const INTERRUPT: u8 = 3;

/// A keyboard lease that waits for Ctrl-C. What was typed otherwise is given back when it is dropped.
pub(crate) struct TypeAhead {
    keyboard: Keyboard,
    ahead: Vec<u8>,
    noticed: VecDeque<u8>,
    ended: bool,
}

impl TypeAhead {
    /// Watches this keyboard.
    pub(crate) fn new(keyboard: Keyboard) -> TypeAhead {
        TypeAhead { keyboard, ahead: Vec::new(), noticed: VecDeque::new(), ended: false }
    }

    /// Waits for the next Ctrl-C; for ever when nothing will be typed any more. Cancel safe.
    pub(crate) async fn interrupted(&mut self) {
        self.noticed(None).await;
    }

    /// Waits for the next Ctrl-C, or `other` key; which it was. For ever when nothing will be typed any more. Cancel safe.
    pub(crate) async fn noticed(&mut self, other: Option<u8>) -> u8 {
        loop {
            if let Some(key) = self.noticed.pop_front() {
                return key;
            }
            match self.keyboard.read().await {
                _ if self.ended => std::future::pending().await,
                Some(bytes) => self.sort(&bytes, other),
                None => self.ended = true,
            }
        }
    }

    /// Takes `other` out, and an interrupt with what was typed before it.
    fn sort(&mut self, bytes: &Bytes, other: Option<u8>) {
        let is_other = |byte: &u8| Some(*byte) == other;
        if bytes.iter().any(is_other) {
            self.noticed.extend(other);
            let rest: Bytes = bytes.iter().copied().filter(|byte| !is_other(byte)).collect();
            return self.sort(&rest, None);
        }
        if self.take(bytes) {
            self.noticed.push_back(INTERRUPT);
        }
    }

    /// Keeps what was typed; true when an interrupt was among it. As on any terminal, an interrupt drops what was
    /// typed before it.
    fn take(&mut self, bytes: &Bytes) -> bool {
        let rest = match bytes.iter().rposition(|byte| *byte == INTERRUPT) {
            Some(at) => {
                self.ahead.clear();
                &bytes[at + 1..]
            }
            None => &bytes[..],
        };
        let room = AHEAD_MAX - self.ahead.len();
        self.ahead.extend_from_slice(&rest[..rest.len().min(room)]);
        rest.len() < bytes.len()
    }
}

impl TypeAhead {
    /// Takes what is typed already, before whatever is watched can take the keyboard.
    pub(crate) fn take_waiting(&mut self) {
        while let Some(Some(bytes)) = self.keyboard.read().now_or_never() {
            self.sort(&bytes, None);
        }
    }

    /// Gives back what was typed ahead, to whoever reads next.
    pub(crate) fn give_back(&mut self) {
        self.keyboard.unread(Bytes::from(std::mem::take(&mut self.ahead)));
    }
}

impl Drop for TypeAhead {
    fn drop(&mut self) {
        self.give_back();
    }
}
