//! Opening a channel without ever losing one.

use std::sync::Arc;
use std::time::Duration;

use russh::Channel;
use russh::client::Msg;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::NotStarted;
use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::seconds;

/// Opens a channel. A channel that is dropped is not closed: its process and its slot would stay on the server. So the
/// opening goes on in a task of its own when nobody waits any more, and closes what comes out of it.
pub(in crate::host::ssh) async fn open(
    connection: &Arc<Connection>,
    limit: Duration,
) -> Result<Channel<Msg>, NotStarted> {
    let heard = connection.gauge.heard();
    let (report, opened) = oneshot::channel();
    tokio::spawn(open_and_report(connection.clone(), report));
    match timeout(limit, opened).await {
        Ok(Ok(Ok(channel))) => Ok(channel),
        Ok(Ok(Err(russh::Error::ChannelOpenFailure(_)))) => {
            connection.vitals.refused();
            Err(NotStarted::Full { connection: connection.id, none_at_all: connection.vitals.limit() == 0 })
        }
        Ok(Ok(Err(_)) | Err(_)) => Err(NotStarted::Lost(connection.last_words().await)),
        Err(_) if connection.gauge.heard() == heard => {
            connection.cut("the server is silent");
            Err(NotStarted::Lost("the server is silent".into()))
        }
        Err(_) => Err(NotStarted::Refused(format!("channel open: no answer within {}", seconds(limit)))),
    }
}

async fn open_and_report(connection: Arc<Connection>, report: oneshot::Sender<Result<Channel<Msg>, russh::Error>>) {
    let opened = connection.handle.channel_open_session().await;
    if let Err(Ok(unwanted)) = report.send(opened) {
        // An error means that the connection is gone, and the channel with it.
        let _gone = unwanted.close().await;
    }
}
