//! Where sockets live, whose they are, and whether somebody answers (design 7).

use std::path::{Path, PathBuf};

/// A socket that this process listens on; removed on drop if it is still the one that was bound.
#[derive(Debug)]
pub struct BoundSocket {
    /// Its path.
    pub path: PathBuf,
    /// The listening end, non-blocking.
    pub listener: std::os::unix::net::UnixListener,
}

/// What is wrong with a socket path; says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SocketError(pub String);

/// The directory of a user's sockets: `$XDG_RUNTIME_DIR/deployer`, else `/tmp/deployer-UID`; made 0700 when missing,
/// refused when somebody else owns it or others can write to it.
///
/// # Errors
/// When it cannot be made or is not safe.
pub fn directory() -> Result<PathBuf, SocketError> {
    todo!("daemon helper")
}

/// The path that `--socket VALUE` (or `$DEPLOYER_SOCKET`) means: digits are the user's socket of that number in
/// [`directory`], anything else is a path. The same for every subcommand (row W-37).
///
/// # Errors
/// As [`directory`]; a path longer than 107 bytes.
pub fn resolve(_value: &str) -> Result<PathBuf, SocketError> {
    todo!("daemon helper")
}

/// Binds `path`, or the user's first free number when `None`. A stale socket (nobody answers) is replaced, a live
/// one is refused with a sentence. Mode 0600.
///
/// # Errors
/// When it is taken, too long, or its directory is not safe.
pub fn bind(_path: Option<&Path>) -> Result<BoundSocket, SocketError> {
    todo!("daemon helper")
}

/// All sockets of the user (and the team's in `/run/deployer`), by number and name; whether anybody answers is for
/// the caller to find out.
///
/// # Errors
/// As [`directory`]; a missing directory is an empty list.
pub fn list() -> Result<Vec<PathBuf>, SocketError> {
    todo!("daemon helper")
}
