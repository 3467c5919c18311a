//! What a kind of host has to offer for its files to be used: [`FileSystem`], small enough to be written twice.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;

use super::fault::Answer;
use super::stat::Stat;

/// How a file is opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Create {
    /// A new file; fails when something of that name is there, a link included. With these permissions, less what the
    /// host's umask takes; `None`: 0666.
    New(Option<u32>),
    /// What is there is emptied first; made when it is not there.
    Truncate,
    /// Everything written goes to its end; made when it is not there.
    Append,
}

/// What can be changed of a file. `None` leaves it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Bytes; longer makes a hole, shorter cuts.
    pub size: Option<u64>,
    /// Owner and group.
    pub owner: Option<(u32, u32)>,
    /// Permissions, 0..=0o7777.
    pub mode: Option<u32>,
    /// Read and written last, seconds since 1970.
    pub times: Option<(u32, u32)>,
}

impl Attributes {
    /// Permissions alone.
    pub fn mode(mode: u32) -> Attributes {
        Attributes { mode: Some(mode), ..Attributes::default() }
    }
}

/// The files of one host, as the login user sees them. Paths are absolute; they and names are bytes.
///
/// Nothing here follows `cd`, expands tildes, asks sudo or shows anything: that is the same for all hosts and stands
/// above.
#[async_trait]
pub trait FileSystem: Send + Sync {
    /// About a file; links are followed.
    async fn stat(&self, path: &Path) -> Answer<Stat>;

    /// About a file or a link itself.
    async fn lstat(&self, path: &Path) -> Answer<Stat>;

    /// Where a link leads, as written in it.
    async fn read_link(&self, path: &Path) -> Answer<PathBuf>;

    /// What is in a directory, without `.` and `..`, links not followed, sorted by name.
    async fn list(&self, path: &Path) -> Answer<Vec<Stat>>;

    /// Opens for reading, from the beginning.
    async fn read(&self, path: &Path) -> Answer<Box<dyn ReadFile>>;

    /// Opens for writing.
    async fn write(&self, path: &Path, create: Create) -> Answer<Box<dyn WriteFile>>;

    /// Makes a directory with these permissions, less what the umask takes.
    async fn make_directory(&self, path: &Path, mode: u32) -> Answer<()>;

    /// Makes a symbolic link at `path`.
    async fn make_link(&self, path: &Path, target: &Path) -> Answer<()>;

    /// Renames in one step; what is at `to` is replaced.
    async fn rename(&self, from: &Path, to: &Path) -> Answer<()>;

    /// Removes a file or a link.
    async fn remove_file(&self, path: &Path) -> Answer<()>;

    /// Removes an empty directory.
    async fn remove_directory(&self, path: &Path) -> Answer<()>;

    /// Changes attributes; links are followed.
    async fn set(&self, path: &Path, attributes: Attributes) -> Answer<()>;
}

/// A file open for reading. Dropping it closes it.
#[async_trait]
pub trait ReadFile: Send + Sync {
    /// About the file when it was opened.
    fn stat(&self) -> &Stat;

    /// Whether there are holes in it, as far as that is known.
    fn sparse(&self) -> bool {
        false
    }

    /// The next bytes; empty at the end.
    async fn read(&mut self) -> Answer<Bytes>;
}

/// A file open for writing. Dropping it closes it without waiting for what is on its way.
#[async_trait]
pub trait WriteFile: Send + Sync {
    /// Writes the next bytes. A failure may be told by a later call.
    async fn write(&mut self, bytes: Bytes) -> Answer<()>;

    /// Leaves a hole; the file has it when something follows, or with [`Attributes::size`].
    fn skip(&mut self, bytes: u64);

    /// Waits until everything written has arrived.
    async fn flush(&mut self) -> Answer<()>;

    /// Waits until it is on the disk, as far as the host can tell.
    async fn sync(&mut self) -> Answer<()>;

    /// Changes attributes.
    async fn set(&mut self, attributes: Attributes) -> Answer<()>;

    /// Closes it, all written.
    async fn close(self: Box<Self>) -> Answer<()>;
}
