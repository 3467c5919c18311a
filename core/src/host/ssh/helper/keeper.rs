//! The task that owns a helper shell: one command after the other, drained all the time, ended when nobody needs it.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::begin::Begin;
use super::{Order, Sent, Turn, script};
use crate::host::end_marks::EndMarks;
use crate::host::process::Stream;
use crate::host::ssh::channel::{self, EVENTS, Exit, HelperRan, HelperRun, Reader, WriteHalf};
use crate::host::ssh::pool::{Lease, Spare};
use crate::host::{Process, ProcessControl};

/// A helper that nobody has used for this long is ended; it takes a channel of the server's MaxSessions.
const IDLE: Duration = Duration::from_secs(60);
/// How long a helper may take to say that it is ready; after that its host has none.
const READY: Duration = Duration::from_secs(5);

/// A helper shell that is ready for a command.
struct Kept {
    lease: Lease,
    spare: Spare,
    read: ChannelReadHalf,
    write: WriteHalf,
    /// What its marks are known by.
    token: String,
    /// The number of its last command.
    number: u64,
    /// The process group that it and its commands are in.
    group: i32,
    turn: Turn,
}

impl Kept {
    /// Ends it. Another one may be made meanwhile: the server may take its time.
    async fn give_up(mut self) {
        drop(self.turn);
        channel::close(&mut self.read, &self.write).await;
    }
}

/// Makes a helper and gives it its first command. `None`: it cannot be had, or the command was called off; nothing of it ran. Everything happens in a task
/// of its own, so a caller that goes away leaves nothing half open.
pub(in crate::host::ssh) async fn start(
    lease: Lease,
    spare: Spare,
    turn: Turn,
    line: &str,
    limit: Duration,
    cancel: &CancellationToken,
) -> Option<Process> {
    let (order, ordered) = Order::new(line);
    tokio::spawn(async move {
        match make(lease, spare, turn, limit).await {
            Ok(kept) => keep(kept, order).await,
            Err(halves) => {
                // Whoever waits runs the command on its own now, and not when the channel is closed.
                drop(order);
                if let Some((_lease, mut read, write)) = halves {
                    channel::close(&mut read, &write).await;
                }
            }
        }
    });
    ordered.command(limit, cancel).await
}

/// What is to be closed when there is no helper.
type Halves = Option<(Lease, ChannelReadHalf, WriteHalf)>;

async fn make(lease: Lease, spare: Spare, turn: Turn, limit: Duration) -> Result<Kept, Halves> {
    // A connection that is full or gone is no reason never to try again.
    let Ok(channel) = channel::open(&lease.connection, limit).await else { return Err(None) };
    let (mut read, write) = channel.split();
    let write: WriteHalf = Arc::new(write);
    let token = format!("{:016x}", rand::rng().random::<u64>());
    let group = timeout(limit.min(READY), boot(&mut read, &write, &token)).await.ok().flatten();
    match group {
        Some(group) => Ok(Kept { lease, spare, read, write, token, number: 0, group, turn }),
        None => {
            tracing::debug!(address = %lease.connection.address, "no helper shell there: commands run on their own");
            turn.unable();
            Err(Some((lease, read, write)))
        }
    }
}

/// Starts the shell and gives its process group.
async fn boot(read: &mut ChannelReadHalf, write: &WriteHalf, token: &str) -> Option<i32> {
    write.exec(true, channel::under_sh(&[script::BOOT])).await.ok()?;
    write.data_bytes(script::prelude(token)).await.ok()?;
    let mut ready = EndMarks::new(token, "ready");
    loop {
        match read.wait().await? {
            // Whatever a login shell says before that is of no interest.
            ChannelMsg::Data { data } => drop(ready.filter(Stream::Out, data)),
            ChannelMsg::Failure | ChannelMsg::Close | ChannelMsg::ExitStatus { .. } => return None,
            _ => {}
        }
        if let Some(told) = ready.first() {
            return (told.status > 1).then_some(told.status);
        }
    }
}

async fn keep(mut kept: Kept, first: Order) {
    let mut order = first;
    loop {
        let Order { line, sent, dispatch } = order;
        let mut exit = None;
        if dispatch.now() {
            (kept, exit) = match run(kept, &line, sent).await {
                Some((kept, exit)) => (kept, Some(exit)),
                None => return,
            };
        }
        let orders = kept.turn.wait();
        if let Some(exit) = exit {
            exit.tell();
        }
        order = tokio::select! {
            Ok(order) = orders => order,
            // Whatever it says now, nobody has asked: it has ended, or something left behind prints.
            _ = kept.read.wait() => return kept.give_up().await,
            () = tokio::time::sleep(IDLE) => return kept.give_up().await,
        };
    }
}

/// Runs a command; the helper comes back if it can be used again.
async fn run(kept: Kept, line: &str, sent: oneshot::Sender<Sent>) -> Option<(Kept, Exit)> {
    let Kept { lease, spare, read, write, token, number, group, turn } = kept;
    let number = number + 1;
    // A line that did not get out whole is not run: its last quote and line end are missing.
    write.data_bytes(script::command(number, line)).await.ok()?;
    let (events, receiver) = mpsc::channel(EVENTS);
    let (control, requests) = ProcessControl::channel();
    let marks = EndMarks::new(&token, &number.to_string());
    let (begin, begun) = Begin::new(&token, &number.to_string());
    // A caller that is gone drops the process here, which ends it like any other that is dropped.
    let _caller_gone = sent.send(Sent { process: Process { events: receiver, control }, begun });
    let reader = Reader { events, requests };
    let helper = HelperRun { begin, marks, group };
    let ran = channel::run_on_helper(lease, spare.clone(), (read, write), reader, helper).await?;
    let HelperRan { lease, read, write, exit } = ran;
    Some((Kept { lease, spare, read, write, token, number, group, turn }, exit))
}
