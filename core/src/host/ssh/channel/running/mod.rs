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

mod conclusion;
mod ends;
mod patience;
mod received;

use std::time::Duration;

use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::watch;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::mark::Mark;
use super::outbox::{Outbox, WriteHalf};
use super::ring::{LIMIT, Ring};
use super::victim::Victim;
use super::waits::{Boxed, done, due, next_request, nothing_on_the_way};
use crate::host::ExitStatus;
use crate::host::end_marks::{End, EndMarks};
use crate::host::lifecycle::{EndStep, PoliteEnd};
use crate::host::process::ControlRequest;
use crate::host::ssh::helper::Begin;
use crate::host::ssh::pool::{Lease, Spare};

pub(in crate::host::ssh) use ends::{Exit, HelperRan, HelperRun, Reader};
use patience::PATIENCE;

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
}
