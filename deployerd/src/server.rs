//! Accepting clients, and ending everything in order.

use std::sync::Arc;
use std::time::Duration;

use deployer_protocol::ErrorKind;
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::connection::{self, ClientId};
use crate::daemon::Daemon;
use crate::socket::BoundSocket;
use crate::user;

/// Connections at once, those included that have said nothing yet; each of those is gone after five seconds.
const CONNECTIONS_MAX: usize = 4096;

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
pub(crate) async fn run(socket: &BoundSocket, daemon: Arc<Daemon>, stop: CancellationToken) -> anyhow::Result<()> {
    let descriptors = raise_descriptor_limit();
    let listener = UnixListener::from_std(socket.listener.try_clone()?)?;
    tracing::info!(socket = %socket.path.display(), private = daemon.options.private, descriptors, "listening");
    let connections = TaskTracker::new();
    let accepting = accept(&listener, &daemon, &connections, descriptors);
    let outcome = tokio::select! {
        outcome = accepting => outcome,
        () = stop.cancelled() => Ok(()),
        () = last_client_gone(&daemon), if daemon.options.private => Ok(()),
    };
    tracing::info!("stopping");
    drop(listener);
    end_sessions(&daemon).await;
    daemon.closing.cancel();
    connections.close();
    if tokio::time::timeout(LAST_MESSAGES, connections.wait()).await.is_err() {
        tracing::warn!(clients = connections.len(), "clients did not take their last messages");
    }
    tracing::info!("stopped");
    outcome
}

async fn accept(
    listener: &UnixListener,
    daemon: &Arc<Daemon>,
    connections: &TaskTracker,
    descriptors: u64,
) -> anyhow::Result<()> {
    let most = usize::try_from(descriptors / CONNECTION_SHARE).unwrap_or(usize::MAX).clamp(16, CONNECTIONS_MAX);
    let room = Arc::new(Semaphore::new(most));
    let us = rustix::process::geteuid().as_raw();
    let mut last = 0;
    loop {
        let place = room.clone().acquire_owned().await?;
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) if is_passing(&error) => {
                tracing::warn!(%error, "cannot accept a client now");
                // A client that goes makes room; otherwise try again in a while.
                let ended = room.acquire_many(u32::try_from(most).unwrap_or(u32::MAX));
                let _either = tokio::time::timeout(ACCEPT_PAUSE, ended).await;
                continue;
            }
            Err(error) => return Err(anyhow::Error::from(error).context("cannot accept clients any more")),
        };
        last += 1;
        let id = ClientId(last);
        let Some(user) = admitted(&stream, us, id) else { continue };
        let daemon = daemon.clone();
        connections.spawn(async move {
            let user = tokio::task::spawn_blocking(move || user::name_of(user)).await;
            let user = user.unwrap_or_else(|_| "unknown".to_string());
            connection::framed::serve(stream, daemon, id, user).await;
            drop(place);
        });
    }
}

/// The user id of a peer that may speak to us; others are told nothing (row W-02).
fn admitted(stream: &UnixStream, us: u32, id: ClientId) -> Option<u32> {
    match stream.peer_cred() {
        Ok(peer) if may_connect(peer.uid(), us) => Some(peer.uid()),
        Ok(peer) => {
            tracing::warn!(client = id.0, uid = peer.uid(), pid = peer.pid(), "refused: another user");
            None
        }
        Err(error) => {
            tracing::warn!(client = id.0, %error, "refused: the system does not say who it is");
            None
        }
    }
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

/// Sessions need descriptors by the hundred; the soft limit is for programs that use `select`.
fn raise_descriptor_limit() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        tracing::warn!(%error, "the limit of open files stays");
        return limit.current.unwrap_or(u64::MAX);
    }
    limit.maximum.unwrap_or(u64::MAX)
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
        session.end(ErrorKind::Unavailable, format!("the daemon was stopped: session {} has ended", session.name));
    }
    daemon.tasks.close();
    if tokio::time::timeout(STOPPING, daemon.tasks.wait()).await.is_err() {
        tracing::warn!(sessions = daemon.registry.infos().len(), "sessions did not end in time");
    }
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
