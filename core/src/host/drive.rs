//! The loops around one running command: keys in, output out, and the ways it is stopped.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future;
use tokio::sync::watch;

use super::driven::{Driven, Ended, Stop};
use super::keys::{self, Gate, Keys};
use super::one_run::Connection;
use super::show;
use super::sudo_session::SudoSession;
use super::{ExitStatus, Process, RunIo, RunOptions};

/// Accompanies a command to its end.
pub(crate) async fn drive(
    process: Process,
    connection: Connection,
    sudo: Option<SudoSession>,
    options: &RunOptions,
    io: &RunIo,
) -> Ended {
    match connection.operator || sudo.is_some() {
        true => attended(process, connection, sudo, options, io).await,
        false => unattended(process, connection, options, io).await,
    }
}

/// A command that nobody watches or types at. There are a hundred thousand of them in one large run.
async fn unattended(process: Process, connection: Connection, options: &RunOptions, io: &RunIo) -> Ended {
    process.control.eof().await;
    let mut driven = Driven::new(process, None, connection.pty, None, None);
    let mut timeout = pin!(after(options.timeout));
    let mut cancelled = pin!(io.cancel.cancelled());
    while driven.status.is_none() {
        tokio::select! {
            () = driven.step() => {}
            () = &mut cancelled, if driven.stopped.is_none() => driven.stop(Stop::Cancelled),
            limit = &mut timeout, if driven.stopped.is_none() => driven.stop(Stop::TimedOut(limit)),
        }
    }
    driven.finish()
}

/// One with an operator, or with sudo, whose questions are answered.
async fn attended(
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
    let keys = keyboard(keys, gate_seen, connection, options, io);
    let (size, has_screen) = (io.terminal.size(), connection.operator && connection.pty);
    let sizes = async {
        if has_screen {
            keys::follow_size(size, control).await;
        }
    };
    // In this order: what was typed after the size has changed comes to a program that has heard of it.
    let mut operator = pin!(future::join(sizes, keys));
    let (show, showing) = show::queue(io.terminal.clone());
    let mut showing = pin!(showing);
    let mut timeout = pin!(after(options.timeout));
    let show = connection.operator.then_some(show);
    let mut driven = Driven::new(process, show, connection.pty, sudo, Some(gate));
    let mut cancelled = pin!(io.cancel.cancelled());
    let (mut operator_end, mut showing_end) = (false, false);
    while driven.status.is_none() {
        tokio::select! {
            () = driven.step() => {}
            _ = &mut operator, if !operator_end => operator_end = true,
            () = &mut showing, if !showing_end => showing_end = true,
            () = &mut cancelled, if driven.stopped.is_none() => driven.stop(Stop::Cancelled),
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
