//! What can go wrong with a file, said the same way for every kind of host.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::terminal::style::escaped;

/// The kinds of trouble that callers tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// There is no such file or directory.
    Missing,
    /// The user may not do that.
    Denied,
    /// Something of that name is there already.
    Exists,
    /// A directory was wanted.
    NotADirectory,
    /// A file was wanted.
    IsADirectory,
    /// No space left, or a quota or limit of size is reached.
    Full,
    /// The connection or the server went away.
    Lost,
    /// The run was cancelled.
    Interrupted,
    /// The file was closed before (row F-52).
    Closed,
    /// Reading a file opened for writing, or the other way round (row F-53).
    WrongMode,
    /// The server does not do it.
    Unsupported,
    /// Anything else.
    Other,
}

/// What went wrong, without saying where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its kind.
    pub problem: Problem,
    /// In words that fit behind a colon.
    pub said: String,
}

/// The outcome of one operation of a [`super::FileSystem`].
pub type Answer<T> = Result<T, Fault>;

impl Fault {
    /// A fault in words of its own.
    pub fn new(problem: Problem, said: impl Into<String>) -> Fault {
        Fault { problem, said: said.into() }
    }

    /// A fault that needs no more words than its kind.
    pub fn of(problem: Problem) -> Fault {
        let said = match problem {
            Problem::Missing => "no such file or directory",
            Problem::Denied => "permission denied",
            Problem::Exists => "it is there already",
            Problem::NotADirectory => "not a directory",
            Problem::IsADirectory => "it is a directory",
            Problem::Full => "no space left on the device",
            Problem::Lost => "the connection was lost",
            Problem::Interrupted => "interrupted",
            Problem::Closed => "the file is closed",
            Problem::WrongMode => "the file was opened for something else",
            Problem::Unsupported => "the server does not do that",
            Problem::Other => "failure",
        };
        Fault::new(problem, said)
    }

    /// From what a tool says last in the C locale, as `cat: /x: Permission denied`.
    pub(crate) fn told(line: &str) -> Fault {
        let line = line.trim();
        match TOLD.iter().find(|(words, _)| line.ends_with(words)) {
            Some((_, number)) => Fault::from(io::Error::from_raw_os_error(*number)),
            None => Fault::new(Problem::Other, escaped(&line.chars().take(300).collect::<String>())),
        }
    }
}

/// The words of glibc and musl, and those of shells (dash, busybox, bash) where they have their own.
const TOLD: [(&str, i32); 17] = [
    ("No such file or directory", libc::ENOENT),
    ("No such file", libc::ENOENT),
    ("Directory nonexistent", libc::ENOENT),
    ("nonexistent directory", libc::ENOENT),
    ("Permission denied", libc::EACCES),
    ("Operation not permitted", libc::EPERM),
    ("File exists", libc::EEXIST),
    ("cannot overwrite existing file", libc::EEXIST),
    ("Not a directory", libc::ENOTDIR),
    ("Is a directory", libc::EISDIR),
    ("No space left on device", libc::ENOSPC),
    ("Disk quota exceeded", libc::EDQUOT),
    ("Quota exceeded", libc::EDQUOT),
    ("File too large", libc::EFBIG),
    ("Read-only file system", libc::EROFS),
    ("Directory not empty", libc::ENOTEMPTY),
    ("Too many levels of symbolic links", libc::ELOOP),
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        let problem = match error.raw_os_error() {
            Some(libc::ENOENT) => Problem::Missing,
            Some(libc::EACCES | libc::EPERM | libc::EROFS) => Problem::Denied,
            Some(libc::EEXIST | libc::ENOTEMPTY) => Problem::Exists,
            Some(libc::ENOTDIR) => Problem::NotADirectory,
            Some(libc::EISDIR) => Problem::IsADirectory,
            Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG) => Problem::Full,
            _ => Problem::Other,
        };
        match error.raw_os_error() {
            Some(libc::EDQUOT) => Fault::new(problem, "the quota is used up"),
            Some(libc::EFBIG) => Fault::new(problem, "the file is larger than the limit of its file system or process"),
            Some(libc::EROFS) => Fault::new(problem, "the file system is read-only"),
            Some(libc::ENOTEMPTY) => Fault::new(problem, "the directory is not empty"),
            _ if problem == Problem::Other => Fault::new(problem, error.to_string()),
            _ => Fault::of(problem),
        }
    }
}

/// A file of a host could not be used (the I/O errors of rows F-46, F-52, F-53).
#[derive(Clone, Debug)]
pub struct FileError {
    /// Slug of the host.
    pub host: String,
    /// What was tried: "read", "write", "list".
    pub action: String,
    /// The file on the host.
    pub path: PathBuf,
    /// What went wrong.
    pub fault: Fault,
    /// What became of the file, and what to do; empty when there is nothing to say.
    pub notes: Vec<String>,
}

impl FileError {
    pub(crate) fn new(host: &str, action: &str, path: &Path, fault: Fault) -> FileError {
        FileError {
            host: host.to_string(),
            action: action.to_string(),
            path: path.to_path_buf(),
            fault,
            notes: Vec::new(),
        }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> FileError {
        self.notes.push(note.into());
        self
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: cannot {} {}: {}", self.host, self.action, shown(&self.path), self.fault)?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

impl std::error::Error for FileError {}

/// A path as people read it, harmless on a terminal.
pub(crate) fn shown(path: &Path) -> String {
    escaped(&path.to_string_lossy())
}
