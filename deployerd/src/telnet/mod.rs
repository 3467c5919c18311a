//! Telnet as a transport (section R): for terminals that have nothing else, on the loopback only.
//!
//! `machine` is the protocol, `peer` finds out whose process is at the other end, `requests` and `writer` are the two
//! halves of a connection. Sessions do not know that such clients exist.

mod bind;
mod codes;
mod encode;
mod machine;
mod option;
mod peer;
mod requests;
mod terminal_type;
mod writer;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::mpsc;

pub use bind::{BoundPort, PortError, bind};
pub use machine::{Event, Machine, Trouble};

use crate::authority::Person;
use crate::connection::{ClientId, Connection, Outbox, Refusal};
use crate::daemon::Daemon;
use requests::TelnetRequests;

/// After this long without a byte the kernel asks whether the peer is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// Whose the peer is: the user id of the process that connected.
///
/// # Errors
/// A sentence, when nobody can tell: such a peer is refused.
pub(crate) async fn owner(stream: &TcpStream) -> Result<u32, String> {
    let addresses = stream.peer_addr().and_then(|peer| Ok((peer, stream.local_addr()?)));
    let (peer, local): (SocketAddr, SocketAddr) = addresses.map_err(|error| error.to_string())?;
    match tokio::task::spawn_blocking(move || peer::owner(peer, local)).await {
        Ok(Ok(Some(owner))) => Ok(owner),
        Ok(Ok(None)) => Err("it is gone already".to_string()),
        Ok(Err(error)) => Err(format!("the system does not say who it is: {error}")),
        Err(error) => Err(error.to_string()),
    }
}

/// Serves a connection to its end. `person` has been checked already.
pub(crate) async fn serve(stream: TcpStream, daemon: Arc<Daemon>, id: ClientId, person: Arc<Person>) {
    if let Err(error) = prepare(&stream) {
        tracing::warn!(client = id.0, %error, "the telnet connection cannot be prepared");
        return;
    }
    let (read, write) = stream.into_split();
    let outbox = Arc::new(Outbox::default());
    let (say, said) = mpsc::channel(writer::SAY_MAX);
    let writing = tokio::spawn(writer::write(write, outbox.clone(), said));
    let mut requests = TelnetRequests::new(read, say);
    let begun = tokio::select! {
        begun = requests.begin(daemon.options.interactive) => begun,
        () = daemon.closing.cancelled() => Ok(false),
    };
    let place = begun.and_then(|here| if here { daemon.place_for_a_client().map(Some) } else { Ok(None) });
    match place {
        Ok(Some(_place)) => {
            tracing::info!(client = id.0, user = person.name, "connected by telnet");
            Connection::new(daemon, id, person, outbox.clone(), requests).serve().await;
        }
        Ok(None) => outbox.end(),
        Err(Refusal(kind, sentence)) => {
            tracing::info!(client = id.0, user = person.name, ?kind, sentence, "refused");
            outbox.put(deployer_protocol::FromDaemon::Error((kind, sentence)));
            outbox.end();
        }
    }
    writer::finish(writing, &outbox).await;
}

/// Small pieces go at once; a dead peer is noticed; urgent data (the mark of an interrupt) stays in its place, or the
/// command before it would swallow the byte behind.
fn prepare(stream: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    stream.set_nodelay(true)?;
    sockopt::set_socket_oobinline(stream, true)?;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, KEEPALIVE)?;
    Ok(())
}
