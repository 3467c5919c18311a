//! What is known about a file (row F-46).

use std::ffi::OsString;
use std::path::Path;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, where links are not followed.
    Symlink,
    /// A device, a pipe, a socket.
    Other,
}

/// What is known about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its name without the directory; bytes, as POSIX has it.
    pub name: OsString,
    /// What it is.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// Number of the owner.
    pub uid: u32,
    /// Number of the group.
    pub gid: u32,
    /// Permissions, with setuid, setgid and sticky: 0..=0o7777.
    pub mode: u32,
    /// When it was read last, seconds since 1970.
    pub accessed: u32,
    /// When it was written last, seconds since 1970.
    pub modified: u32,
}

impl Stat {
    /// Whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Whether it is a directory.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Whether it is a symbolic link; only where links are not followed.
    pub fn is_symlink(&self) -> bool {
        self.kind == FileKind::Symlink
    }

    /// From a number that has type and permissions in it, as `st_mode`.
    pub(crate) fn kind_of(mode: u32) -> FileKind {
        match mode & 0o170_000 {
            0o100_000 => FileKind::File,
            0o040_000 => FileKind::Directory,
            0o120_000 => FileKind::Symlink,
            _ => FileKind::Other,
        }
    }
}

/// The name at the end of a path; the path itself when it has none, as `/`.
pub(crate) fn base_name(path: &Path) -> OsString {
    path.file_name().map_or_else(|| path.as_os_str().to_os_string(), ToOwned::to_owned)
}
