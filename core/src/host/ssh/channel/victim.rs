//! A process group on the other side, and how it is reached when the signals of the protocol are not enough.

use std::sync::Arc;
use std::time::Duration;

use russh::ChannelMsg;
use tokio::sync::watch;
use tokio::time::timeout;

use super::line::under_sh;
use super::open::open;
use super::{NotStarted, sig_name};
use crate::host::Signal;
use crate::host::ssh::connection::Connection;
use crate::host::ssh::pool::Spare;

/// How long to wait for the mark of a command that was started a moment ago.
const MARK: Duration = Duration::from_secs(1);
/// How long a `kill` may take over there.
const KILL: Duration = Duration::from_secs(5);

/// The process group of a command. Cheap to clone.
#[derive(Clone)]
pub(super) struct Victim {
    connection: Arc<Connection>,
    spare: Spare,
    group: watch::Receiver<Option<i32>>,
}

impl Victim {
    /// A victim whose number arrives later.
    pub(super) fn new(connection: Arc<Connection>, spare: Spare, group: watch::Receiver<Option<i32>>) -> Victim {
        Victim { connection, spare, group }
    }

    /// Sends a signal to the group. False: it could not be done.
    pub(super) async fn signal(&self, signal: Signal) -> bool {
        let Some(group) = self.group().await else { return false };
        let name = sig_name(signal);
        self.run(&format!("kill -{name} -{group} 2>/dev/null || kill -{name} {group}")).await
    }

    /// Ends what is left of the group when its leader has ended: asked for a second, then killed. True when nothing is
    /// left, as far as that can be known.
    pub(super) async fn sweep(&self) -> bool {
        let Some(group) = self.group().await else { return false };
        let line = format!(
            "kill -0 -{group} 2>/dev/null || exit 0; kill -TERM -{group}; sleep 1; \
             kill -0 -{group} 2>/dev/null || exit 0; kill -KILL -{group}; ! kill -0 -{group} 2>/dev/null"
        );
        self.run(&line).await
    }

    /// Waits until its number is known; `None` when nobody can tell it any more.
    pub(super) async fn known(&self) -> Option<i32> {
        let mut group = self.group.clone();
        let known = group.wait_for(Option::is_some).await;
        known.ok().and_then(|group| *group)
    }

    async fn group(&self) -> Option<i32> {
        timeout(MARK, self.known()).await.ok().flatten()
    }

    /// Runs a line over a second channel of the same connection, or over another one when there is no room.
    async fn run(&self, line: &str) -> bool {
        let ended = match run_quietly(&self.connection, line).await {
            Err(NotStarted::Full { connection, .. }) => match self.spare.lease(&[connection]).await {
                Ok(lease) => run_quietly(&lease.connection, line).await,
                Err(_) => return false,
            },
            ended => ended,
        };
        matches!(ended, Ok(Some(0)))
    }
}

/// Runs a line and gives its status; what it prints is of no interest.
async fn run_quietly(connection: &Arc<Connection>, line: &str) -> Result<Option<u32>, NotStarted> {
    let (mut read, write) = open(connection, KILL).await?.split();
    let running = async {
        write.exec(false, under_sh(&[line])).await.ok()?;
        let mut status = None;
        loop {
            match read.wait().await {
                None | Some(ChannelMsg::Close) => return status,
                Some(ChannelMsg::ExitStatus { exit_status }) => status = Some(exit_status),
                Some(_) => {}
            }
        }
    };
    let status = timeout(KILL, running).await;
    if status.is_err() {
        // An error means that the connection is gone, and the channel with it.
        let _gone = write.close().await;
    }
    Ok(status.unwrap_or(None))
}
