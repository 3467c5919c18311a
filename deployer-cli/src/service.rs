//! The daemon and its service manager (systemd): the socket it passes on, and what it wants to hear.
//!
//! Without a manager nothing is said to nobody. The watchdog is fed when the daemon has answered a question over its own
//! socket, as a client would ask it: a process that lives and does not answer is not alive.

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deployer_protocol::{DaemonInfo, SessionState};
use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::failure::Failure;
use crate::sessions;

/// Time between two looks at the daemon when the manager does not ask for a pace.
const PACE: Duration = Duration::from_secs(10);

/// Looks within the time that the manager allows.
const LOOKS: u32 = 3;

/// The socket that the manager has bound, if there is one.
///
/// # Errors
/// Exit status 2: something else was passed on.
pub(crate) fn passed_socket() -> Result<Option<UnixListener>, Failure> {
    let mut passed = ListenFd::from_env();
    match passed.len() {
        0 => Ok(None),
        1 => passed.take_unix_listener(0).map_err(|error| {
            Failure::usage(format!("the service manager passed a socket that is no unix stream socket: {error}"))
        }),
        count => Err(Failure::usage(format!(
            "the service manager passed {count} sockets, one is served: one ListenStream per socket unit"
        ))),
    }
}

/// Serving has begun.
pub(crate) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// Stopping has begun.
pub(crate) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// A reload has begun; [`ready`] ends it.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager is not told of the reload"),
    }
}

fn tell(states: &[NotifyState]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}

/// Asks the daemon how it is, and tells the manager when it answers. Never ends.
pub(crate) async fn heart(socket: &Path) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return std::future::pending().await;
    }
    let pace = sd_notify::watchdog_enabled().map_or(PACE, |limit| (limit / LOOKS).min(PACE));
    loop {
        beat(socket.to_path_buf()).await;
        tokio::time::sleep(pace).await;
    }
}

async fn beat(socket: PathBuf) {
    match sessions::survey(vec![socket]).await.pop().map(|found| found.answer) {
        Some(Ok(info)) => tell(&[NotifyState::Status(&status(&info)), NotifyState::Watchdog]),
        silence => tracing::error!(?silence, "the daemon does not answer: the watchdog is not fed"),
    }
}

/// One line for `systemctl status`.
fn status(info: &DaemonInfo) -> String {
    let clients: usize = info.sessions.iter().map(|session| session.clients.len()).sum();
    let running = info.sessions.iter().filter(|session| session.state != SessionState::Idle).count();
    format!("{}: {} sessions, {clients} clients attached, {running} actions running", info.tree, info.sessions.len())
}
