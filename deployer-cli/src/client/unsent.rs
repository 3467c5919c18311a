//! What waits for the queue to the daemon: the size of the terminal before what was typed after it changed.

use std::collections::VecDeque;

use bytes::Bytes;
use deployer_protocol::FromClient;

/// At most one size and one read of the keyboard: the keyboard is read again when all is sent.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    /// The size that was told last, or is about to be.
    told: Option<(u16, u16)>,
    messages: VecDeque<FromClient>,
}

impl Unsent {
    /// Nothing, and this size was told.
    pub(super) fn after(told: Option<(u16, u16)>) -> Unsent {
        Unsent { told, messages: VecDeque::new() }
    }

    /// Nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The terminal has this size: lines and columns.
    pub(super) fn size(&mut self, size: (u16, u16)) {
        if self.told.replace(size) == Some(size) {
            return;
        }
        // One that waits still is out of date.
        self.messages.retain(|message| !matches!(message, FromClient::Resize(_)));
        self.messages.push_back(FromClient::Resize(size));
    }

    /// The size is told again, even when it has not changed.
    pub(super) fn forget_size(&mut self) {
        self.told = None;
    }

    /// This was typed.
    pub(super) fn input(&mut self, bytes: Bytes) {
        self.messages.push_back(FromClient::Input(bytes));
    }

    /// Takes what goes next.
    pub(super) fn next(&mut self) -> Option<FromClient> {
        self.messages.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_told_once_and_before_what_is_typed_then() {
        let mut unsent = Unsent::after(Some((24, 80)));
        unsent.size((24, 80));
        assert!(unsent.is_empty(), "the daemon knows it");
        let key = || Bytes::from_static(b"k");
        unsent.size((30, 90));
        unsent.size((50, 200));
        unsent.input(key());
        unsent.size((50, 200));
        let mut sent = std::iter::from_fn(|| unsent.next());
        assert_eq!(sent.next(), Some(FromClient::Resize((50, 200))));
        assert_eq!(sent.next(), Some(FromClient::Input(key())));
        assert_eq!(sent.next(), None);
        unsent.size((50, 200));
        assert!(unsent.is_empty());
        unsent.forget_size();
        unsent.size((50, 200));
        assert!(!unsent.is_empty());
    }
}
