//! A stream through a connection to another host: the hop connects to the server, and passes bytes on.

use std::sync::Arc;

use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure, ChannelStream};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::host::ssh::connection::Connection;
use crate::host::ssh::failure::Failure;
use crate::host::ssh::pool::Lease;
use crate::host::ssh::target::Target;
use crate::host::ssh::vitals::{Forward, describe};

/// Why the hop gives no stream.
pub(super) enum Blocked {
    /// The connection to the hop is gone.
    Lost(String),
    Failed(Failure),
}

/// Asks the hop to connect to the target. A hop that takes longer than the target's limit may still be trying; what
/// comes of it is closed.
pub(super) async fn open(
    lease: &Lease,
    hop: &Target,
    target: &Target,
) -> Result<(ChannelStream<Msg>, Forward), Blocked> {
    let connection = &lease.connection;
    let address = target.address.trim_start_matches('[').trim_end_matches(']').to_string();
    let (report, opened) = oneshot::channel();
    let since = connection.vitals.failures_so_far();
    tokio::spawn(open_and_report(connection.clone(), address, target.port, report));
    let from = format!("connect from {}", hop.name);
    match timeout(target.timeout, opened).await {
        Ok(Ok(Ok((channel, forward)))) => Ok((channel.into_stream(), forward)),
        Ok(Ok(Err(russh::Error::ChannelOpenFailure(reason)))) => {
            Err(Blocked::Failed(refused(&from, hop, &reason, connection.vitals.why_failed(since, &reason))))
        }
        Ok(Ok(Err(error))) if !connection.is_dead() => {
            Err(Blocked::Failed(Failure::new(format!("{from}: {}", describe(&error)))))
        }
        Ok(Ok(Err(_)) | Err(_)) => Err(Blocked::Lost(connection.last_words().await)),
        Err(_) => Err(Blocked::Failed(Failure::late(&from, target.timeout))),
    }
}

async fn open_and_report(
    connection: Arc<Connection>,
    address: String,
    port: u16,
    report: oneshot::Sender<Result<(Channel<Msg>, Forward), russh::Error>>,
) {
    let forward = Forward::begin(&connection.vitals);
    let opened = connection.handle.channel_open_direct_tcpip(address, port.into(), "127.0.0.1", 0).await;
    if let Err(Ok((unwanted, _forward))) = report.send(opened.map(|channel| (channel, forward))) {
        // An error means that the connection is gone, and the channel with it.
        let _gone = unwanted.close().await;
    }
}

fn refused(from: &str, hop: &Target, reason: &ChannelOpenFailure, said: Option<String>) -> Failure {
    let said = said.filter(|said| !said.is_empty() && said != "open failed").map(|said| said.to_lowercase());
    match reason {
        ChannelOpenFailure::AdministrativelyProhibited => {
            Failure::new(format!("{from}: the hop does not pass connections on")).hint(format!(
                "AllowTcpForwarding and PermitOpen in the sshd_config of {} decide, and options in its authorized_keys",
                hop.name
            ))
        }
        ChannelOpenFailure::ConnectFailed => {
            Failure::new(format!("{from}: {}", said.unwrap_or_else(|| "no connection".into())))
        }
        ChannelOpenFailure::ResourceShortage => {
            Failure::new(format!("{from}: the hop has no room for another channel"))
        }
        _ => Failure::new(format!("{from}: {}", said.unwrap_or_else(|| "the hop refuses".into()))),
    }
}
