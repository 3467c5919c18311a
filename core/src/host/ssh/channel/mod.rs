//! One command on one channel: how it is started, and the task that serves it.

mod line;
mod mark;
mod open;
mod outbox;
mod recall;
mod ring;
mod running;
mod status;
mod terminal;
mod victim;
mod waits;

use std::sync::Arc;
use std::time::Duration;

use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::failure::seconds;
use super::pool::{Lease, Spare};
use crate::host::{Process, ProcessControl, Signal, Spawn, SpawnMode};

use mark::Mark;
use running::Running;

pub(super) use line::under_sh;
pub(super) use open::open;
pub(super) use outbox::WriteHalf;
pub(super) use recall::{Dispatch, Recall, recall};
pub(super) use running::{Exit, HelperRan, HelperRun, Reader};
pub(super) use waits::close;

/// Events on their way to the reader, beside those in the ring.
pub(super) const EVENTS: usize = 16;

/// Why a command was not started.
#[derive(Debug)]
pub(super) enum NotStarted {
    /// The server allows no more channels on this connection.
    Full { connection: u64, none_at_all: bool },
    /// The connection was lost before the command was sent.
    Lost(String),
    /// The server does not do it; why.
    Refused(String),
    /// Nobody wants it any more, and it was not sent.
    CalledOff,
}

/// Starts a command, unless it is called off before it is sent. Everything happens in a task of its own, so a caller
/// that goes away leaves nothing half open.
pub(super) async fn start(
    lease: Lease,
    spare: Spare,
    spawn: Spawn,
    limit: Duration,
    cancel: &CancellationToken,
) -> Result<Process, NotStarted> {
    let (ready, started) = oneshot::channel();
    let (dispatch, recall) = recall();
    tokio::spawn(serve(lease, spare, spawn, limit, Caller { ready, dispatch }));
    match recall.wait(started, cancel).await {
        Some(result) => result,
        None if cancel.is_cancelled() => Err(NotStarted::CalledOff),
        None => Err(NotStarted::Lost("the task of the channel ended".into())),
    }
}

/// Who waits for a command to be started.
struct Caller {
    ready: oneshot::Sender<Result<Process, NotStarted>>,
    dispatch: Dispatch,
}

/// Starts a subsystem of the server, such as `sftp`. The lease comes back, for whoever serves the channel.
pub(super) async fn subsystem(
    lease: Lease,
    name: &'static str,
    limit: Duration,
) -> Result<(Lease, ChannelReadHalf, WriteHalf), NotStarted> {
    let (ready, started) = oneshot::channel();
    // In a task of its own, as above.
    tokio::spawn(async move {
        let result = request_subsystem(lease, name, limit).await;
        if let Err(Ok((_lease, mut read, write))) = ready.send(result) {
            close(&mut read, &write).await;
        }
    });
    match started.await {
        Ok(result) => result,
        Err(_) => Err(NotStarted::Lost("the task of the channel ended".into())),
    }
}

async fn request_subsystem(
    lease: Lease,
    name: &'static str,
    limit: Duration,
) -> Result<(Lease, ChannelReadHalf, WriteHalf), NotStarted> {
    let (mut read, write) = open(&lease.connection, limit).await?.split();
    let write: WriteHalf = Arc::new(write);
    let asked = write.request_subsystem(true, name).await;
    let why = match timeout(limit, answer(&mut read)).await {
        _ if asked.is_err() => NotStarted::Lost(lease.connection.last_words().await),
        Ok(Some(true)) => return Ok((lease, read, write)),
        Ok(Some(false)) => NotStarted::Refused(format!("the server has no subsystem '{name}' (sshd_config)")),
        Ok(None) => NotStarted::Lost(lease.connection.last_words().await),
        Err(_) => NotStarted::Refused(format!("subsystem '{name}': no answer within {}", seconds(limit))),
    };
    close(&mut read, &write).await;
    Err(why)
}

/// Serves a command that was given to a helper shell, and gives its channel back if another one can run there.
pub(super) async fn run_on_helper(
    lease: Lease,
    spare: Spare,
    halves: (ChannelReadHalf, WriteHalf),
    reader: Reader,
    helper: HelperRun,
) -> Option<HelperRan> {
    Running::on_helper(lease, spare, halves, reader, helper).serve_on_helper().await
}

async fn serve(lease: Lease, spare: Spare, spawn: Spawn, limit: Duration, Caller { ready, dispatch }: Caller) {
    let (mut read, write) = match open(&lease.connection, limit).await {
        Ok(channel) => channel.split(),
        Err(why) => {
            let _caller_gone = ready.send(Err(why));
            return;
        }
    };
    let write: WriteHalf = Arc::new(write);
    let mark = Mark::new();
    let accepted = match request(&mut read, &write, &spawn, &mark, limit, dispatch).await {
        Ok(accepted) => accepted,
        Err(why) => {
            let _caller_gone = ready.send(Err(why.with_reason(&lease).await));
            close(&mut read, &write).await;
            return;
        }
    };
    let (events, receiver) = mpsc::channel(EVENTS);
    let (control, requests) = ProcessControl::channel();
    // A caller that is gone drops the process here, which ends it like any other that is dropped.
    let _caller_gone = ready.send(Ok(Process { events: receiver, control }));
    let terminal = matches!(spawn.mode, SpawnMode::Pty { .. });
    let mark = spawn.line.is_some().then_some(mark);
    let mut running = Running::new(lease, spare, (read, write), Reader { events, requests }, mark, terminal);
    if spawn.unattended {
        running.input_has_ended();
    }
    match accepted {
        Accepted::Yes => running.serve().await,
        Accepted::Silence => {
            let limit = seconds(limit);
            running.give_up(format!("the server did not say within {limit} whether it started the command")).await;
        }
        Accepted::Lost => {
            let why = running.last_words().await;
            running.give_up(format!("{why}, when the command had just been sent")).await;
        }
    }
}

/// Whether a command that was sent was started.
enum Accepted {
    Yes,
    /// The connection was lost before the server said so.
    Lost,
    /// The server does not say.
    Silence,
}

async fn request(
    read: &mut ChannelReadHalf,
    write: &WriteHalf,
    spawn: &Spawn,
    mark: &Mark,
    limit: Duration,
    dispatch: Dispatch,
) -> Result<Accepted, NotStarted> {
    let lost = |_| NotStarted::Lost("the connection was lost".into());
    if let SpawnMode::Pty { size, term } = &spawn.mode {
        let term = if term.is_empty() { "dumb" } else { term };
        // Waits for the answer before the command goes out: a command must not run without its terminal.
        write.request_pty(true, term, size.cols.into(), size.rows.into(), 0, 0, terminal::MODES).await.map_err(lost)?;
        match timeout(limit, answer(read)).await {
            Ok(Some(true)) => {}
            Ok(Some(false)) => return Err(NotStarted::Refused("the server gives no terminal (PermitTTY)".into())),
            Ok(None) => return Err(NotStarted::Lost("the connection was lost".into())),
            Err(_) => {
                return Err(NotStarted::Refused(format!("terminal request: no answer within {}", seconds(limit))));
            }
        }
    }
    if !dispatch.now() {
        return Err(NotStarted::CalledOff);
    }
    match &spawn.line {
        Some(line) => write.exec(true, under_sh(&[&mark.command(), line])).await.map_err(lost)?,
        None => write.request_shell(true).await.map_err(lost)?,
    }
    if spawn.unattended {
        // In the same packet of the network as the command, where it costs nothing. When it cannot be sent the connection
        // is gone, and the answer tells so; the command may have been sent all the same.
        let _gone = write.eof().await;
    }
    match timeout(limit, answer(read)).await {
        Ok(Some(true)) => Ok(Accepted::Yes),
        Ok(Some(false)) => Err(NotStarted::Refused("the server does not start commands for this user".into())),
        Ok(None) => Ok(Accepted::Lost),
        Err(_) => Ok(Accepted::Silence),
    }
}

/// The answer to the request that was sent last. `None`: the channel is gone.
async fn answer(read: &mut ChannelReadHalf) -> Option<bool> {
    loop {
        match read.wait().await? {
            ChannelMsg::Success => return Some(true),
            ChannelMsg::Failure => return Some(false),
            ChannelMsg::Close => return None,
            // Nothing else means anything before the answer.
            _ => {}
        }
    }
}

impl NotStarted {
    /// Adds why the connection ended, when it did.
    async fn with_reason(self, lease: &Lease) -> NotStarted {
        match self {
            NotStarted::Lost(_) => NotStarted::Lost(lease.connection.last_words().await),
            other => other,
        }
    }
}

/// The name of a signal, as `kill` takes it.
fn sig_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Hup => "HUP",
        Signal::Int => "INT",
        Signal::Term => "TERM",
        Signal::Kill => "KILL",
    }
}
