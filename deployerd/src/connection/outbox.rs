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

/// Terminal bytes from this length on are not copied for each client. Shorter ones are: a place in the queue costs as much.
const SHARED_MIN: usize = 256;

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
    /// Terminal bytes of this client alone, to which more can be added.
    Output(BytesMut),
    /// Terminal bytes that all clients of the session share.
    Shared(Bytes),
    /// Output of a client without a terminal.
    Stream(Stream, BytesMut),
    Message(FromDaemon),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

impl Stream {
    fn message(self, bytes: Bytes) -> FromDaemon {
        match self {
            Stream::Output => FromDaemon::Stdout(bytes),
            Stream::Error => FromDaemon::Stderr(bytes),
        }
    }
}

/// What became of terminal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// They will be sent.
    Queued,
    /// They were more than the client may have waiting: they and what waited are dropped.
    CutOff,
}

impl Item {
    fn is_output(&self) -> bool {
        matches!(self, Item::Output(_) | Item::Shared(_))
    }
}

impl State {
    fn drop_output(&mut self) {
        self.items.retain(|item| !item.is_output());
        self.items.shrink_to_fit();
        self.output_bytes = 0;
    }

    fn add_output(&mut self, bytes: &Bytes) {
        self.output_bytes += bytes.len();
        match self.items.back_mut() {
            _ if bytes.len() >= SHARED_MIN => self.items.extend(cut(bytes).map(Item::Shared)),
            Some(Item::Output(last)) if last.len() + bytes.len() <= PIECE => last.extend_from_slice(bytes),
            _ => self.items.push_back(Item::Output(BytesMut::from(&bytes[..]))),
        }
    }

    /// Terminal bytes at the front, those of several writes in one piece.
    fn take_output(&mut self) -> Option<Bytes> {
        let first = self.pop_output(PIECE)?;
        let Some(second) = self.pop_output(PIECE - first.len()) else { return Some(first) };
        let mut whole = BytesMut::with_capacity(PIECE);
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(next) = self.pop_output(PIECE - whole.len()) {
            whole.extend_from_slice(&next);
        }
        Some(whole.freeze())
    }

    /// One write of them, if it has at most so many bytes.
    fn pop_output(&mut self, most: usize) -> Option<Bytes> {
        let bytes = match self.items.front_mut()? {
            Item::Output(bytes) if bytes.len() <= most => std::mem::take(bytes).freeze(),
            Item::Shared(bytes) if bytes.len() <= most => std::mem::take(bytes),
            _ => return None,
        };
        self.items.pop_front();
        self.output_bytes -= bytes.len();
        Some(bytes)
    }

    /// Small writes become one message, so that a line costs neither side a message.
    fn add_to_stream(&mut self, stream: Stream, bytes: &[u8]) {
        self.stream_bytes += bytes.len();
        match self.items.back_mut() {
            Some(Item::Stream(same, last)) if *same == stream && last.len() + bytes.len() <= PIECE => {
                last.extend_from_slice(bytes);
            }
            _ => self.items.push_back(Item::Stream(stream, BytesMut::from(bytes))),
        }
    }

    fn take(&mut self) -> Option<FromDaemon> {
        if let Some(bytes) = self.take_output() {
            return Some(FromDaemon::Output(bytes));
        }
        Some(match self.items.pop_front()? {
            Item::Output(bytes) => FromDaemon::Output(bytes.freeze()),
            Item::Shared(bytes) => FromDaemon::Output(bytes),
            Item::Stream(stream, bytes) => {
                self.stream_bytes -= bytes.len();
                stream.message(bytes.freeze())
            }
            Item::Message(message) => message,
        })
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds terminal bytes, never waiting. From the first [`Put::CutOff`] on until [`Outbox::put_repaint`] all are dropped.
    /// Many bytes are shared with whoever else has them.
    pub(crate) fn put_output(&self, bytes: &Bytes) -> Put {
        let mut state = self.lock();
        if state.gone || state.cut_off {
            return Put::CutOff;
        }
        if state.output_bytes + bytes.len() > OUTPUT_MAX {
            state.drop_output();
            state.cut_off = true;
            return Put::CutOff;
        }
        state.add_output(bytes);
        drop(state);
        self.filled.notify_one();
        Put::Queued
    }

    /// Replaces all terminal bytes that wait by a repaint, which says it all, and takes output again after a cut.
    /// Always taken: its size is bounded by that of the screen.
    pub(crate) fn put_repaint(&self, bytes: &Bytes) {
        let mut state = self.lock();
        if state.gone {
            return;
        }
        state.drop_output();
        state.add_output(bytes);
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
        match message {
            FromDaemon::Stdout(bytes) => state.add_to_stream(Stream::Output, &bytes),
            FromDaemon::Stderr(bytes) => state.add_to_stream(Stream::Error, &bytes),
            message => state.items.push_back(Item::Message(message)),
        }
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
                let messages = state.items.iter().filter(|item| !item.is_output()).count();
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

    /// The next message, if one waits: to be sent together with the one before it.
    pub(crate) fn next_now(&self) -> Option<FromDaemon> {
        let message = self.lock().take()?;
        self.emptied.notify_waiters();
        Some(message)
    }

    /// The next message to send, in order; `None` at the end. For the one writer. Cancel safe.
    pub(crate) async fn next(&self) -> Option<FromDaemon> {
        loop {
            let then = {
                let mut state = self.lock();
                if let Some(message) = state.take() {
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

/// Terminal bytes as messages have them.
fn cut(bytes: &Bytes) -> impl Iterator<Item = Bytes> {
    (0..bytes.len()).step_by(PIECE).map(|start| bytes.slice(start..bytes.len().min(start + PIECE)))
}

/// Text for one of the streams of a client without a terminal, in pieces.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Bytes> {
    bytes.chunks(PIECE).map(Bytes::copy_from_slice)
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
