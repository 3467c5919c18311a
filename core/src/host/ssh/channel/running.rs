//! The task that serves a running command.
//!
//! russh hands every packet to its channel before it reads the next one, so one channel that is not emptied stops the
//! connection for everybody, keepalive included; and it opens the window again on receipt, so a server cannot be slowed
//! down on one channel alone. This task therefore never waits for its reader beyond a bound of its own:
//!
//! - Output goes to the reader, or into the ring (4 MiB) when the reader is slower.
//! - When the ring is full and the channel is alone on its connection, the task stops taking: the connection waits, the
//!   server waits, nothing is lost, as with plain `ssh`. The pool opens another connection for whoever comes next.
//! - When others share the connection, or somebody wants something of the command (Ctrl-C, a signal, a size), it waits a
//!   second in all, then drops output until the ring is empty, and says in the output how much is missing.

use std::time::{Duration, Instant};

use russh::{ChannelMsg, ChannelReadHalf, Sig};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::timeout;

use super::outbox::{Outbox, WriteHalf, sig};
use super::ring::{LIMIT, Ring, Stream};
use crate::host::process::{ControlRequest, ControlRequests};
use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::printable;
use crate::host::ssh::pool::Lease;
use crate::host::{ExitStatus, ProcessEvent, Signal};

/// How long others on the connection may be kept waiting by one slow reader, in all, until it has caught up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a command has between being asked to end and being killed, and between that and being given up.
const GRACE: Duration = Duration::from_secs(2);
/// How long the server may take to agree to the end of a channel.
const CLOSE: Duration = Duration::from_secs(10);

/// What woke the task.
enum Happening {
    Message(Option<ChannelMsg>),
    /// The reader took something.
    Delivered,
    /// The process was dropped.
    Dropped,
    Request(Option<ControlRequest>),
    Sent,
}

/// How a command ended, as an event.
pub(super) struct End(pub(super) ExitStatus);

pub(super) struct Running {
    lease: Lease,
    read: ChannelReadHalf,
    write: WriteHalf,
    events: mpsc::Sender<ProcessEvent>,
    requests: ControlRequests,
    /// Whether somebody can still ask for something.
    listening: bool,
    outbox: Outbox,
    ring: Ring,
    terminal: bool,
    status: Option<ExitStatus>,
    /// Output is dropped until the ring is empty.
    dropping: bool,
    patience: Duration,
}

impl Running {
    pub(super) fn new(
        lease: Lease,
        read: ChannelReadHalf,
        write: WriteHalf,
        events: mpsc::Sender<ProcessEvent>,
        requests: ControlRequests,
        terminal: bool,
    ) -> Running {
        Running {
            lease,
            read,
            outbox: Outbox::new(write.clone()),
            write,
            events,
            requests,
            listening: true,
            ring: Ring::new(LIMIT, terminal),
            terminal,
            status: None,
            dropping: false,
            patience: PATIENCE,
        }
    }

    /// Serves the command until its channel is closed: not until the end of output or the status, either may come first.
    pub(super) async fn serve(mut self) {
        loop {
            if !self.ring.has_room() && !self.dropping {
                self.wait_for_reader().await;
                continue;
            }
            let happening = tokio::select! {
                message = self.read.wait() => Happening::Message(message),
                permit = self.events.reserve(), if !self.ring.is_empty() => {
                    if let (Ok(permit), Some(event)) = (permit, self.ring.pop()) {
                        permit.send(event);
                    }
                    Happening::Delivered
                }
                () = self.events.closed() => Happening::Dropped,
                request = next_request(&mut self.requests, self.outbox.has_room()), if self.listening => {
                    Happening::Request(request)
                }
                () = self.outbox.work(), if self.outbox.is_busy() => Happening::Sent,
            };
            match happening {
                Happening::Message(message) => {
                    if self.take(message) {
                        break;
                    }
                }
                Happening::Sent => {}
                Happening::Delivered => self.caught_up(),
                Happening::Dropped => return self.end().await,
                Happening::Request(request) => self.put(request),
            }
        }
        let status = match self.status.take() {
            Some(status) => status,
            None => {
                let connection = self.lease.connection.clone();
                ExitStatus::Unknown(why_unknown(&connection).await)
            }
        };
        self.finish(status).await;
    }

    /// Ends a command of which it is not known whether it was ever started.
    pub(super) async fn give_up(mut self, why: String) {
        self.stop().await;
        self.finish(ExitStatus::Unknown(why)).await;
    }

    /// The ring is full: nothing is taken from the connection until there is room, or patience ends.
    async fn wait_for_reader(&mut self) {
        let alone = self.lease.connection.vitals.open() <= 1;
        let (started, patience) = (Instant::now(), self.patience);
        let _stall = Stall::new(&self.lease);
        let limit = async {
            match alone {
                true => std::future::pending().await,
                false => tokio::time::sleep(patience).await,
            }
        };
        tokio::select! {
            permit = self.events.reserve() => {
                if let (Ok(permit), Some(event)) = (permit, self.ring.pop()) {
                    permit.send(event);
                }
            }
            () = limit => self.dropping = true,
            request = next_request(&mut self.requests, self.outbox.has_room()), if self.listening => {
                // It would not get out: russh is waiting for us.
                self.dropping |= request.is_some();
                match request {
                    Some(request) => self.outbox.put(request),
                    None => self.listening = false,
                }
            }
        }
        if !alone {
            self.patience = self.patience.saturating_sub(started.elapsed());
        }
        if self.events.is_closed() {
            // The main loop sees it; taking must not be what it waits for.
            self.dropping = true;
        }
    }

    fn caught_up(&mut self) {
        if self.ring.is_empty() {
            self.dropping = false;
            self.patience = PATIENCE;
        }
    }

    fn put(&mut self, request: Option<ControlRequest>) {
        match request {
            Some(request) => self.outbox.put(request),
            None => self.listening = false,
        }
    }

    /// Whether the channel is over.
    fn take(&mut self, message: Option<ChannelMsg>) -> bool {
        match message {
            None | Some(ChannelMsg::Close) => return true,
            Some(ChannelMsg::Data { data }) => self.output(Stream::Out, data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => self.output(Stream::Err, data),
            Some(other) => self.note(other),
        }
        false
    }

    fn output(&mut self, stream: Stream, bytes: bytes::Bytes) {
        if self.dropping {
            self.ring.drop_output(bytes.len());
            return;
        }
        if self.ring.is_empty() && !self.ring.has_gap() {
            let event = match stream {
                Stream::Out => ProcessEvent::Stdout(bytes),
                Stream::Err => ProcessEvent::Stderr(bytes),
            };
            // A reader that is gone is seen by the loop.
            if let Err(TrySendError::Full(ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes))) =
                self.events.try_send(event)
            {
                self.ring.push(stream, bytes);
            }
            return;
        }
        self.ring.push(stream, bytes);
    }

    fn note(&mut self, message: ChannelMsg) {
        match message {
            ChannelMsg::ExitStatus { exit_status } => {
                // Larger ones cannot be; they must not become 0 by being cut.
                let code = i32::try_from(exit_status).unwrap_or(255).min(255);
                self.status.get_or_insert(ExitStatus::Code(code));
            }
            ChannelMsg::ExitSignal { signal_name, .. } => {
                self.status.get_or_insert(ExitStatus::Signal(signal_text(&signal_name)));
            }
            _ => {}
        }
    }

    /// Hands over what is left, without keeping the connection from others meanwhile.
    async fn finish(self, status: ExitStatus) {
        let Running { lease, mut ring, events, .. } = self;
        drop(lease);
        ring.mark_gap();
        while let Some(event) = ring.pop() {
            if events.send(event).await.is_err() {
                return;
            }
        }
        let _reader_gone = events.send(End(status).into()).await;
    }

    /// The process was dropped: ends the command politely, nobody waits for it.
    async fn end(mut self) {
        if !self.stop().await {
            let connection = &self.lease.connection;
            tracing::warn!(
                address = %connection.address,
                user = %connection.user,
                "a command that was stopped may still run: the server does not close its channel"
            );
        }
    }

    /// Ctrl-C, TERM, KILL, close. Whether the server agreed that it is over.
    async fn stop(&mut self) -> bool {
        self.dropping = true;
        if self.status.is_none() {
            let write = self.write.clone();
            let terminal = self.terminal;
            let asked = self.say(async move {
                if terminal && write.writable_packet_size().await > 0 {
                    write.data_bytes(&b"\x03"[..]).await?;
                }
                write.signal(sig(Signal::Term)).await
            });
            if asked.await || self.over_within(GRACE).await {
                return true;
            }
            let write = self.write.clone();
            if self.say(async move { write.signal(sig(Signal::Kill)).await }).await || self.over_within(GRACE).await {
                return true;
            }
        }
        close(&mut self.read, &self.write).await
    }

    /// Sends something while output goes on being taken. Whether the channel ended meanwhile.
    async fn say(&mut self, what: impl Future<Output = Result<(), russh::Error>>) -> bool {
        tokio::pin!(what);
        loop {
            tokio::select! {
                _sent_or_gone = &mut what => return false,
                message = self.read.wait() => if self.take(message) { return true },
            }
        }
    }

    /// Whether the channel ends, or the command does, within a time.
    async fn over_within(&mut self, limit: Duration) -> bool {
        let over = async {
            loop {
                let message = self.read.wait().await;
                if self.take(message) {
                    return true;
                }
                if self.status.is_some() {
                    return false;
                }
            }
        };
        timeout(limit, over).await.unwrap_or(false)
    }
}

/// Closes a channel and waits until the server agrees, so that its slot is free when the lease is given back.
pub(super) async fn close(read: &mut ChannelReadHalf, write: &WriteHalf) -> bool {
    let closing = async {
        let _gone_already = write.close().await;
        loop {
            if matches!(read.wait().await, None | Some(ChannelMsg::Close)) {
                return true;
            }
        }
    };
    timeout(CLOSE, closing).await.unwrap_or(false)
}

async fn next_request(requests: &mut ControlRequests, room: bool) -> Option<ControlRequest> {
    if room { requests.recv().await } else { requests.recv_urgent().await }
}

async fn why_unknown(connection: &Connection) -> String {
    match connection.is_dead() {
        true => connection.last_words().await,
        false => "the server closed the channel without telling a status".into(),
    }
}

/// While it lives, the connection counts as held up.
struct Stall(std::sync::Arc<crate::host::ssh::vitals::Vitals>);

impl Stall {
    fn new(lease: &Lease) -> Stall {
        lease.connection.vitals.stall();
        Stall(lease.connection.vitals.clone())
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.0.flow();
    }
}

/// The name of a signal without SIG; a server could send anything.
fn signal_text(signal: &Sig) -> String {
    let name = match signal {
        Sig::ABRT => "ABRT",
        Sig::ALRM => "ALRM",
        Sig::FPE => "FPE",
        Sig::HUP => "HUP",
        Sig::ILL => "ILL",
        Sig::INT => "INT",
        Sig::KILL => "KILL",
        Sig::PIPE => "PIPE",
        Sig::QUIT => "QUIT",
        Sig::SEGV => "SEGV",
        Sig::TERM => "TERM",
        Sig::USR1 => "USR1",
        Sig::Custom(name) => return printable(name, 16).replace('\n', ""),
    };
    name.to_string()
}
