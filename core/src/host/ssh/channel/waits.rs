//! What the task of a command waits for, apart from the command itself.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use russh::{ChannelMsg, ChannelReadHalf};
use tokio::time::timeout;

use super::outbox::WriteHalf;
use crate::host::lifecycle::{EndStep, PoliteEnd};
use crate::host::process::{ControlRequest, ControlRequests};
use crate::host::ssh::connection::Connection;
use crate::host::ssh::pool::Lease;
use crate::host::ssh::vitals::Vitals;

/// How long the server may take to agree to the end of a channel.
const CLOSE: Duration = Duration::from_secs(10);
/// How long output may pause after the status before it is checked whether any is still on the way.
const SILENCE: Duration = Duration::from_millis(200);

/// Work that goes on beside something else.
pub(super) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Closes a channel and waits until the server agrees, so that its slot is free when the lease is given back.
pub(in crate::host::ssh) async fn close(read: &mut ChannelReadHalf, write: &WriteHalf) {
    let closing = async {
        let _gone_already = write.close().await;
        while !matches!(read.wait().await, None | Some(ChannelMsg::Close)) {}
    };
    if timeout(CLOSE, closing).await.is_err() {
        tracing::debug!("the server does not agree to the end of a channel");
    }
}

/// Waits until no output can be on the way any more: a pause, then two questions that the server answers in order, so
/// that its loop has come around in between and everything it had read was sent before.
pub(super) async fn nothing_on_the_way(connection: Arc<Connection>) {
    tokio::time::sleep(SILENCE).await;
    for _ in 0..2 {
        // An error means that the connection is gone; the read half tells so too.
        if connection.handle.send_ping().await.is_err() {
            std::future::pending().await
        }
    }
}

pub(super) async fn next_request(requests: &mut ControlRequests, room: bool) -> Option<ControlRequest> {
    if room { requests.recv().await } else { requests.recv_urgent().await }
}

pub(super) async fn due(end: &mut Option<PoliteEnd>) -> EndStep {
    match end {
        Some(end) => end.next().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn done<T>(work: &mut Option<Boxed<T>>) {
    match work {
        Some(work) => drop(work.await),
        None => std::future::pending().await,
    }
}

pub(super) async fn why_unknown(connection: &Connection) -> String {
    match connection.is_dead() {
        true => connection.last_words().await,
        false => "the server closed the channel without telling a status".into(),
    }
}

/// While it lives, the connection counts as held up, and with it those it goes through.
pub(super) struct Stall(Vec<Arc<Vitals>>);

impl Stall {
    pub(super) fn new(lease: &Lease) -> Stall {
        let held_up: Vec<_> = lease.connection.chain().map(|connection| connection.vitals.clone()).collect();
        held_up.iter().for_each(|vitals| vitals.stall());
        Stall(held_up)
    }
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.0.iter().for_each(|vitals| vitals.flow());
    }
}
