//! The task that owns a local command from its start to its end.

use std::time::Duration;

use tokio::sync::mpsc;

use super::child::Child;
use super::input::Input;
use super::output::Output;
use crate::host::lifecycle::{EndStep, PoliteEnd};
use crate::host::process::{ControlRequest, ControlRequests};
use crate::host::{ExitStatus, ProcessEvent, Signal};

/// Events that may wait for whoever reads: with chunks of 16 KiB, one MiB.
pub(super) const EVENTS_MAX: usize = 64;

/// How long the streams may stay silent after the command has ended, when something it left behind (`daemon &`)
/// keeps them open.
const SILENCE: Duration = Duration::from_millis(200);

/// How much is read after the command has ended: more than any pipe or terminal holds, so the rest is not the
/// command's but of something it left behind.
const AFTER_END_MAX: usize = 2 * 1024 * 1024;

/// One command.
pub(super) struct Task {
    child: Child,
    input: Input,
    output: Output,
    pty: bool,
    requests: ControlRequests,
    /// Whether requests can still come.
    asked: bool,
    events: mpsc::Sender<ProcessEvent>,
    /// An event the reader has no room for yet.
    waiting: Option<ProcessEvent>,
    /// Whether somebody reads.
    heard: bool,
    status: Option<ExitStatus>,
    after_end: usize,
    /// Somebody wants it to end: then nothing of its process group may stay behind.
    ending: bool,
    end: Option<PoliteEnd>,
}

impl Task {
    pub(super) fn new(
        child: Child,
        input: Input,
        output: Output,
        requests: ControlRequests,
        events: mpsc::Sender<ProcessEvent>,
    ) -> Task {
        Task {
            child,
            pty: matches!(output, Output::Pty(_)),
            input,
            output,
            requests,
            asked: true,
            events,
            waiting: None,
            heard: true,
            status: None,
            after_end: 0,
            ending: false,
            end: None,
        }
    }

    /// Runs until the command has ended, was reaped, and its end was told.
    pub(super) async fn run(mut self) {
        while self.status.is_none() || self.waiting.is_some() || !self.output.closed() || self.ending {
            self.step().await;
        }
        if let Some(status) = self.status.take() {
            // Nobody reads any more when the process was dropped.
            let _dropped = self.events.send(ProcessEvent::Exit(status)).await;
        }
    }

    async fn step(&mut self) {
        let (running, room, open) = (self.status.is_none(), self.waiting.is_none(), !self.output.closed());
        tokio::select! {
            request = next_request(&mut self.requests, self.input.full()), if self.asked => self.request(request),
            () = hand_over(&self.events, &mut self.waiting), if !room => {}
            event = self.output.next(), if room && open => self.printed(event),
            () = tokio::time::sleep(SILENCE), if room && !running => self.silent(),
            () = self.input.work(), if running && self.input.pending() => {}
            status = self.child.wait(), if running => self.ended(status),
            () = self.events.closed(), if self.heard => {
                self.heard = false;
                if running {
                    self.end_politely();
                }
            }
            step = due(&mut self.end), if self.ending => self.end_step(step),
        }
    }

    fn end_politely(&mut self) {
        self.ending = true;
        self.end = Some(PoliteEnd::begin(self.pty));
    }

    fn ended(&mut self, status: ExitStatus) {
        self.status = Some(status);
        self.ending = self.ending && self.child.group_lives();
        if self.ending && self.end.is_none() {
            self.end_politely();
        }
    }

    /// The command has ended and so has its output, or something it left behind keeps the streams open.
    fn silent(&mut self) {
        self.ending = self.ending && self.child.group_lives();
        if !self.ending {
            self.output = Output::Closed;
        }
    }

    fn request(&mut self, request: Option<ControlRequest>) {
        match request {
            Some(ControlRequest::Input(bytes)) => self.input.push(bytes),
            Some(ControlRequest::Eof) => self.input.end(),
            Some(ControlRequest::Resize(size)) => {
                if let Err(error) = self.input.resize(size) {
                    tracing::debug!(%error, "the terminal took no new size");
                }
            }
            Some(ControlRequest::Signal(signal)) => self.signal(signal),
            None => self.asked = false,
        }
    }

    fn signal(&mut self, signal: Signal) {
        self.ending = self.status.is_none() || self.child.group_lives();
        let pressed = signal == Signal::Int && self.input.interrupt();
        if !pressed {
            self.child.signal(signal);
        }
    }

    fn printed(&mut self, event: Option<ProcessEvent>) {
        if self.status.is_some() {
            self.after_end += event.as_ref().map_or(0, size);
            if self.after_end > AFTER_END_MAX {
                self.output = Output::Closed;
            }
        }
        self.waiting = event.filter(|_| self.heard);
    }

    fn end_step(&mut self, step: EndStep) {
        match step {
            EndStep::Send(signal) => self.signal(signal),
            EndStep::GiveUp => {
                // The kernel hangs up on everything in the terminal when its last master is closed. The child is
                // still waited for: it may be stuck in the kernel or belong to another user, but not for ever.
                self.ending = false;
                self.end = None;
                self.input.close();
                self.output = Output::Closed;
                self.child.hang_up();
            }
        }
    }
}

fn size(event: &ProcessEvent) -> usize {
    match event {
        ProcessEvent::Stdout(bytes) | ProcessEvent::Stderr(bytes) => bytes.len(),
        ProcessEvent::Exit(_) => 0,
    }
}

/// Gives the waiting event to the reader as soon as he has room; drops it when nobody reads. Cancel safe.
async fn hand_over(events: &mpsc::Sender<ProcessEvent>, waiting: &mut Option<ProcessEvent>) {
    let permit = events.reserve().await;
    if let (Ok(permit), Some(event)) = (permit, waiting.take()) {
        permit.send(event);
    }
}

async fn next_request(requests: &mut ControlRequests, full: bool) -> Option<ControlRequest> {
    if full { requests.recv_urgent().await } else { requests.recv().await }
}

async fn due(end: &mut Option<PoliteEnd>) -> EndStep {
    match end {
        Some(end) => end.next().await,
        None => std::future::pending().await,
    }
}
