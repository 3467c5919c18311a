//! `put_file` and `get_file` (row F-57).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::copy::{End, Failure, How, Place, copy};
use super::fault::{Fault, FileError, Problem};
use super::meter::Meter;
use super::open::left_over;
use super::options::{FileOptions, label};
use super::replace::Plan;
use super::sudo::{self, PrivateCopy, Refusal};
use super::system::{FileSystem, ReadFile};
use super::tree::{Copied, Tree};
use crate::host::local::LocalFiles;
use crate::host::{HostContainer, HostError, RunError};
use crate::logger::{Event, FileEntry, FileOperation};

/// A transfer under way.
struct Transfer<'a> {
    host: &'a HostContainer,
    operation: FileOperation,
    local: PathBuf,
    remote: PathBuf,
    options: &'a FileOptions,
}

impl HostContainer {
    /// Uploads a file, or with `recursive` a directory. The remote file is replaced in one step, so that nobody ever
    /// sees a part of it; it keeps its owner and permissions. A relative local path is one of the directory deployer
    /// runs in; a tilde is expanded on both sides.
    ///
    /// # Errors
    /// When either side cannot be used. The old remote file is as it was, and the error says so.
    pub async fn put_file(
        &self,
        local: impl AsRef<Path>,
        remote: impl AsRef<Path>,
        options: &FileOptions,
    ) -> Result<Copied, RunError> {
        self.transfer(FileOperation::Put, local.as_ref(), remote.as_ref(), options).await
    }

    /// Downloads a file, or with `recursive` a directory; the local file is replaced in one step.
    ///
    /// # Errors
    /// When either side cannot be used. The old local file is as it was, and the error says so.
    pub async fn get_file(
        &self,
        remote: impl AsRef<Path>,
        local: impl AsRef<Path>,
        options: &FileOptions,
    ) -> Result<Copied, RunError> {
        self.transfer(FileOperation::Get, local.as_ref(), remote.as_ref(), options).await
    }

    async fn transfer(
        &self,
        operation: FileOperation,
        local: &Path,
        remote: &Path,
        options: &FileOptions,
    ) -> Result<Copied, RunError> {
        if options.recursive && options.use_sudo {
            return Err(self.wrong(
                "recursive does not go with use_sudo: put the directory where you may write, then \
                                   move it with a command",
            ));
        }
        let sandbox = options.sandbox.unwrap_or(self.io().sandbox);
        let local = local_path(local).map_err(|fault| self.local_error(local, fault))?;
        let remote = if sandbox { remote.to_path_buf() } else { self.place(remote).await? };
        let transfer = Transfer { host: self, operation, local, remote, options };
        transfer.logged(sandbox).await
    }

    fn local_error(&self, path: &Path, fault: Fault) -> RunError {
        RunError::File(Arc::new(FileError::new(self.slug(), "use the local file", path, fault)))
    }
}

/// The absolute form of a path on this machine.
pub(crate) fn local_path(path: &Path) -> Result<PathBuf, Fault> {
    let here = std::env::current_dir().map_err(Fault::from)?;
    let Ok(rest) = path.strip_prefix("~") else { return Ok(here.join(path)) };
    match std::env::home_dir() {
        Some(home) => Ok(home.join(rest)),
        None => Err(Fault::new(Problem::Other, "the home directory of this user is not known")),
    }
}

impl Transfer<'_> {
    async fn logged(&self, sandbox: bool) -> Result<Copied, RunError> {
        let io = self.host.io();
        let entry = FileEntry {
            host: self.host.slug().to_string(),
            operation: self.operation,
            remote: self.remote.to_string_lossy().into_owned(),
            local: Some(self.local.to_string_lossy().into_owned()),
            use_sudo: self.options.use_sudo,
            sandbox,
            silent: self.options.silent,
        };
        io.logger.emit(Event::FileStarted(entry.clone())).await;
        let started = Instant::now();
        let result = if sandbox { self.sandboxed().await } else { self.work().await };
        let (ok, bytes) = (result.is_ok(), result.as_ref().map_or(0, |copied| copied.bytes));
        io.logger.emit(Event::FileFinished { file: entry, ok, bytes, elapsed: started.elapsed() }).await;
        result
    }

    /// Nothing is written; that the file to upload is not there is worth knowing all the same.
    async fn sandboxed(&self) -> Result<Copied, RunError> {
        if self.operation == FileOperation::Put {
            LocalFiles.stat(&self.local).await.map_err(|fault| self.host.local_error(&self.local, fault))?;
        }
        Ok(Copied::default())
    }

    async fn work(&self) -> Result<Copied, RunError> {
        let there = Place { files: self.host.files().await?, path: self.remote.clone() };
        let here = Place { files: Arc::new(LocalFiles), path: self.local.clone() };
        let outcome = match (self.operation, self.options.use_sudo) {
            (FileOperation::Put, true) => self.put_as_root(&here, &there).await,
            (FileOperation::Put, false) => self.copy(&here, &there).await.map_err(Trouble::Failure),
            (_, true) => self.get_as_root(&there, &here).await,
            (_, false) => self.copy(&there, &here).await.map_err(Trouble::Failure),
        };
        match outcome {
            Ok(copied) => Ok(copied),
            Err(Trouble::Run(error)) => Err(error),
            Err(Trouble::Failure(failure)) => Err(self.error(failure).await),
        }
    }

    async fn copy(&self, from: &Place, to: &Place) -> Result<Copied, Failure> {
        let io = self.host.io();
        let show = !self.options.silent;
        let name = label(&from.path);
        if self.options.recursive && self.is_directory(from).await? {
            let tree = Tree::of(from, &io.cancel).await?;
            let mut meter = Meter::new(&io.terminal, show, &name, tree.size());
            let copied = tree.copy(from, to, self.options.preserve, &mut meter, &io.terminal, &io.cancel).await;
            meter.end(copied.is_ok()).await;
            return copied;
        }
        let size = from.files.stat(&from.path).await.map_or(0, |stat| stat.size);
        let mut meter = Meter::new(&io.terminal, show, &name, size);
        let FileOptions { mode, in_place, preserve, .. } = *self.options;
        let how = How { plan: Plan { follow: true, in_place, mode, fresh: false }, preserve, sync: true };
        let copied = copy(from, to, how, &mut meter, &io.cancel).await;
        meter.end(copied.is_ok()).await;
        copied.map(|bytes| Copied { files: 1, bytes })
    }

    async fn is_directory(&self, place: &Place) -> Result<bool, Failure> {
        match place.files.stat(&place.path).await {
            Ok(stat) => Ok(stat.is_dir()),
            Err(fault) => Err(Failure::new(End::From, &place.path, fault)),
        }
    }

    async fn put_as_root(&self, from: &Place, to: &Place) -> Result<Copied, Trouble> {
        let mode = match self.options.mode {
            Some(mode) => Some(mode),
            // Less what a usual umask takes: root's own does not count for what is not root's.
            None => from.files.stat(&from.path).await.ok().map(|stat| stat.mode & 0o755),
        };
        let failed = |fault| Trouble::Failure(Failure::new(End::To, &to.path, fault));
        let (mut private, writer) = PrivateCopy::new(to.files.clone()).await.map_err(failed)?;
        drop(writer);
        let between = Place { files: to.files.clone(), path: private.path() };
        let copied = self.copy(from, &between).await;
        let installed = match &copied {
            Ok(_) => sudo::install(self.host, &between.path, &to.path, mode, self.options.in_place).await,
            Err(_) => Ok(()),
        };
        let left = private.remove().await;
        let refused = match (copied, installed) {
            (Ok(copied), Ok(())) => {
                if let Some(left) = left {
                    tracing::warn!(path = %left.display(), host = self.host.slug(), "a private copy could not be removed");
                }
                return Ok(copied);
            }
            (_, Err(Refusal::Run(error))) => return Err(Trouble::Run(error)),
            (_, Err(Refusal::Fault(fault))) => Failure::new(End::To, &to.path, fault),
            (Err(failure), _) if failure.end == End::From => Failure { notes: Vec::new(), ..failure },
            (Err(failure), _) => Failure::new(End::To, &to.path, failure.fault),
        };
        let notes = vec!["the old file is as it was".to_string()];
        Err(Trouble::Failure(Failure { notes, left, ..refused }))
    }

    async fn get_as_root(&self, from: &Place, to: &Place) -> Result<Copied, Trouble> {
        let reader = match sudo::read(self.host, &from.files, &from.path).await {
            Ok(reader) => reader,
            Err(Refusal::Run(error)) => return Err(Trouble::Run(error)),
            Err(Refusal::Fault(fault)) => return Err(Trouble::Failure(Failure::new(End::From, &from.path, fault))),
        };
        self.save(reader, from, to).await.map_err(Trouble::Failure)
    }

    async fn save(&self, reader: Box<dyn ReadFile>, from: &Place, to: &Place) -> Result<Copied, Failure> {
        let io = self.host.io();
        let mut meter = Meter::new(&io.terminal, !self.options.silent, &label(&from.path), reader.stat().size);
        let FileOptions { mode, in_place, .. } = *self.options;
        // What only root could read is for the operator alone, unless they say otherwise.
        let plan = Plan { follow: true, in_place, mode: mode.or(Some(0o600)), fresh: false };
        let how = How { plan, preserve: false, sync: true };
        let copied = super::copy::copy_open(reader, from, to, how, &mut meter, &io.cancel).await;
        meter.end(copied.is_ok()).await;
        copied.map(|bytes| Copied { files: 1, bytes })
    }

    /// The error for people: what failed where, and what is left.
    async fn error(&self, failure: Failure) -> RunError {
        let remote = (failure.end == End::To) == (self.operation == FileOperation::Put);
        if failure.fault.problem == Problem::Interrupted && failure.notes.is_empty() {
            return HostError::Interrupted { host: self.host.slug().to_string() }.into();
        }
        let action = match (failure.end, remote) {
            (End::From, true) => "read",
            (End::To, true) => "write",
            (End::From, false) => "read the local file",
            (End::To, false) => "write the local file",
        };
        let mut error = FileError::new(self.host.slug(), action, &failure.path, failure.fault);
        error.notes = failure.notes;
        if error.fault.problem == Problem::IsADirectory {
            let note = match failure.end {
                End::From => "recursive copies a directory",
                End::To => "name the file in it",
            };
            error.notes = vec![note.to_string()];
        }
        let left = match failure.left {
            Some(left) if remote => self.host.removed_later(left).await,
            left => left,
        };
        if let Some(left) = left {
            error = error.note(left_over(&left));
        }
        RunError::File(Arc::new(error))
    }
}

enum Trouble {
    Run(RunError),
    Failure(Failure),
}
