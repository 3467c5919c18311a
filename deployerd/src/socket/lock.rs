//! One binder at a time per path, and which file it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, Mode, OFlags};

use super::{SocketError, uid};

/// Which file it is, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(path: &Path) -> io::Result<Identity> {
        path.symlink_metadata().map(|metadata| Identity { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// One binder at a time per path: a locked file beside the socket, gone again with the lock.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    pub(super) fn take(socket: &Path) -> Result<Lock, SocketError> {
        let name =
            socket.file_name().ok_or_else(|| SocketError(format!("{} is not a path of a socket", socket.display())))?;
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".lock");
        let path = socket.with_file_name(hidden);
        Lock::at(&path).map_err(|error| SocketError(format!("cannot lock {}: {error}", path.display())))
    }

    fn at(path: &Path) -> io::Result<Lock> {
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        loop {
            let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
            let metadata = file.metadata()?;
            if metadata.uid() != uid() || !metadata.is_file() {
                return Err(io::Error::other("it belongs to somebody else: choose another path for the socket"));
            }
            rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
            // Whoever had it before has removed it: what we locked may have no name any more.
            let ours = Identity { device: metadata.dev(), inode: metadata.ino() };
            match Identity::of(path) {
                Ok(found) if found == ours => return Ok(Lock { path: path.to_path_buf(), _file: file }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still locked, so nobody else's; a file that stays behind is harmless and locked again by the next.
        let _harmless = std::fs::remove_file(&self.path);
    }
}
