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

impl State {
    fn drop_output(&mut self) {
        self.items.retain(|item| !matches!(item, Item::Output(_)));
        self.output_bytes = 0;
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
        Some(match self.items.pop_front()? {
            Item::Output(bytes) => {
                self.output_bytes -= bytes.len();
                FromDaemon::Output(bytes.freeze())
            }
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
                let messages = state.items.iter().filter(|item| !matches!(item, Item::Output(_))).count();
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

/// Text for one of the streams of a client without a terminal, in pieces.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = Bytes> {
    bytes.chunks(PIECE).map(Bytes::copy_from_slice)
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
