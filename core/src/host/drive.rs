//! The loop around one running command: keys in, output out, and the ways it is stopped.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use super::collect::Collected;
use super::keys::{self, Gate, Keys};
use super::lifecycle::{EndStep, PoliteEnd};
use super::one_run::Connection;
use super::show::{self, Shown};
use super::sudo_session::{Reaction, SudoSession};
use super::{ExitStatus, Process, ProcessEvent, RunIo, RunOptions, RunOutput};

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

/// Accompanies a command to its end.
pub(crate) async fn drive(
    process: Process,
    connection: Connection,
    sudo: Option<SudoSession>,
    options: &RunOptions,
    io: &RunIo,
) -> Ended {
    let control = process.control.clone();
    let (gate, gate_seen) = watch::channel(if sudo.is_some() { Gate::Held } else { Gate::Open });
    let ctrl_c = AtomicBool::new(false);
    let keys = Keys { control: control.clone(), pty: connection.pty, interrupted: &ctrl_c };
    let mut keys = pin!(keyboard(keys, gate_seen, connection, options, io));
    let mut sizes = pin!(keys::follow_size(io.terminal.size(), control.clone()));
    let (show, showing) = show::queue(io.terminal.clone());
    let mut showing = pin!(showing);
    let mut timeout = pin!(after(options.timeout));
    let show = connection.operator.then_some(show);
    let mut driven = Driven::new(process, show, connection.pty, sudo, gate);
    let (mut keys_end, mut sizes_end, mut showing_end) = (false, !(connection.operator && connection.pty), false);
    while driven.status.is_none() {
        tokio::select! {
            () = driven.step() => {}
            () = &mut keys, if !keys_end => keys_end = true,
            () = &mut sizes, if !sizes_end => sizes_end = true,
            () = &mut showing, if !showing_end => showing_end = true,
            () = io.cancel.cancelled(), if driven.stopped.is_none() => driven.stop(Stop::Cancelled),
            limit = &mut timeout, if driven.stopped.is_none() => driven.stop(Stop::TimedOut(limit)),
        }
    }
    driven.show = None;
    if !showing_end {
        // Output goes before whatever is shown next; a cancelled run does not wait for a slow terminal.
        tokio::select! {
            biased;
            () = &mut showing => {}
            () = io.cancel.cancelled() => {}
        }
    }
    let mut ended = driven.finish();
    ended.output.shown = connection.operator;
    if ended.stopped.is_none() && ctrl_c.load(Ordering::Relaxed) && died_of_ctrl_c(&ended.output.status) {
        ended.stopped = Some(Stop::CtrlC);
    }
    ended
}

/// Shells report the death of what they ran as 128 and the number of the signal.
fn died_of_ctrl_c(status: &ExitStatus) -> bool {
    match status {
        ExitStatus::Signal(name) => name == "INT",
        ExitStatus::Code(code) => *code == 130,
        ExitStatus::CutOff { ended, .. } => died_of_ctrl_c(ended),
        ExitStatus::Unknown(_) => false,
    }
}

/// What is typed, for as long as the command runs.
async fn keyboard(
    keys: Keys<'_>,
    gate: watch::Receiver<Gate>,
    connection: Connection,
    options: &RunOptions,
    io: &RunIo,
) {
    if !connection.operator {
        return keys::end_of_input(keys.control, gate).await;
    }
    let initial = options.initial_input.clone().map(Bytes::from);
    keys::forward(io.terminal.keyboard(), initial, keys, gate).await;
}

async fn after(limit: Option<Duration>) -> Duration {
    match limit {
        Some(limit) => {
            tokio::time::sleep(limit).await;
            limit
        }
        None => std::future::pending().await,
    }
}

/// A command under way.
struct Driven {
    process: Process,
    stdout: Collected,
    stderr: Collected,
    /// Where output is shown.
    show: Option<mpsc::Sender<Shown>>,
    /// Output that the terminal has no room for yet.
    waiting: VecDeque<Shown>,
    pty: bool,
    sudo: Option<SudoSession>,
    gate: watch::Sender<Gate>,
    stopped: Option<Stop>,
    end: Option<PoliteEnd>,
    status: Option<ExitStatus>,
}

impl Driven {
    fn new(
        process: Process,
        show: Option<mpsc::Sender<Shown>>,
        pty: bool,
        sudo: Option<SudoSession>,
        gate: watch::Sender<Gate>,
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
    async fn step(&mut self) {
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
            Reaction::Gate(gate) => {
                self.gate.send_replace(gate);
            }
            Reaction::Cancelled => self.stop(Stop::Cancelled),
            Reaction::Refused(reason) => {
                // sudo is root's and takes no signal from us, but it ends when nobody can answer it.
                self.gate.send_replace(Gate::Open);
                self.stop(Stop::Refused { reason, wants_terminal: false });
            }
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

    fn stop(&mut self, why: Stop) {
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

    fn finish(mut self) -> Ended {
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
