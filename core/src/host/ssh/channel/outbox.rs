//! What goes to a command: input in order, and requests that do not wait behind it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelWriteHalf, Sig};
use tokio::time::{Instant, timeout_at};

use super::victim::Victim;
use crate::host::Signal;
use crate::host::process::ControlRequest;

/// Input that may wait for a command that does not read: 1 MiB. Past it, whoever writes waits.
const LIMIT: usize = 1024 * 1024;
const CTRL_C: &[u8] = b"\x03";
/// The end of input on a terminal is a key, which counts only at the start of a line; within one it hands the line over
/// and has to be pressed again.
const CTRL_D: &[u8] = b"\x04";
const CTRL_D_TWICE: &[u8] = b"\x04\x04";

type Sending = Pin<Box<dyn Future<Output = ()> + Send>>;
pub(in crate::host::ssh) type WriteHalf = Arc<ChannelWriteHalf<Msg>>;

/// How long keys wait for a command that was started a moment ago.
const STARTED: Duration = Duration::from_secs(1);

/// Requests on their way. Sending one may take long (the server's window is closed); that keeps neither the next urgent
/// one nor the command's output waiting.
pub(super) struct Outbox {
    write: WriteHalf,
    victim: Victim,
    terminal: bool,
    /// Keys wait until the command is there, or until then. What a terminal gets while the server is still setting it up
    /// can be lost, and a Ctrl-C there is shown and kills nobody.
    keys_from: Option<Instant>,
    at_line_start: bool,
    input: VecDeque<Option<Bytes>>,
    held: usize,
    urgent: VecDeque<ControlRequest>,
    sending_input: Option<Sending>,
    sending_urgent: Option<Sending>,
}

impl Outbox {
    /// `marked`: the command says when it is there.
    pub(super) fn new(write: WriteHalf, victim: Victim, terminal: bool, marked: bool) -> Outbox {
        Outbox {
            write,
            victim,
            terminal,
            keys_from: (terminal && marked).then(|| Instant::now() + STARTED),
            at_line_start: true,
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
            ControlRequest::Input(bytes) => self.put_input(bytes),
            ControlRequest::Eof if self.terminal => {
                self.put_input(Bytes::from_static(if self.at_line_start { CTRL_D } else { CTRL_D_TWICE }));
            }
            ControlRequest::Eof => self.input.push_back(None),
            ControlRequest::Resize(_) | ControlRequest::Signal(_) => self.urgent.push_back(request),
        }
    }

    fn put_input(&mut self, bytes: Bytes) {
        if let Some(last) = bytes.last() {
            self.at_line_start = matches!(last, b'\r' | b'\n');
            self.held += bytes.len();
            self.input.push_back(Some(bytes));
        }
    }

    /// Sends until one request is out. Nothing is lost when this is dropped half-way.
    pub(super) async fn work(&mut self) {
        if self.sending_urgent.is_none()
            && let Some(request) = self.urgent.pop_front()
        {
            self.sending_urgent = Some(self.urgent(request));
        }
        if self.sending_input.is_none()
            && let Some(input) = self.input.pop_front()
        {
            self.held -= input.as_ref().map_or(0, Bytes::len);
            let (write, there) = (self.write.clone(), self.there());
            self.sending_input = Some(Box::pin(async move {
                there.await;
                send_input(write, input).await;
            }));
        }
        poll_fn(|context| {
            let mut out = false;
            for slot in [&mut self.sending_urgent, &mut self.sending_input] {
                if let Some(Poll::Ready(())) = slot.as_mut().map(|sending| sending.as_mut().poll(context)) {
                    *slot = None;
                    out = true;
                }
            }
            if out { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Waits until keys reach the command.
    fn there(&self) -> impl Future<Output = ()> + Send + use<> {
        let (victim, from) = (self.victim.clone(), self.keys_from);
        async move {
            if let Some(from) = from {
                // Too late is as good as there: a login shell may take its time, or swallow the mark.
                let _too_late = timeout_at(from, victim.known()).await;
            }
        }
    }

    fn urgent(&mut self, request: ControlRequest) -> Sending {
        let (write, victim) = (self.write.clone(), self.victim.clone());
        match request {
            ControlRequest::Signal(Signal::Int) if self.terminal => {
                // What was typed ahead was for a program that is now to end.
                self.input.clear();
                self.sending_input = None;
                self.held = 0;
                self.at_line_start = true;
                let there = self.there();
                Box::pin(async move {
                    there.await;
                    interrupt(write, victim).await;
                })
            }
            ControlRequest::Signal(signal) => Box::pin(send_signal(write, victim, signal)),
            ControlRequest::Resize(size) => Box::pin(async move {
                let _gone = write.window_change(size.cols.into(), size.rows.into(), 0, 0).await;
            }),
            ControlRequest::Input(_) | ControlRequest::Eof => Box::pin(std::future::ready(())),
        }
    }
}

// An error of russh means below that the connection is gone; who reads the output is told so.

async fn send_input(write: WriteHalf, input: Option<Bytes>) {
    let _gone = match input {
        Some(bytes) => write.data_bytes(bytes).await,
        None => write.eof().await,
    };
}

async fn interrupt(write: WriteHalf, victim: Victim) {
    if write.writable_packet_size().await > 0 {
        let _gone = write.data_bytes(CTRL_C).await;
    } else {
        send_signal(write, victim, Signal::Int).await;
    }
}

async fn send_signal(write: WriteHalf, victim: Victim, signal: Signal) {
    if !victim.signal(signal).await {
        let _gone = write.signal(sig(signal)).await;
    }
}

fn sig(signal: Signal) -> Sig {
    match signal {
        Signal::Hup => Sig::HUP,
        Signal::Int => Sig::INT,
        Signal::Term => Sig::TERM,
        Signal::Kill => Sig::KILL,
    }
}
