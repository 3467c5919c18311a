//! Binding a socket so that nobody else can ever connect to it, replacing a stale one, removing our own.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::running::Running;

use super::lock::{Identity, Lock};
use super::{NUMBERS, SocketError, Whose, check_directory, check_length, directory, uid};

/// Clients that may wait to be accepted; the kernel caps it at its own maximum.
const BACKLOG: i32 = 1024;

/// A socket that this process listens on; removed on drop if it is still the one that was bound.
#[derive(Debug)]
pub struct BoundSocket {
    /// Its path.
    pub path: PathBuf,
    /// The listening end, non-blocking.
    pub listener: UnixListener,
    /// Of the file that was bound here; a socket that somebody else bound is not ours to remove.
    identity: Option<Identity>,
}

/// Nobody replaces it meanwhile: while the listener is open it counts as alive.
impl Drop for BoundSocket {
    fn drop(&mut self) {
        if Identity::of(&self.path).is_ok_and(|found| Some(found) == self.identity)
            && let Err(error) = std::fs::remove_file(&self.path)
        {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the socket");
        }
    }
}

/// Binds `path`, or the user's first free number when `None`. A stale socket (nobody answers) is replaced, a live
/// one is refused with a sentence. Mode 0600.
///
/// # Errors
/// When it is taken, too long, or its directory is not safe.
pub fn bind(path: Option<&Path>) -> Result<BoundSocket, SocketError> {
    let Some(path) = path else {
        return bind_first_free(&directory()?);
    };
    let path = std::path::absolute(path).map_err(|error| SocketError(format!("{}: {error}", path.display())))?;
    let parent = path.parent().ok_or_else(|| SocketError(format!("{} is not a path of a socket", path.display())))?;
    check_directory(parent, Whose::Trusted)?;
    bind_at(&path, Reach::Owner)
}

/// Who can reach a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Its owner: mode 0600.
    Owner,
    /// The members of this group too: mode 0660.
    Group(u32),
}

/// Binds a path whose directory was checked.
pub(super) fn bind_at(path: &Path, reach: Reach) -> Result<BoundSocket, SocketError> {
    match try_bind(path, reach)? {
        Attempt::Bound(socket) => Ok(socket),
        Attempt::Alive => Err(SocketError(format!(
            "a deployer daemon already listens on {path}: use `deployer connect --socket {path}`",
            path = path.display()
        ))),
    }
}

/// Takes over a socket that a service manager has bound and listens on; it stays when we end.
///
/// # Errors
/// When it has no path: such a socket cannot be found by `connect`, and everybody may use it. When somebody else owns
/// it, or others may connect to it: everybody, or a group when it is not `for_group`.
pub fn adopt(listener: UnixListener, for_group: bool) -> Result<BoundSocket, SocketError> {
    let refused = |why: String| SocketError(format!("the socket of the service manager cannot be used: {why}"));
    let address = listener.local_addr().map_err(|error| refused(error.to_string()))?;
    let path = address.as_pathname().ok_or_else(|| refused("it has no path in the file system".to_string()))?;
    let listens = rustix::net::sockopt::socket_acceptconn(&listener).map_err(|error| refused(error.to_string()))?;
    if !listens {
        return Err(refused("it does not listen".to_string()));
    }
    let file = path.symlink_metadata().map_err(|error| refused(format!("{}: {error}", path.display())))?;
    if !file.file_type().is_socket() {
        return Err(refused(format!("{} is another file by now", path.display())));
    }
    if ![0, uid()].contains(&file.uid()) {
        return Err(refused(format!("{} belongs to user id {}: set SocketUser=", path.display(), file.uid())));
    }
    let (too_wide, right) = if for_group { (0o002, "0660") } else { (0o022, "0600") };
    if file.mode() & too_wide != 0 {
        let mode = file.mode() & 0o777;
        return Err(refused(format!("{} has mode {mode:04o}: set SocketMode={right}", path.display())));
    }
    rustix::io::fcntl_setfd(&listener, rustix::io::FdFlags::CLOEXEC).map_err(|error| refused(error.to_string()))?;
    listener.set_nonblocking(true).map_err(|error| refused(error.to_string()))?;
    Ok(BoundSocket { path: path.to_path_buf(), listener, identity: None })
}

/// A daemon that ended without stopping: killed, or crashed with its machine's memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crashed {
    /// Where it listened.
    pub socket: PathBuf,
    /// What it ran at the end, if it could still be read.
    pub ran: Option<Running>,
}

impl Crashed {
    /// Whether it is known that something was at work.
    pub fn ran_something(&self) -> bool {
        self.ran.as_ref().is_some_and(|ran| !ran.actions.is_empty())
    }
}

/// Removes the sockets that nobody listens on any more, with the notes of what ran: that at `path`, or all of the
/// user's. What cannot be looked at is left alone.
///
/// # Errors
/// When the directory of the user's sockets is not safe.
pub fn clean_up(path: Option<&Path>) -> Result<Vec<Crashed>, SocketError> {
    let sockets = match path {
        Some(path) => vec![path.to_path_buf()],
        None => super::sockets_in(&directory()?)?,
    };
    Ok(sockets.iter().filter_map(|socket| clean_one(socket).ok().flatten()).collect())
}

fn clean_one(socket: &Path) -> Result<Option<Crashed>, SocketError> {
    if socket.symlink_metadata().is_err() {
        return Ok(None);
    }
    let _lock = Lock::take(socket)?;
    if look(socket)? != Found::Stale {
        return Ok(None);
    }
    let crashed = Crashed { socket: socket.to_path_buf(), ran: Running::left_at(socket) };
    std::fs::remove_file(socket).map_err(|error| SocketError(error.to_string()))?;
    crate::running::remove(socket);
    Ok(Some(crashed))
}

/// What the last daemon at an adopted socket left, which stays while daemons come and go.
pub fn left_behind(socket: &BoundSocket) -> Option<Crashed> {
    let ran = Running::left_at(&socket.path)?;
    crate::running::remove(&socket.path);
    Some(Crashed { socket: socket.path.clone(), ran: Some(ran) })
}

fn bind_first_free(directory: &Path) -> Result<BoundSocket, SocketError> {
    for number in 0..NUMBERS {
        if let Attempt::Bound(socket) = try_bind(&directory.join(format!("{number}.sock")), Reach::Owner)? {
            return Ok(socket);
        }
    }
    Err(SocketError(format!(
        "all {NUMBERS} sockets in {} are in use: end a daemon, or name a socket with --socket PATH",
        directory.display()
    )))
}

/// What came of one path.
enum Attempt {
    Bound(BoundSocket),
    Alive,
}

/// The lock makes looking and replacing one step: of two that find the same stale socket one replaces it and the
/// other then finds it alive.
fn try_bind(path: &Path, reach: Reach) -> Result<Attempt, SocketError> {
    check_length(path)?;
    let _lock = Lock::take(path)?;
    let at = |error: io::Error| SocketError(format!("cannot bind {}: {error}", path.display()));
    match look(path)? {
        Found::Alive => return Ok(Attempt::Alive),
        Found::Stale => std::fs::remove_file(path).map_err(at)?,
        Found::Nothing => {}
    }
    let listener = listen(path, reach).map_err(at)?;
    let identity = Identity::of(path).map_err(at)?;
    Ok(Attempt::Bound(BoundSocket { path: path.to_path_buf(), listener, identity: Some(identity) }))
}

/// Bound, then narrowed, then listening: before `listen` every connect is refused by the kernel, so there is no
/// moment in which somebody else can get in, whatever the umask (row W-02).
fn listen(path: &Path, reach: Reach) -> io::Result<UnixListener> {
    let socket = new_socket()?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    if let Reach::Group(group) = reach {
        std::os::unix::fs::lchown(path, None, Some(group))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    }
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(UnixListener::from(socket))
}

fn new_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// What is at a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Stale,
    Alive,
}

fn look(path: &Path) -> Result<Found, SocketError> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(error) => return Err(SocketError(format!("{}: {error}", path.display()))),
    };
    if !metadata.file_type().is_socket() {
        return Err(SocketError(format!(
            "{} exists and is not a socket: remove it or choose another path",
            path.display()
        )));
    }
    if metadata.uid() != uid() {
        return Err(SocketError(format!(
            "{} belongs to user id {}: choose another path",
            path.display(),
            metadata.uid()
        )));
    }
    match probe(path) {
        Ok(()) => Ok(Found::Alive),
        // A full backlog: somebody listens, but is slow.
        Err(Errno::AGAIN) => Ok(Found::Alive),
        Err(Errno::CONNREFUSED) => Ok(Found::Stale),
        Err(Errno::NOENT) => Ok(Found::Nothing),
        Err(error) => Err(SocketError(format!("cannot find out who listens on {}: {error}", path.display()))),
    }
}

fn probe(path: &Path) -> Result<(), Errno> {
    rustix::net::connect(&new_socket()?, &SocketAddrUnix::new(path)?)
}

#[cfg(test)]
#[path = "bind_tests.rs"]
mod tests;
