//! What runs, on disk beside the socket: after a crash the next daemon can say what was lost.
//!
//! The file is for people who want to know what to look after. It lives as long as the daemon and its socket do; what ran
//! when is the journal's business.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use deployer_protocol::{SessionInfo, SessionState};
use serde::{Deserialize, Serialize};

use crate::daemon::Daemon;

/// Longest file that is believed, bytes: a thousand sessions fit.
const FILE_MAX: u64 = 1024 * 1024;

/// A daemon and what its sessions ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// Its process id.
    pub pid: u32,
    /// When it started, in milliseconds since 1970 UTC.
    pub started_ms: u64,
    /// What was at work.
    pub actions: Vec<RunningAction>,
}

/// An action that a session ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunningAction {
    /// Name of the session.
    pub session: String,
    /// Who opened it.
    pub owner: String,
    /// Dotted path and name.
    pub action: String,
    /// Since when, in milliseconds since 1970 UTC.
    pub since_ms: u64,
}

impl Running {
    fn of(daemon: &Daemon) -> Running {
        let info = daemon.info();
        let actions = info.sessions.into_iter().filter_map(RunningAction::of).collect();
        Running { pid: info.pid, started_ms: info.started_ms, actions }
    }

    /// What the last daemon at this socket left when it did not end in order.
    pub(crate) fn left_at(socket: &Path) -> Option<Running> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(path(socket))
            .ok()?;
        let ours = file.metadata().is_ok_and(|meta| meta.is_file() && meta.uid() == crate::socket::uid());
        let mut text = String::new();
        let read = ours.then(|| file.take(FILE_MAX).read_to_string(&mut text));
        read?.ok().and_then(|_| serde_json::from_str(&text).ok())
    }
}

impl RunningAction {
    fn of(session: SessionInfo) -> Option<RunningAction> {
        match session.state {
            SessionState::Idle => None,
            SessionState::Running { action, since_ms } => {
                Some(RunningAction { session: session.name, owner: session.owner, action, since_ms })
            }
        }
    }
}

/// The file beside a socket.
pub(crate) fn path(socket: &Path) -> PathBuf {
    socket.with_extension("running")
}

/// Keeps the file up to date until dropped with the daemon; whoever ends in order calls [`remove`].
pub(crate) async fn keep(daemon: &Daemon, socket: &Path) {
    let path = path(socket);
    let mut changes = daemon.changes();
    let mut written = None;
    loop {
        changes.mark_unchanged();
        let running = Running::of(daemon);
        if written.as_ref() != Some(&running) {
            let (at, text) = (path.clone(), running.clone());
            let wrote = tokio::task::spawn_blocking(move || write(&at, &text)).await;
            if let Ok(Err(error)) | Err(error) = wrote.map_err(io::Error::other) {
                tracing::warn!(path = %path.display(), %error, "what runs cannot be noted");
            }
            written = Some(running);
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Whole or not at all: written beside and renamed.
fn write(path: &Path, running: &Running) -> io::Result<()> {
    let new = path.with_extension("running.new");
    let mut file: File = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
    file.write_all(serde_json::to_string(running)?.as_bytes())?;
    fs::rename(&new, path)
}

/// Nothing runs any more.
pub(crate) fn remove(socket: &Path) {
    for path in [path(socket), path(socket).with_extension("running.new")] {
        if let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove the note of what runs");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_garbage_is_nothing() {
        let place = tempfile::tempdir().unwrap();
        let socket = place.path().join("0.sock");
        assert_eq!(Running::left_at(&socket), None);
        let action = RunningAction {
            session: "s1".to_string(),
            owner: "ann".to_string(),
            action: "prod.deploy".to_string(),
            since_ms: 5,
        };
        let running = Running { pid: 7, started_ms: 1, actions: vec![action] };
        write(&path(&socket), &running).unwrap();
        assert_eq!(Running::left_at(&socket), Some(running));
        fs::write(path(&socket), "{").unwrap();
        assert_eq!(Running::left_at(&socket), None);
        remove(&socket);
        assert_eq!(place.path().read_dir().unwrap().count(), 0);
        std::os::unix::fs::symlink("/etc/passwd", path(&socket)).unwrap();
        assert_eq!(Running::left_at(&socket), None);
    }
}
