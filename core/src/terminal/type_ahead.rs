//! The keyboard of code that does not read it: Ctrl-C is noticed, everything else waits for whoever reads next
//! (docs/decisions/0024-typed-ahead.md).

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::FutureExt;

use super::Keyboard;

/// Bytes that may be typed ahead while an action runs; more is dropped.
const AHEAD_MAX: usize = 4096;
/// Ctrl-C.
pub(crate) const INTERRUPT: u8 = 3;

/// A keyboard lease that waits for Ctrl-C. What is typed otherwise stays with the keyboard, and goes to the newest lease
/// that reads: a program, a question, in the end the prompt. What was put aside is the prompt's in any case.
pub(crate) struct TypeAhead {
    keyboard: Keyboard,
    noticed: VecDeque<u8>,
    ended: bool,
    aside: Vec<u8>,
    /// What [`Keyboard::flushes`] was when it was put aside.
    flushes: u64,
}

impl TypeAhead {
    /// Watches this keyboard.
    pub(crate) fn new(keyboard: Keyboard) -> TypeAhead {
        let flushes = keyboard.flushes();
        TypeAhead { keyboard, noticed: VecDeque::new(), ended: false, aside: Vec::new(), flushes }
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
            match self.look(other).await {
                _ if self.ended => std::future::pending().await,
                Some(()) => {}
                None => self.ended = true,
            }
        }
    }

    /// Puts aside what is typed already, before whatever is watched can take the keyboard: who types or pastes several
    /// lines at a prompt means the prompt with all of them.
    pub(crate) fn put_aside(&mut self) {
        while let Some(Some(bytes)) = self.keyboard.read().now_or_never() {
            sort(&mut self.aside, &mut self.noticed, &bytes, None);
        }
    }

    /// Gives back what was put aside; it comes first. Nothing when a password was asked for meanwhile: it may have been
    /// that.
    pub(crate) fn give_back(&mut self) {
        let aside = std::mem::take(&mut self.aside);
        if self.keyboard.flushes() == self.flushes {
            self.keyboard.unread(Bytes::from(aside));
        }
    }

    async fn look(&mut self, other: Option<u8>) -> Option<()> {
        let noticed = &mut self.noticed;
        self.keyboard.look(|ahead, bytes| sort(ahead, noticed, bytes, other)).await
    }
}

impl Drop for TypeAhead {
    fn drop(&mut self) {
        self.give_back();
    }
}

/// Takes `other` out, and Ctrl-C; the rest is kept. As on any terminal, an interrupt drops what was typed before it.
fn sort(ahead: &mut Vec<u8>, noticed: &mut VecDeque<u8>, bytes: &[u8], other: Option<u8>) {
    let is_other = |byte: &u8| Some(*byte) == other;
    if bytes.iter().any(is_other) {
        noticed.extend(other);
    }
    let rest = match bytes.iter().rposition(|byte| *byte == INTERRUPT) {
        Some(at) => {
            noticed.push_back(INTERRUPT);
            ahead.clear();
            &bytes[at + 1..]
        }
        None => bytes,
    };
    let room = AHEAD_MAX.saturating_sub(ahead.len());
    ahead.extend(rest.iter().copied().filter(|byte| !is_other(byte)).take(room));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::KeyboardHub;

    async fn kept(typed: &[&'static [u8]], other: Option<u8>) -> (Vec<u8>, Vec<u8>) {
        let hub = KeyboardHub::new();
        let mut watch = TypeAhead::new(hub.lease());
        let mut noticed = Vec::new();
        for bytes in typed {
            hub.push(Bytes::from_static(bytes)).await;
            while let Some(key) = watch.noticed(other).now_or_never() {
                noticed.push(key);
            }
        }
        let read = hub.lease().read().now_or_never().flatten();
        (noticed, read.map(|bytes| bytes.to_vec()).unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_no_interrupt_waits_for_the_next_reader() {
        assert_eq!(kept(&[b"one\r", b"two"], None).await, (vec![], b"one\rtwo".to_vec()));
        assert_eq!(kept(&[b"one", b"two\x03three", b"four"], None).await, (vec![3], b"threefour".to_vec()));
        assert_eq!(kept(&[b"a\x0eb"], Some(14)).await, (vec![14], b"ab".to_vec()));
        let (noticed, much) = kept(&[&[b'x'; 3000], &[b'y'; 3000]], None).await;
        assert_eq!((noticed, much.len(), much[2999..].first()), (vec![], AHEAD_MAX, Some(&b'x')));
    }

    #[tokio::test]
    async fn what_was_typed_at_the_prompt_is_the_prompts_unless_a_password_was_asked_for() {
        for (asked, left) in [(false, &b"more\r"[..]), (true, &b""[..])] {
            let hub = KeyboardHub::new();
            let mut prompt = hub.lease();
            hub.push(Bytes::from_static(b"more\r")).await;
            let mut watch = TypeAhead::new(hub.lease());
            watch.put_aside();
            let mut program = hub.lease();
            if asked {
                program.flush();
            }
            hub.push(Bytes::from_static(b"answer\r")).await;
            assert_eq!(program.read().now_or_never().flatten().as_deref(), Some(&b"answer\r"[..]));
            drop((program, watch));
            let read = prompt.read().now_or_never().flatten();
            assert_eq!(read.as_deref().unwrap_or_default(), left);
        }
    }
}
