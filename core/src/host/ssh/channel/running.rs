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

use std::future::Future;
use std::time::{Duration, Instant};

use bytes::Bytes;
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::watch;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::mark::Mark;
use super::outbox::{Outbox, WriteHalf};
use super::ring::{LIMIT, Ring};
use super::status;
use super::victim::Victim;
use super::waits::{Boxed, Stall, close, done, due, next_request, nothing_on_the_way, why_unknown};
use crate::host::end_marks::{End, EndMarks};
use crate::host::lifecycle::{EndStep, PoliteEnd};
use crate::host::process::{ControlRequest, ControlRequests, Stream};
use crate::host::ssh::helper::Begin;
use crate::host::ssh::pool::{Lease, Spare};
use crate::host::{ExitStatus, ProcessEvent};

/// How long others on the connection may be kept waiting by one slow reader, in all, until it has caught up.
const PATIENCE: Duration = Duration::from_secs(1);

/// The two ends towards whoever wanted the command.
pub(in crate::host::ssh) struct Reader {
    pub(in crate::host::ssh) events: mpsc::Sender<ProcessEvent>,
    pub(in crate::host::ssh) requests: ControlRequests,
}

/// What a command on a helper shell is known by.
pub(in crate::host::ssh) struct HelperRun {
    pub(in crate::host::ssh) begin: Begin,
    pub(in crate::host::ssh) marks: EndMarks,
    /// The process group of the helper and all its commands.
    pub(in crate::host::ssh) group: i32,
}

/// A command on a helper shell that has ended, and the channel for the next one.
pub(in crate::host::ssh) struct HelperRan {
    pub(in crate::host::ssh) lease: Lease,
    pub(in crate::host::ssh) read: ChannelReadHalf,
    pub(in crate::host::ssh) write: WriteHalf,
    /// To be told when the helper can take another command: whoever hears it may have one at once.
    pub(in crate::host::ssh) exit: Exit,
}

/// The end of a command that is still to be told.
pub(in crate::host::ssh) struct Exit {
    events: mpsc::Sender<ProcessEvent>,
    status: ExitStatus,
}

impl Exit {
    /// Tells it; a slow reader keeps nobody waiting.
    pub(in crate::host::ssh) fn tell(self) {
        let Exit { events, status } = self;
        if let Err(TrySendError::Full(exit)) = events.try_send(ProcessEvent::Exit(status)) {
            tokio::spawn(async move { drop(events.send(exit).await) });
        }
    }
}

pub(super) struct Running {
    lease: Lease,
    read: ChannelReadHalf,
    write: WriteHalf,
    reader: Reader,
    /// Whether somebody can still ask for something.
    listening: bool,
    outbox: Outbox,
    ring: Ring,
    /// Nothing is typed at the command: its input has ended from the start.
    no_input: bool,
    /// Still to be found in the output.
    mark: Option<Mark>,
    /// What begins a command on a helper shell.
    begin: Option<Begin>,
    /// What ends it; its channel stays open.
    end_marks: Option<EndMarks>,
    /// They were found.
    told: Option<End>,
    group: watch::Sender<Option<i32>>,
    victim: Victim,
    terminal: bool,
    status: Option<ExitStatus>,
    /// The server said how the program on the channel ended.
    exit_told: bool,
    /// The server said that no more output comes.
    all_sent: bool,
    /// The channel went away with its connection, not by its own end.
    lost: bool,
    /// Output is dropped until the ring is empty.
    dropping: bool,
    patience: Duration,
    /// Nobody wants the command any more; how it is ended.
    end: Option<PoliteEnd>,
    /// Somebody wanted the command to end: then nothing of its process group may stay.
    unwanted: bool,
    /// Ends what the command has left behind.
    sweep: Option<Boxed<bool>>,
    /// Finds out whether output is still on the way.
    quiet: Option<Boxed<()>>,
    /// The channel has to be closed from our side.
    still_open: bool,
    /// Whoever ends the program waits for it.
    counted: Option<TaskTrackerToken>,
}

/// What woke the task.
enum Happening {
    Message(Option<ChannelMsg>),
    /// The reader took something.
    Delivered,
    /// The process was dropped.
    Dropped,
    Request(Option<ControlRequest>),
    Sent,
    EndStep(EndStep),
    /// The reader has kept others waiting for long enough.
    Impatient,
    /// The command has ended and its output too, although something keeps the streams open.
    Quiet,
    Swept,
}

impl Running {
    pub(super) fn new(
        lease: Lease,
        spare: Spare,
        (read, write): (ChannelReadHalf, WriteHalf),
        reader: Reader,
        mark: Option<Mark>,
        terminal: bool,
    ) -> Running {
        let (group, known) = watch::channel(None);
        let counted = spare.command();
        let victim = Victim::new(lease.connection.clone(), spare, known);
        Running {
            lease,
            read,
            outbox: Outbox::new(write.clone(), victim.clone(), terminal, mark.is_some()),
            write,
            reader,
            listening: true,
            ring: Ring::new(LIMIT, terminal),
            no_input: false,
            mark,
            begin: None,
            end_marks: None,
            told: None,
            group,
            victim,
            terminal,
            status: None,
            exit_told: false,
            all_sent: false,
            lost: false,
            dropping: false,
            patience: PATIENCE,
            end: None,
            unwanted: false,
            sweep: None,
            quiet: None,
            still_open: false,
            counted,
        }
    }

    /// A command that was given to a helper shell.
    pub(super) fn on_helper(
        lease: Lease,
        spare: Spare,
        halves: (ChannelReadHalf, WriteHalf),
        reader: Reader,
        helper: HelperRun,
    ) -> Running {
        let running = Running::new(lease, spare, halves, reader, None, false);
        running.group.send_replace(Some(helper.group));
        // The input of the channel is the helper's.
        Running { begin: Some(helper.begin), end_marks: Some(helper.marks), no_input: true, ..running }
    }

    /// The command was told already that nothing will be typed.
    pub(super) fn input_has_ended(&mut self) {
        self.no_input = true;
    }

    /// Serves the command until its channel is closed: not until the end of output or the status, either may come first.
    pub(super) async fn serve(mut self) {
        while self.step().await {}
        self.conclude().await;
    }

    /// Serves a command on a helper shell until its marks were seen. The channel comes back when another command can run
    /// there: the helper is alive, nobody wanted the command to end, it left nothing behind, and all was delivered.
    pub(super) async fn serve_on_helper(mut self) -> Option<HelperRan> {
        while self.step().await {}
        match (self.told, self.status.clone()) {
            (Some(End { left: false, .. }), Some(status)) if !self.unwanted && self.ring.is_empty() => {
                let Running { lease, read, write, reader: Reader { events, .. }, .. } = self;
                Some(HelperRan { lease, read, write, exit: Exit { events, status } })
            }
            _ => {
                self.still_open |= self.told.is_some();
                self.conclude().await;
                None
            }
        }
    }

    async fn conclude(mut self) {
        if self.status.is_none() && self.end.is_some() && !self.lease.connection.is_dead() {
            let connection = &self.lease.connection;
            tracing::warn!(
                address = %connection.address,
                user = %connection.user,
                "a command that was stopped may still run: it does not end"
            );
        }
        if let Some(sweep) = self.sweep.take() {
            sweep.await;
        }
        let connection = self.lease.connection.clone();
        let begin = self.begin.take().filter(|begin| begin.is_awaited() && self.exit_told && self.all_sent);
        if let Some(begin) = begin {
            // Whoever waits for it runs the command elsewhere, and has no use for an end of it.
            begin.never_came();
            if let Some(ExitStatus::Unknown(why)) = &mut self.status {
                *why = "the helper shell ended before it began the command".into();
            }
        }
        let status = match self.status.take() {
            Some(status @ ExitStatus::Unknown(_)) => status,
            Some(status) if !self.lost || self.all_sent => status,
            Some(ended) => ExitStatus::CutOff { ended: Box::new(ended), why: connection.last_words().await },
            None => ExitStatus::Unknown(why_unknown(&connection).await),
        };
        self.finish(status).await;
    }

    /// Ends a command of which it is not known whether it was ever started.
    pub(super) async fn give_up(mut self, why: String) {
        self.abandon();
        while self.step().await {}
        self.finish(ExitStatus::Unknown(why)).await;
    }

    /// Why the connection ended.
    pub(super) fn last_words(&self) -> impl Future<Output = String> + Send + use<> {
        let connection = self.lease.connection.clone();
        async move { connection.last_words().await }
    }

    /// One thing that happens. False: it is over.
    async fn step(&mut self) -> bool {
        if !self.ring.has_room() && !self.dropping {
            self.wait_for_reader().await;
            return true;
        }
        let happening = self.happens().await;
        match happening {
            Happening::Message(message) => self.take(message),
            Happening::Delivered => {
                self.caught_up();
                true
            }
            Happening::Dropped => {
                self.abandon();
                true
            }
            Happening::Request(request) => {
                self.put(request);
                true
            }
            Happening::Sent | Happening::Impatient => true,
            Happening::EndStep(EndStep::Send(signal)) => {
                self.put(Some(ControlRequest::Signal(signal)));
                true
            }
            Happening::Swept => {
                self.sweep = None;
                true
            }
            Happening::EndStep(EndStep::GiveUp) | Happening::Quiet => {
                self.still_open = true;
                false
            }
        }
    }

    async fn happens(&mut self) -> Happening {
        let quiet_now = self.status.is_some() && self.sweep.is_none();
        if quiet_now && self.quiet.is_none() {
            self.quiet = Some(Box::pin(nothing_on_the_way(self.lease.connection.clone())));
        }
        let (events, requests) = (&self.reader.events, &mut self.reader.requests);
        // In this order: what somebody wants of the command is not kept waiting by a flood of output; what was received is
        // handed over before more is taken; and the timer of the last one, which wakes another thread when it is set, is
        // not set when the end of the channel is there already.
        tokio::select! {
            biased;
            () = events.closed(), if self.end.is_none() => Happening::Dropped,
            request = next_request(requests, self.outbox.has_room()), if self.listening => Happening::Request(request),
            () = self.outbox.work(), if self.outbox.is_busy() => Happening::Sent,
            step = due(&mut self.end), if self.end.is_some() && self.status.is_none() => Happening::EndStep(step),
            () = done(&mut self.sweep), if self.sweep.is_some() => Happening::Swept,
            permit = events.reserve(), if !self.ring.is_empty() => {
                if let (Ok(permit), Some(event)) = (permit, self.ring.pop()) {
                    permit.send(event);
                }
                Happening::Delivered
            }
            message = self.read.wait() => Happening::Message(message),
            () = done(&mut self.quiet), if quiet_now => Happening::Quiet,
        }
    }

    /// Nobody reads any more: ends the command politely.
    fn abandon(&mut self) {
        self.dropping = true;
        self.unwanted = true;
        self.end = Some(PoliteEnd::begin(self.terminal));
    }

    /// The ring is full: nothing is taken from the connection until there is room, or patience ends.
    async fn wait_for_reader(&mut self) {
        let alone = self.lease.connection.serves_one();
        let (started, patience) = (Instant::now(), self.patience);
        let _stall = Stall::new(&self.lease);
        let limit = async {
            match alone {
                true => std::future::pending().await,
                false => tokio::time::sleep(patience).await,
            }
        };
        let (events, requests) = (&self.reader.events, &mut self.reader.requests);
        let happening = tokio::select! {
            permit = events.reserve() => {
                if let (Ok(permit), Some(event)) = (permit, self.ring.pop()) {
                    permit.send(event);
                }
                Happening::Delivered
            }
            () = limit => Happening::Impatient,
            request = next_request(requests, self.outbox.has_room()), if self.listening => Happening::Request(request),
        };
        match happening {
            // A request would not get out: russh is waiting for us.
            Happening::Request(request) => {
                self.dropping |= request.is_some();
                self.put(request);
            }
            Happening::Impatient => self.dropping = true,
            _ => {}
        }
        if !alone {
            self.patience = self.patience.saturating_sub(started.elapsed());
        }
        if self.reader.events.is_closed() {
            // The next step sees it; taking must not be what it waits for.
            self.dropping = true;
        }
    }

    fn caught_up(&mut self) {
        if self.ring.is_empty() && self.end.is_none() {
            self.dropping = false;
            self.patience = PATIENCE;
        }
    }

    fn put(&mut self, request: Option<ControlRequest>) {
        match request {
            Some(ControlRequest::Input(_) | ControlRequest::Eof) if self.no_input => {}
            Some(request) => {
                self.unwanted |= matches!(request, ControlRequest::Signal(_));
                self.outbox.put(request);
            }
            None => self.listening = false,
        }
    }

    /// Whether the channel goes on.
    fn take(&mut self, message: Option<ChannelMsg>) -> bool {
        self.quiet = None;
        match message {
            None => {
                self.lost = true;
                return false;
            }
            Some(ChannelMsg::Close) => return false,
            Some(ChannelMsg::Eof) => self.all_sent = true,
            Some(ChannelMsg::Data { data }) => self.printed(Stream::Out, data),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => self.printed(Stream::Err, data),
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                self.channel_ended(status::of_code(exit_status));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                self.channel_ended(status::of_signal(&signal_name));
            }
            Some(_) => {}
        }
        self.told.is_none() || self.sweep.is_some()
    }

    /// The end of a helper is not that of its command, unless both were ended from here.
    fn channel_ended(&mut self, status: ExitStatus) {
        self.exit_told = true;
        let status = match status {
            status if self.end_marks.is_none() || self.unwanted => status,
            // The number is that of what started the helper.
            ExitStatus::Code(_) => ExitStatus::Unknown("the helper shell ended while it ran".into()),
            status => ExitStatus::Unknown(format!("the helper shell ended ({status}) while it ran")),
        };
        self.ended(status);
    }

    fn ended(&mut self, status: ExitStatus) {
        self.status.get_or_insert(status);
        if self.unwanted && self.sweep.is_none() {
            let victim = self.victim.clone();
            self.sweep = Some(Box::pin(async move { victim.sweep().await }));
        }
    }

    fn printed(&mut self, stream: Stream, bytes: Bytes) {
        let marked = if self.terminal { Stream::Out } else { Stream::Err };
        let bytes = match &mut self.mark {
            Some(mark) if stream == marked => {
                let (bytes, group) = mark.filter(bytes);
                if group.is_some() {
                    self.group.send_replace(group);
                    self.mark = None;
                }
                bytes
            }
            _ => bytes,
        };
        let bytes = match &mut self.begin {
            Some(begin) if stream == Stream::Out => begin.filter(bytes),
            _ => bytes,
        };
        let bytes = match &mut self.end_marks {
            Some(marks) => marks.filter(stream, bytes),
            None => bytes,
        };
        if !bytes.is_empty() {
            self.output(stream, bytes);
        }
        if self.told.is_none()
            && let Some(end) = self.end_marks.as_ref().and_then(EndMarks::end)
        {
            self.told = Some(end);
            self.ended(ExitStatus::Code(end.status));
        }
    }

    fn output(&mut self, stream: Stream, bytes: Bytes) {
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
                self.reader.events.try_send(event)
            {
                self.ring.push(stream, bytes);
            }
            return;
        }
        self.ring.push(stream, bytes);
    }

    /// Hands over what is left, without keeping the connection from others meanwhile.
    async fn finish(mut self, status: ExitStatus) {
        if let Some(mut mark) = self.mark.take() {
            let stream = if self.terminal { Stream::Out } else { Stream::Err };
            let rest = mark.rest();
            if !rest.is_empty() {
                self.output(stream, rest);
            }
        }
        if let Some(mut marks) = self.end_marks.take() {
            for stream in [Stream::Out, Stream::Err] {
                let rest = marks.rest(stream);
                if !rest.is_empty() {
                    self.output(stream, rest);
                }
            }
        }
        let Running { lease, mut read, write, mut ring, reader: Reader { events, .. }, still_open, counted, .. } = self;
        if still_open {
            tokio::spawn(async move {
                close(&mut read, &write).await;
                drop(lease);
            });
        } else {
            drop(lease);
        }
        // It has ended; a slow reader of its last output keeps no program from ending.
        drop(counted);
        ring.mark_gap();
        while let Some(event) = ring.pop() {
            if events.send(event).await.is_err() {
                return;
            }
        }
        let _reader_gone = events.send(ProcessEvent::Exit(status)).await;
    }
}
