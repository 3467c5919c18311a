//! What waits to be sent to one client: bounded, and nobody waits to put output in.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use deployer_protocol::FromDaemon;
use tokio::sync::Notify;

/// Terminal bytes that may wait for one client (row Q-11); beyond that it is repainted instead.
const OUTPUT_MAX: usize = 1024 * 1024;

/// Terminal bytes in one message. Small enough that a keystroke's echo is not stuck behind much.
const PIECE: usize = 32 * 1024;

/// Messages other than terminal bytes that may wait before whoever asks for more has to wait.
const MESSAGES_MAX: usize = 64;

/// Runs once, outside the lock, when everything was sent.
type WhenSent = Box<dyn FnOnce() + Send>;

/// One client's outgoing messages. A mutex around plain data, never held across an await.
#[derive(Default)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    filled: Notify,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    items: VecDeque<Item>,
    /// Terminal bytes in `items`.
    output_bytes: usize,
    /// Bytes of output without a terminal in `items`.
    stream_bytes: usize,
    cut_off: bool,
    when_sent: Option<WhenSent>,
    /// Nobody puts anything in any more: the writer ends when it is empty.
    ended: bool,
    /// The client is gone: everything put in is dropped.
    gone: bool,
}

enum Item {
    Output(BytesMut),
    Message(FromDaemon),
}

/// What became of terminal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// They will be sent.
    Queued,
    /// They were more than the client may have waiting: they and what waited are dropped.
    CutOff,
}

impl State {
    fn drop_output(&mut self) {
        self.items.retain(|item| matches!(item, Item::Message(_)));
        self.output_bytes = 0;
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds terminal bytes, never waiting. From the first [`Put::CutOff`] on until [`Outbox::put_repaint`] all are dropped.
    pub(crate) fn put_output(&self, bytes: &[u8]) -> Put {
        let mut state = self.lock();
        if state.gone || state.cut_off {
            return Put::CutOff;
        }
        if state.output_bytes + bytes.len() > OUTPUT_MAX {
            state.drop_output();
            state.cut_off = true;
            return Put::CutOff;
        }
        state.output_bytes += bytes.len();
        match state.items.back_mut() {
            Some(Item::Output(last)) if last.len() + bytes.len() <= PIECE => last.extend_from_slice(bytes),
            _ => state.items.extend(bytes.chunks(PIECE).map(|piece| Item::Output(BytesMut::from(piece)))),
        }
        drop(state);
        self.filled.notify_one();
        Put::Queued
    }

    /// Replaces all terminal bytes that wait by a repaint, which says it all, and takes output again after a cut.
    /// Always taken: its size is bounded by that of the screen.
    pub(crate) fn put_repaint(&self, bytes: &[u8]) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        state.drop_output();
        state.items.extend(bytes.chunks(PIECE).map(|piece| Item::Output(BytesMut::from(piece))));
        state.output_bytes = bytes.len();
        state.cut_off = false;
        drop(state);
        self.filled.notify_one();
    }

    /// Calls `then` when all that waits was handed to the socket; at once by the writer when nothing waits.
    pub(crate) fn when_sent(&self, then: impl FnOnce() + Send + 'static) {
        self.lock().when_sent = Some(Box::new(then));
        self.filled.notify_one();
    }

    /// Adds a message behind everything before it.
    pub(crate) fn put(&self, message: FromDaemon) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        state.stream_bytes += stream_bytes(&message);
        state.items.push_back(Item::Message(message));
        drop(state);
        self.filled.notify_one();
    }

    /// Waits until little enough is queued that a further message is fine. False when the client is gone.
    pub(crate) async fn room(&self) -> bool {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            {
                let state = self.lock();
                if state.gone {
                    return false;
                }
                let messages = state.items.iter().filter(|item| matches!(item, Item::Message(_))).count();
                if messages < MESSAGES_MAX && state.stream_bytes < OUTPUT_MAX {
                    return true;
                }
            }
            emptied.await;
        }
    }

    /// Nothing more will be put in; the writer ends when all was sent.
    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.filled.notify_one();
    }

    /// The client is gone; whoever waits for it goes on.
    pub(crate) fn give_up(&self) {
        let mut state = self.lock();
        state.gone = true;
        state.items.clear();
        (state.output_bytes, state.stream_bytes) = (0, 0);
        let never = state.when_sent.take();
        drop(state);
        drop(never);
        self.emptied.notify_waiters();
        self.filled.notify_one();
    }

    /// Waits until the client is gone.
    pub(crate) async fn gone(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.lock().gone {
                return;
            }
            emptied.await;
        }
    }

    /// The next message to send, in order; `None` at the end. For the one writer. Cancel safe.
    pub(crate) async fn next(&self) -> Option<FromDaemon> {
        loop {
            let then = {
                let mut state = self.lock();
                if let Some(item) = state.items.pop_front() {
                    let message = match item {
                        Item::Output(bytes) => {
                            state.output_bytes -= bytes.len();
                            FromDaemon::Output(bytes.freeze())
                        }
                        Item::Message(message) => {
                            state.stream_bytes -= stream_bytes(&message);
                            message
                        }
                    };
                    drop(state);
                    self.emptied.notify_waiters();
                    return Some(message);
                }
                if state.ended || state.gone {
                    return None;
                }
                state.when_sent.take()
            };
            match then {
                Some(then) => then(),
                None => self.filled.notified().await,
            }
        }
    }
}

/// Bytes of output of a client without a terminal.
fn stream_bytes(message: &FromDaemon) -> usize {
    match message {
        FromDaemon::Stdout(bytes) | FromDaemon::Stderr(bytes) => bytes.len(),
        _ => 0,
    }
}

/// Text for one of the streams of a client without a terminal, in pieces.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Bytes> {
    bytes.chunks(PIECE).map(Bytes::copy_from_slice)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn output(text: &str) -> Option<FromDaemon> {
        Some(FromDaemon::Output(Bytes::copy_from_slice(text.as_bytes())))
    }

    #[tokio::test]
    async fn small_writes_are_sent_together_and_messages_in_order() {
        let outbox = Outbox::default();
        for text in ["a", "b", "c"] {
            assert_eq!(outbox.put_output(text.as_bytes()), Put::Queued);
        }
        outbox.put(FromDaemon::Finished(0));
        outbox.put_output(b"d");
        outbox.end();
        assert_eq!(outbox.next().await, output("abc"));
        assert_eq!(outbox.next().await, Some(FromDaemon::Finished(0)));
        assert_eq!(outbox.next().await, output("d"));
        assert_eq!(outbox.next().await, None);
    }

    // rows: Q-11
    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_backlog_and_is_told_of_when_it_reads() {
        let outbox = Arc::new(Outbox::default());
        let chunk = vec![b'x'; 100_000];
        let put = (0..100).take_while(|_| outbox.put_output(&chunk) == Put::Queued).count();
        assert_eq!(put, OUTPUT_MAX / chunk.len());
        assert_eq!(outbox.lock().output_bytes, 0);
        assert_eq!(outbox.put_output(b"lost"), Put::CutOff);
        let sent = Arc::new(AtomicBool::new(false));
        outbox.put(FromDaemon::Killed("s1".to_string()));
        outbox.when_sent({
            let (sent, outbox) = (sent.clone(), outbox.clone());
            move || {
                sent.store(true, Ordering::SeqCst);
                outbox.put_repaint(b"repaint");
            }
        });
        assert_eq!(outbox.next().await, Some(FromDaemon::Killed("s1".to_string())));
        assert!(!sent.load(Ordering::SeqCst), "the message is not yet with the socket");
        assert_eq!(outbox.next().await, output("repaint"));
        assert!(sent.load(Ordering::SeqCst));
    }

    #[tokio::test]
    async fn a_repaint_replaces_terminal_bytes_and_nothing_else() {
        let outbox = Outbox::default();
        outbox.put(FromDaemon::Stdout(Bytes::from_static(b"of a session before")));
        outbox.put_output(b"old");
        outbox.put_repaint(b"new");
        outbox.end();
        assert_eq!(outbox.next().await, Some(FromDaemon::Stdout(Bytes::from_static(b"of a session before"))));
        assert_eq!(outbox.next().await, output("new"));
        assert_eq!(outbox.next().await, None);
        let state = outbox.lock();
        assert_eq!((state.output_bytes, state.stream_bytes), (0, 0));
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_when_the_client_is_gone() {
        let outbox = Arc::new(Outbox::default());
        for piece in pieces(&vec![0; OUTPUT_MAX]) {
            outbox.put(FromDaemon::Stdout(piece));
        }
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.room().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        outbox.give_up();
        assert!(!waiting.await.unwrap());
        assert_eq!(outbox.next().await, None);
    }
}
