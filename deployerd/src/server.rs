//! Accepting clients, and ending everything in order.

use std::sync::Arc;
use std::time::Duration;

use deployer_protocol::ErrorKind;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::authority::Person;
use crate::connection::{self, ClientId};
use crate::daemon::Daemon;
use crate::journal::{About, Entry, Journal, What};
use crate::oversight::Oversight;
use crate::stop::{self, Stop};
use crate::{Doors, running, telnet};

/// No group has this id.
const NO_GROUP: u32 = u32::MAX;

/// Connections at once, those included that have said nothing yet; each of those is gone after five seconds.
const CONNECTIONS_MAX: usize = 4096;

/// Telnet connections at once, silent ones included.
const TELNET_MAX: usize = 512;

/// Of the descriptors a process may have, the share that connections may take: the rest is for sessions and hosts.
const CONNECTION_SHARE: u64 = 4;

/// Pause after a failed accept when nothing else happens meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Time for a private daemon's first client to attach.
const FIRST_CLIENT: Duration = Duration::from_secs(10);

/// Time for sessions to end when the daemon does: their own grace and a little more.
const STOPPING: Duration = Duration::from_secs(15);

/// Time for clients to take their last messages: the writer's own and a little more.
const LAST_MESSAGES: Duration = Duration::from_secs(8);

/// Accepts until `stop`, or until a private daemon's last client is gone; then ends all sessions and connections.
pub(crate) async fn run(doors: &Doors, daemon: Arc<Daemon>, stop: &Stop) -> anyhow::Result<()> {
    let descriptors = raise_descriptor_limit();
    let listener = UnixListener::from_std(doors.socket.listener.try_clone()?)?;
    let telnet = doors.telnet.as_ref().map(|port| TcpListener::from_std(port.listener.try_clone()?)).transpose()?;
    tracing::info!(socket = %doors.socket.path.display(), private = daemon.options.private, descriptors, "listening");
    let journal = daemon.options.oversight.journal.clone();
    let start = What::Start {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
        socket: doors.socket.path.display().to_string(),
        tree: daemon.options.tree.origin(),
    };
    journal.write(Entry::now(About::person(daemon.options.oversight.authority.owner()), start));
    let connections = TaskTracker::new();
    let until_stopped = async {
        stop.begin.cancelled().await;
        tracing::info!(seconds = stop.drain.as_secs(), "stopping: what runs may end first");
        // Whoever is attached must be able to answer, to stop what runs, and to look; new sessions are refused.
        stop::drain(&daemon, stop).await;
    };
    let outcome = tokio::select! {
        outcome = accept_clients(&listener, &daemon, &connections, descriptors) => outcome,
        outcome = accept_telnet(telnet.as_ref(), &daemon, &connections, descriptors) => outcome,
        () = running::keep(&daemon, &doors.socket.path) => Ok(()),
        () = until_stopped => Ok(()),
        () = last_client_gone(&daemon), if daemon.options.private => Ok(()),
    };
    tracing::info!("stopping");
    drop((listener, telnet));
    end_sessions(&daemon).await;
    daemon.closing.cancel();
    connections.close();
    if tokio::time::timeout(LAST_MESSAGES, connections.wait()).await.is_err() {
        tracing::warn!(clients = connections.len(), "clients did not take their last messages");
    }
    journal.write(Entry::now(About::daemon(), What::Stop { pid: std::process::id() }));
    journal.close();
    running::remove(&doors.socket.path);
    tracing::info!("stopped");
    outcome
}

async fn accept_clients(
    listener: &UnixListener,
    daemon: &Arc<Daemon>,
    connections: &TaskTracker,
    descriptors: u64,
) -> anyhow::Result<()> {
    let most = share(descriptors, CONNECTIONS_MAX);
    accept(most, daemon, listener, |stream, id, place| {
        let Some((uid, gid)) = admitted(&stream, id, daemon) else { return };
        let daemon = daemon.clone();
        connections.spawn(async move {
            connection::framed::serve(stream, daemon, id, look_up(uid, gid).await).await;
            drop(place);
        });
    })
    .await
}

/// Never returns without a port.
async fn accept_telnet(
    listener: Option<&TcpListener>,
    daemon: &Arc<Daemon>,
    connections: &TaskTracker,
    descriptors: u64,
) -> anyhow::Result<()> {
    let Some(listener) = listener else { return std::future::pending().await };
    // A room of their own: silent peers, who are gone after 20 s only, keep nobody from the socket.
    let most = share(descriptors, TELNET_MAX);
    accept(most, daemon, listener, |stream, id, place| {
        let daemon = daemon.clone();
        connections.spawn(async move {
            match telnet::owner(&stream).await {
                Ok(owner) => {
                    let person = look_up(owner, NO_GROUP).await;
                    match daemon.options.oversight.authority.policy().rank(&person) {
                        Some(_) => telnet::serve(stream, daemon, id, person).await,
                        None => refused(&daemon.options.oversight.journal, id, owner, "telnet"),
                    }
                }
                Err(reason) => tracing::warn!(client = id.0, reason, "refused by telnet: unknown user"),
            }
            drop(place);
        });
    })
    .await
}

/// The user database may be slow; nobody else waits for it.
async fn look_up(uid: u32, gid: u32) -> Arc<Person> {
    let found = tokio::task::spawn_blocking(move || Person::look_up(uid, gid)).await;
    Arc::new(found.unwrap_or_else(|_| Person { uid, name: format!("uid {uid}"), groups: Vec::new() }))
}

/// Where connections come in.
trait Door {
    /// A connection.
    type Stream;
    /// The next one. Cancel safe.
    fn next(&self) -> impl Future<Output = std::io::Result<Self::Stream>> + Send;
}

impl Door for UnixListener {
    type Stream = UnixStream;
    async fn next(&self) -> std::io::Result<UnixStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

impl Door for TcpListener {
    type Stream = TcpStream;
    async fn next(&self) -> std::io::Result<TcpStream> {
        self.accept().await.map(|(stream, _)| stream)
    }
}

/// How many connections a way in may have.
fn share(descriptors: u64, most: usize) -> usize {
    usize::try_from(descriptors / CONNECTION_SHARE).unwrap_or(usize::MAX).clamp(16, most)
}

/// Accepts for ever, `most` at once: each has a place until it drops it.
async fn accept<D: Door>(
    most: usize,
    daemon: &Daemon,
    door: &D,
    serve: impl Fn(D::Stream, ClientId, OwnedSemaphorePermit),
) -> anyhow::Result<()> {
    let room = Arc::new(Semaphore::new(most));
    loop {
        let place = room.clone().acquire_owned().await?;
        match door.next().await {
            Ok(stream) => serve(stream, daemon.next_client(), place),
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, "cannot accept a client now");
                // A client that goes makes room; otherwise try again in a while.
                let ended = room.acquire_many(u32::try_from(most).unwrap_or(u32::MAX));
                let _either = tokio::time::timeout(ACCEPT_PAUSE, ended).await;
            }
            Err(error) => return Err(anyhow::Error::from(error).context("cannot accept clients any more")),
        }
    }
}

/// The user and group id of a peer that may speak to us. Others are told nothing (row W-02); a team's daemon speaks to
/// all who can reach its socket, and knows after their hello whether the policy has a rank for them.
fn admitted(stream: &UnixStream, id: ClientId, daemon: &Daemon) -> Option<(u32, u32)> {
    let Oversight { authority, journal, .. } = &daemon.options.oversight;
    match stream.peer_cred() {
        Ok(peer) if authority.is_team() || may_connect(peer.uid(), authority.owner().uid) => {
            Some((peer.uid(), peer.gid()))
        }
        Ok(peer) => {
            refused(journal, id, peer.uid(), "connect");
            None
        }
        Err(error) => {
            tracing::warn!(client = id.0, %error, "refused: the system does not say who it is");
            None
        }
    }
}

/// Somebody who is told nothing.
fn refused(journal: &Journal, id: ClientId, uid: u32, verb: &str) {
    tracing::warn!(client = id.0, uid, verb, "refused: another user");
    let reason = format!("user id {uid} has no rank in this daemon");
    journal.write(Entry::now(About::uid(uid), What::Refusal { verb: verb.to_string(), node: None, reason }));
}

fn may_connect(peer: u32, us: u32) -> bool {
    peer == us || peer == 0
}

/// Whether accepting may work again later: out of descriptors or memory, or the client was faster gone than accepted.
fn is_passing(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::CONNABORTED, Errno::INTR];
    error.raw_os_error().is_some_and(|code| passing.iter().any(|errno| errno.raw_os_error() == code))
}

/// Sessions need descriptors by the hundred; commands get the limit back that they would have had.
fn raise_descriptor_limit() -> u64 {
    deployer_core::host::local::raise_descriptor_limit().unwrap_or_else(|error| {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        tracing::warn!(%error, limit, "the limit of open files stays");
        limit
    })
}

/// Row Q-05, W-43: a client that was killed counts as gone too.
async fn last_client_gone(daemon: &Daemon) {
    let mut attached = daemon.attached.subscribe();
    // The sender is the daemon's: it cannot go away meanwhile.
    if tokio::time::timeout(FIRST_CLIENT, attached.wait_for(|count| *count > 0)).await.is_err() {
        tracing::info!("no client came");
        return;
    }
    let _always = attached.wait_for(|count| *count == 0).await;
    tracing::info!("the last client is gone");
}

async fn end_sessions(daemon: &Daemon) {
    for session in daemon.registry.close() {
        session.end(ErrorKind::Unavailable, stop::stopped(&session.name));
    }
    daemon.tasks.close();
    if tokio::time::timeout(STOPPING, daemon.tasks.wait()).await.is_err() {
        tracing::warn!(sessions = daemon.registry.infos().len(), "sessions did not end in time");
    }
    // What an operator did not want to wait for.
    daemon.options.services.commands_end().await;
}

#[cfg(test)]
mod tests {
    use super::may_connect;

    // rows: W-02
    #[test]
    fn only_the_owner_and_root_may_connect() {
        assert!(may_connect(1000, 1000) && may_connect(0, 1000) && may_connect(0, 0));
        assert!(!may_connect(1001, 1000) && !may_connect(1000, 0));
    }
}
