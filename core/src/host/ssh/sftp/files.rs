//! [`FileSystem`] over SFTP.

use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::packet::{self, Reply, Request};
use super::reader::SftpReader;
use super::session::{Session, User};
use super::slots::Slots;
use super::writer::SftpWriter;
use crate::host::files::{
    Answer, Attributes, Create, Fault, FileSystem, Problem, ReadFile, Stat, WriteFile, base_name, is_plain_name,
};
use crate::host::local::NAMES_MAX;
use crate::host::ssh::target::Key;

/// The files of a host reached over SSH, while it is used.
pub(in crate::host::ssh) struct SftpFiles(Arc<User>);

/// An open file or directory. Closed when dropped.
pub(super) struct Handle {
    pub(super) user: Arc<User>,
    pub(super) id: Bytes,
    closed: bool,
}

impl SftpFiles {
    /// The files of a destination; `open` opens a channel when there is none.
    ///
    /// # Errors
    /// What `open` says.
    pub(in crate::host::ssh) async fn of<E, F: Future<Output = Result<Arc<Session>, E>> + Send>(
        slots: &Slots,
        key: &Key,
        open: impl Fn() -> F + Send + Sync,
    ) -> Result<SftpFiles, E> {
        slots.user(key, open).await.map(|user| SftpFiles(Arc::new(user)))
    }

    fn session(&self) -> &Arc<Session> {
        &self.0.0
    }

    async fn ask(&self, kind: u8, fill: impl FnOnce(Request) -> Request + Send) -> Answer<Reply> {
        self.session().ask(kind, fill, Bytes::new()).await?.wait().await
    }

    async fn done(&self, kind: u8, fill: impl FnOnce(Request) -> Request + Send) -> Answer<()> {
        done(self.ask(kind, fill).await?)
    }

    async fn handle(&self, kind: u8, fill: impl FnOnce(Request) -> Request + Send) -> Answer<Handle> {
        match self.ask(kind, fill).await? {
            Reply::Handle(id) => Ok(Handle { user: self.0.clone(), id, closed: false }),
            other => Err(unexpected(&other)),
        }
    }

    async fn about(&self, kind: u8, path: &Path) -> Answer<Stat> {
        match self.ask(kind, |request| request.path(path)).await? {
            Reply::Attributes(stat) => Ok(Stat { name: base_name(path), ..stat }),
            other => Err(unexpected(&other)),
        }
    }

    /// A plain "failure" in better words, where looking at the path tells more.
    async fn explained(&self, fault: Fault, path: &Path, wanted_new: bool) -> Fault {
        if fault.problem != Problem::Other {
            return fault;
        }
        match self.lstat(path).await {
            Ok(_) if wanted_new => Fault::of(Problem::Exists),
            Ok(stat) if stat.is_dir() => Fault::of(Problem::IsADirectory),
            Err(missing) if missing.problem == Problem::Missing && self.is_full(path).await => Fault::of(Problem::Full),
            _ => fault,
        }
    }

    /// Whether the file system that holds a path has no room left for anything.
    async fn is_full(&self, path: &Path) -> bool {
        let directory = path.parent().unwrap_or(Path::new("/"));
        is_full(self.session(), directory).await
    }
}

/// Asks how much room there is: "failure" is all that version 3 says about a full disk.
pub(super) async fn is_full(session: &Arc<Session>, path: &Path) -> bool {
    if !session.abilities.statvfs {
        return false;
    }
    let fill = |request: Request| request.text(b"statvfs@openssh.com").path(path);
    let Ok(pending) = session.ask(packet::EXTENDED, fill, Bytes::new()).await else { return false };
    let Ok(Reply::Extended(mut said)) = pending.wait().await else { return false };
    let mut field = || packet::long(&mut said).unwrap_or(u64::MAX);
    let (_, fragment, _, _, available, _, free_files) = (field(), field(), field(), field(), field(), field(), field());
    let room = available.saturating_mul(fragment);
    room < session.abilities.write_chunk as u64 || free_files == 0
}

pub(super) fn done(reply: Reply) -> Answer<()> {
    match reply {
        Reply::Done => Ok(()),
        other => Err(unexpected(&other)),
    }
}

pub(super) fn unexpected(reply: &Reply) -> Fault {
    let what = match reply {
        Reply::End => "the end",
        Reply::Done => "only that it is done",
        _ => "something else",
    };
    Fault::new(Problem::Other, format!("the file server answers {what}"))
}

impl Handle {
    pub(super) fn session(&self) -> &Arc<Session> {
        &self.user.0
    }

    pub(super) async fn close(mut self) -> Answer<()> {
        self.closed = true;
        let id = self.id.clone();
        done(self.session().ask(packet::CLOSE, |request| request.text(&id), Bytes::new()).await?.wait().await?)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if !self.closed {
            self.session().tell(packet::CLOSE, |request| request.text(&self.id));
        }
    }
}

#[async_trait]
impl FileSystem for SftpFiles {
    async fn stat(&self, path: &Path) -> Answer<Stat> {
        self.about(packet::STAT, path).await
    }

    async fn lstat(&self, path: &Path) -> Answer<Stat> {
        self.about(packet::LSTAT, path).await
    }

    async fn read_link(&self, path: &Path) -> Answer<PathBuf> {
        match self.ask(packet::READLINK, |request| request.path(path)).await? {
            Reply::Names(mut names) if names.len() == 1 => Ok(PathBuf::from(names.remove(0).0)),
            other => Err(unexpected(&other)),
        }
    }

    async fn list(&self, path: &Path) -> Answer<Vec<Stat>> {
        let handle = match self.handle(packet::OPENDIR, |request| request.path(path)).await {
            Ok(handle) => handle,
            Err(fault) => {
                let is_file = matches!(self.stat(path).await, Ok(stat) if !stat.is_dir());
                return Err(if is_file { Fault::of(Problem::NotADirectory) } else { fault });
            }
        };
        let mut entries = Vec::new();
        loop {
            let names = match self.ask(packet::READDIR, |request| request.text(&handle.id)).await? {
                Reply::Names(names) if !names.is_empty() => names,
                // A server that answers with nothing would do so for ever.
                Reply::Names(_) | Reply::End => break,
                other => return Err(unexpected(&other)),
            };
            for (name, stat) in names {
                if matches!(name.as_encoded_bytes(), b"." | b"..") {
                    continue;
                }
                if !is_plain_name(&name) {
                    let name = String::from_utf8_lossy(&name.into_vec()).into_owned();
                    return Err(Fault::new(Problem::Other, format!("the server lists {name:?}, which is no name")));
                }
                entries.push(Stat { name, ..stat });
            }
            if entries.len() > NAMES_MAX {
                return Err(Fault::new(Problem::Other, format!("it has more than {NAMES_MAX} entries")));
            }
        }
        handle.close().await?;
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    async fn read(&self, path: &Path) -> Answer<Box<dyn ReadFile>> {
        let fill = |request: Request| request.path(path).number(packet::OPEN_READ).attributes(&Attributes::default());
        let handle = match self.handle(packet::OPEN, fill).await {
            Ok(handle) => handle,
            Err(fault) => return Err(self.explained(fault, path, false).await),
        };
        let asked = self.session().ask(packet::FSTAT, |request| request.text(&handle.id), Bytes::new()).await?;
        match asked.wait().await? {
            Reply::Attributes(stat) if stat.is_dir() => Err(Fault::of(Problem::IsADirectory)),
            Reply::Attributes(stat) => {
                Ok(Box::new(SftpReader::new(handle, Stat { name: base_name(path), ..stat })) as Box<dyn ReadFile>)
            }
            other => Err(unexpected(&other)),
        }
    }

    async fn write(&self, path: &Path, create: Create) -> Answer<Box<dyn WriteFile>> {
        let (flags, mode) = match create {
            Create::New(mode) => (packet::OPEN_WRITE | packet::OPEN_CREATE | packet::OPEN_NEW, mode),
            Create::Truncate => (packet::OPEN_WRITE | packet::OPEN_CREATE | packet::OPEN_TRUNCATE, None),
            Create::Append => (packet::OPEN_WRITE | packet::OPEN_CREATE | packet::OPEN_APPEND, None),
        };
        let attributes = Attributes { mode, ..Attributes::default() };
        let fill = |request: Request| request.path(path).number(flags).attributes(&attributes);
        match self.handle(packet::OPEN, fill).await {
            Ok(handle) => Ok(Box::new(SftpWriter::new(handle, path.to_path_buf())) as Box<dyn WriteFile>),
            Err(fault) => Err(self.explained(fault, path, matches!(create, Create::New(_))).await),
        }
    }

    async fn make_directory(&self, path: &Path, mode: u32) -> Answer<()> {
        match self.done(packet::MKDIR, |request| request.path(path).attributes(&Attributes::mode(mode))).await {
            Err(fault) => Err(self.explained(fault, path, true).await),
            made => made,
        }
    }

    async fn make_link(&self, path: &Path, target: &Path) -> Answer<()> {
        // OpenSSH takes them in this order, against the standard, and everybody follows.
        match self.done(packet::SYMLINK, |request| request.path(target).path(path)).await {
            Err(fault) => Err(self.explained(fault, path, true).await),
            made => made,
        }
    }

    async fn rename(&self, from: &Path, to: &Path) -> Answer<()> {
        if self.session().abilities.posix_rename {
            let fill = |request: Request| request.text(b"posix-rename@openssh.com").path(from).path(to);
            return self.done(packet::EXTENDED, fill).await;
        }
        match self.done(packet::RENAME, |request| request.path(from).path(to)).await {
            Err(fault) if fault.problem == Problem::Other && self.lstat(to).await.is_ok() => Err(Fault::new(
                Problem::Unsupported,
                "the server cannot replace a file in one step (posix-rename@openssh.com); use in_place",
            )),
            renamed => renamed,
        }
    }

    async fn remove_file(&self, path: &Path) -> Answer<()> {
        self.done(packet::REMOVE, |request| request.path(path)).await
    }

    async fn remove_directory(&self, path: &Path) -> Answer<()> {
        self.done(packet::RMDIR, |request| request.path(path)).await
    }

    async fn set(&self, path: &Path, attributes: Attributes) -> Answer<()> {
        self.done(packet::SETSTAT, |request| request.path(path).attributes(&attributes)).await
    }
}
