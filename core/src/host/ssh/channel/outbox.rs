//! What goes to a command: input in order, and requests that do not wait behind it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelWriteHalf, Sig};

use crate::host::Signal;
use crate::host::process::ControlRequest;

/// Input that may wait for a command that does not read: 1 MiB. Past it, whoever writes waits.
const LIMIT: usize = 1024 * 1024;

type Sending = Pin<Box<dyn Future<Output = Result<(), russh::Error>> + Send>>;
pub(super) type WriteHalf = Arc<ChannelWriteHalf<Msg>>;

/// Requests on their way. Sending one may take long (the server's window is closed); that keeps neither the next urgent
/// one nor the command's output waiting.
pub(super) struct Outbox {
    write: WriteHalf,
    input: VecDeque<Option<Bytes>>,
    held: usize,
    urgent: VecDeque<ControlRequest>,
    sending_input: Option<Sending>,
    sending_urgent: Option<Sending>,
}

impl Outbox {
    pub(super) fn new(write: WriteHalf) -> Outbox {
        Outbox {
            write,
            input: VecDeque::new(),
            held: 0,
            urgent: VecDeque::new(),
            sending_input: None,
            sending_urgent: None,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.held < LIMIT
    }

    pub(super) fn is_busy(&self) -> bool {
        self.sending_input.is_some()
            || self.sending_urgent.is_some()
            || !self.input.is_empty()
            || !self.urgent.is_empty()
    }

    pub(super) fn put(&mut self, request: ControlRequest) {
        match request {
            ControlRequest::Input(bytes) => {
                self.held += bytes.len();
                self.input.push_back(Some(bytes));
            }
            ControlRequest::Eof => self.input.push_back(None),
            ControlRequest::Resize(_) | ControlRequest::Signal(_) => self.urgent.push_back(request),
        }
    }

    /// Sends until one request is out. Nothing is lost when this is dropped half-way.
    pub(super) async fn work(&mut self) {
        if self.sending_input.is_none()
            && let Some(input) = self.input.pop_front()
        {
            self.held -= input.as_ref().map_or(0, Bytes::len);
            let write = self.write.clone();
            self.sending_input = Some(Box::pin(async move {
                match input {
                    Some(bytes) => write.data_bytes(bytes).await,
                    None => write.eof().await,
                }
            }));
        }
        if self.sending_urgent.is_none()
            && let Some(request) = self.urgent.pop_front()
        {
            self.sending_urgent = Some(Box::pin(send(self.write.clone(), request)));
        }
        poll_fn(|context| {
            let mut out = false;
            for slot in [&mut self.sending_urgent, &mut self.sending_input] {
                // An error means that the connection is gone; the read half tells so too.
                if let Some(Poll::Ready(_)) = slot.as_mut().map(|sending| sending.as_mut().poll(context)) {
                    *slot = None;
                    out = true;
                }
            }
            if out { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

async fn send(write: WriteHalf, request: ControlRequest) -> Result<(), russh::Error> {
    match request {
        ControlRequest::Resize(size) => write.window_change(size.cols.into(), size.rows.into(), 0, 0).await,
        ControlRequest::Signal(signal) => write.signal(sig(signal)).await,
        ControlRequest::Input(_) | ControlRequest::Eof => Ok(()),
    }
}

pub(super) fn sig(signal: Signal) -> Sig {
    match signal {
        Signal::Hup => Sig::HUP,
        Signal::Int => Sig::INT,
        Signal::Term => Sig::TERM,
        Signal::Kill => Sig::KILL,
    }
}
