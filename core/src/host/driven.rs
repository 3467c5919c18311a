//! A command under way: what it has printed, what is shown of it, how it is stopped.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::collect::Collected;
use super::keys::Gate;
use super::lifecycle::{EndStep, PoliteEnd};
use super::show::Shown;
use super::sudo_session::{Reaction, SudoSession};
use super::{ExitStatus, Process, ProcessEvent, RunOutput};

/// Why a command was stopped before its own end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The run was cancelled.
    Cancelled,
    /// The operator's Ctrl-C went to the command, and it died of that.
    CtrlC,
    /// It took longer than this.
    TimedOut(Duration),
    /// sudo did not start it.
    Refused {
        /// Why, in its words or ours.
        reason: String,
        /// Whether it would with a terminal.
        wants_terminal: bool,
    },
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) output: RunOutput,
    pub(crate) stopped: Option<Stop>,
}

/// A command under way.
pub(super) struct Driven {
    process: Process,
    stdout: Collected,
    stderr: Collected,
    /// Where output is shown.
    pub(super) show: Option<mpsc::Sender<Shown>>,
    /// Output that the terminal has no room for yet.
    waiting: VecDeque<Shown>,
    pty: bool,
    sudo: Option<SudoSession>,
    /// Whether keys may pass; `None` where nobody types.
    gate: Option<watch::Sender<Gate>>,
    pub(super) stopped: Option<Stop>,
    end: Option<PoliteEnd>,
    pub(super) status: Option<ExitStatus>,
}

impl Driven {
    pub(super) fn new(
        process: Process,
        show: Option<mpsc::Sender<Shown>>,
        pty: bool,
        sudo: Option<SudoSession>,
        gate: Option<watch::Sender<Gate>>,
    ) -> Driven {
        Driven {
            process,
            stdout: Collected::new(RunOutput::MAX),
            stderr: Collected::new(RunOutput::MAX),
            show,
            waiting: VecDeque::new(),
            pty,
            sudo,
            gate,
            stopped: None,
            end: None,
            status: None,
        }
    }

    /// The next thing that happens to the command. Cancel safe: nothing is taken before it is dealt with.
    pub(super) async fn step(&mut self) {
        let room = self.waiting.is_empty();
        tokio::select! {
            step = due(&mut self.end) => self.end_step(step),
            () = hand_over(&self.show, &mut self.waiting), if !room => {}
            event = self.process.events.recv(), if room => self.event(event),
            reaction = answered(&mut self.sudo) => self.react(reaction),
        }
    }

    fn event(&mut self, event: Option<ProcessEvent>) {
        match event {
            Some(ProcessEvent::Stdout(bytes)) => self.stdout(bytes),
            Some(ProcessEvent::Stderr(bytes)) => self.stderr(bytes),
            Some(ProcessEvent::Exit(status)) => self.status = Some(status),
            None => self.status = Some(ExitStatus::Unknown("its end was not reported".to_string())),
        }
    }

    fn stdout(&mut self, bytes: Bytes) {
        let bytes = match &mut self.sudo {
            Some(sudo) => {
                let (heard, reaction) = sudo.stdout(&bytes, &self.process.control);
                self.react(reaction);
                self.show(Shown::Talk(heard.talk.into()));
                Bytes::from(heard.output)
            }
            None => bytes,
        };
        self.stdout.push(&bytes);
        self.show(Shown::Output(bytes));
    }

    fn stderr(&mut self, bytes: Bytes) {
        let bytes = match &mut self.sudo {
            Some(sudo) => {
                let (heard, reaction) = sudo.stderr(&bytes, &self.process.control);
                self.react(reaction);
                self.show(Shown::Talk(heard.talk.into()));
                Bytes::from(heard.output)
            }
            None => bytes,
        };
        self.stderr.push(&bytes);
        self.show(Shown::Talk(bytes));
    }

    fn react(&mut self, reaction: Reaction) {
        match reaction {
            Reaction::None => {}
            Reaction::Gate(gate) => self.set_gate(gate),
            Reaction::Cancelled => self.stop(Stop::Cancelled),
            Reaction::Refused(reason) => {
                // sudo is root's and takes no signal from us, but it ends when nobody can answer it.
                self.set_gate(Gate::Open);
                self.stop(Stop::Refused { reason, wants_terminal: false });
            }
        }
    }

    fn set_gate(&self, to: Gate) {
        if let Some(gate) = &self.gate {
            gate.send_replace(to);
        }
    }

    fn show(&mut self, shown: Shown) {
        if shown.is_empty() {
            return;
        }
        let Some(show) = &self.show else { return };
        if !self.waiting.is_empty() {
            return self.waiting.push_back(shown);
        }
        match show.try_send(shown) {
            Ok(()) => {}
            // Who stops a command does not wait for a slow terminal to see the end of it.
            Err(mpsc::error::TrySendError::Full(_)) if self.stopped.is_some() => {}
            Err(mpsc::error::TrySendError::Full(shown)) => self.waiting.push_back(shown),
            Err(mpsc::error::TrySendError::Closed(_)) => self.show = None,
        }
    }

    pub(super) fn stop(&mut self, why: Stop) {
        if self.stopped.is_some() {
            return;
        }
        self.stopped = Some(why);
        self.waiting.clear();
        self.end = Some(PoliteEnd::begin(self.pty));
    }

    fn end_step(&mut self, step: EndStep) {
        match step {
            EndStep::Send(signal) => self.process.control.signal(signal),
            EndStep::GiveUp => self.status = Some(ExitStatus::Unknown("it did not end when told to".to_string())),
        }
    }

    /// What it came to.
    pub(super) fn finish(mut self) -> Ended {
        let (stdout, dropped) = self.stdout.finish();
        let (stderr, dropped_too) = self.stderr.finish();
        let status = self.status.unwrap_or_else(|| ExitStatus::Unknown("its end was not reported".to_string()));
        if let (None, Some(sudo)) = (&self.stopped, &mut self.sudo) {
            self.stopped = sudo.refusal(&status);
        }
        Ended {
            output: RunOutput { stdout, stderr, status, dropped: dropped + dropped_too, shown: false },
            stopped: self.stopped,
        }
    }
}

async fn answered(sudo: &mut Option<SudoSession>) -> Reaction {
    match sudo {
        Some(sudo) => sudo.answered().await,
        None => std::future::pending().await,
    }
}

async fn due(end: &mut Option<PoliteEnd>) -> EndStep {
    match end {
        Some(end) => end.next().await,
        None => std::future::pending().await,
    }
}

/// Puts the waiting output into the queue as soon as there is room; drops it when nothing is shown any more. Cancel
/// safe.
async fn hand_over(show: &Option<mpsc::Sender<Shown>>, waiting: &mut VecDeque<Shown>) {
    let permit = match show {
        Some(show) => show.reserve().await.ok(),
        None => None,
    };
    match permit {
        Some(permit) => {
            if let Some(shown) = waiting.pop_front() {
                permit.send(shown);
            }
        }
        None => waiting.clear(),
    }
}
