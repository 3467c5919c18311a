//! A file of a host, open: read, readline, write, close (rows F-49 to F-56).

mod closing;
mod reading;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::fault::{Fault, FileError, Problem};
use super::options::{FileOptions, OpenMode};
use super::replace::{Plan, Remains, Replacement};
use super::sudo::{self, PrivateCopy, Refusal};
use super::system::{Create, FileSystem, ReadFile, WriteFile};
use crate::host::{HostContainer, HostError, RunError};
use crate::logger::{Event, FileEntry};

pub(super) use closing::left_over;

/// A file of a host, open. What was written counts when it is closed: dropped without, the old file stays.
pub struct HostFile {
    host: HostContainer,
    path: PathBuf,
    options: FileOptions,
    state: State,
    /// How the log names it, until its end was told (row L-05).
    entry: Option<FileEntry>,
    started: Instant,
    bytes: u64,
    /// Bytes that the writer was given, those of a write that failed too.
    offered: u64,
    /// Not to be written, as its owner knows.
    discarded: bool,
}

enum State {
    Reading {
        reader: Box<dyn ReadFile>,
        buffer: BytesMut,
        ended: bool,
    },
    Replacing(Replacement),
    Appending {
        files: Arc<dyn FileSystem>,
        writer: Box<dyn WriteFile>,
        old: u64,
    },
    AsRoot {
        copy: PrivateCopy,
        writer: Box<dyn WriteFile>,
        append: bool,
    },
    /// Writes vanish, reads are empty (row F-56).
    Sandboxed(OpenMode),
    Closed,
}

impl HostFile {
    /// Opens it; the path is absolute, but in a sandbox.
    pub(super) async fn open(
        host: &HostContainer,
        path: PathBuf,
        mode: OpenMode,
        options: &FileOptions,
        entry: FileEntry,
    ) -> Result<HostFile, RunError> {
        let sandbox = options.sandbox.unwrap_or(host.io().sandbox);
        let mut file = HostFile {
            host: host.clone(),
            path,
            options: options.clone(),
            state: State::Sandboxed(mode),
            entry: Some(entry.clone()),
            started: Instant::now(),
            bytes: 0,
            offered: 0,
            discarded: false,
        };
        host.io().logger.emit(Event::FileStarted(entry)).await;
        if sandbox {
            return Ok(file);
        }
        match file.begin(mode).await {
            Ok(state) => {
                file.state = state;
                Ok(file)
            }
            Err(refusal) => {
                let error = file.error(mode, refusal, None);
                file.ended(false).await;
                Err(error)
            }
        }
    }

    async fn begin(&self, mode: OpenMode) -> Result<State, Refusal> {
        let files = self.host.files().await.map_err(Refusal::Run)?;
        match (mode, self.options.use_sudo) {
            (OpenMode::Read, sudo) => {
                let reader = match sudo {
                    true => sudo::read(&self.host, &files, &self.path).await?,
                    false => files.read(&self.path).await?,
                };
                Ok(State::Reading { reader, buffer: BytesMut::new(), ended: false })
            }
            (OpenMode::Write, false) => {
                let plan =
                    Plan { follow: true, in_place: self.options.in_place, mode: self.options.mode, fresh: false };
                Ok(State::Replacing(Replacement::begin(files, &self.path, plan).await?))
            }
            (OpenMode::Append, false) => {
                let old = match files.stat(&self.path).await {
                    Ok(stat) => stat.size,
                    Err(fault) if fault.problem == Problem::Missing => 0,
                    Err(fault) => return Err(fault.into()),
                };
                let writer = files.write(&self.path, Create::Append).await?;
                Ok(State::Appending { files, writer, old })
            }
            (mode, true) => {
                let (copy, writer) = PrivateCopy::new(files).await?;
                Ok(State::AsRoot { copy, writer, append: mode == OpenMode::Append })
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Writes the next bytes (row F-51).
    ///
    /// # Errors
    /// When the file is closed, open for reading, or cannot be written; it is closed then, and a file that was to be
    /// replaced is as it was.
    pub async fn write(&mut self, bytes: impl Into<Bytes>) -> Result<(), RunError> {
        let bytes = bytes.into();
        let length = bytes.len() as u64;
        let cancel = self.host.io().cancel.clone();
        let writer = match &mut self.state {
            State::Replacing(replacement) => match replacement.writer() {
                Ok(writer) => writer,
                Err(fault) => return Err(self.failed(OpenMode::Write, fault)),
            },
            State::Appending { writer, .. } | State::AsRoot { writer, .. } => writer,
            State::Sandboxed(OpenMode::Write | OpenMode::Append) => return Ok(()),
            State::Closed => return Err(self.failed(OpenMode::Write, Fault::of(Problem::Closed))),
            State::Reading { .. } | State::Sandboxed(OpenMode::Read) => {
                let fault = Fault::new(Problem::WrongMode, "it was opened for reading");
                return Err(self.failed(OpenMode::Write, fault));
            }
        };
        self.offered += length;
        match super::copy::unless(&cancel, writer.write(bytes)).await {
            Ok(()) => {
                self.bytes += length;
                Ok(())
            }
            Err(fault) => Err(self.give_up(fault.into()).await),
        }
    }

    fn failed(&self, mode: OpenMode, fault: Fault) -> RunError {
        self.error(mode, fault.into(), None)
    }

    fn error(&self, mode: OpenMode, refusal: Refusal, remains: Option<Remains>) -> RunError {
        let fault = match refusal {
            Refusal::Run(error) => return error,
            Refusal::Fault(fault) => fault,
        };
        if fault.problem == Problem::Interrupted && remains.is_none() {
            return HostError::Interrupted { host: self.host.slug().to_string() }.into();
        }
        let action = match mode {
            OpenMode::Read => "read",
            OpenMode::Write => "write",
            OpenMode::Append => "append to",
        };
        let mut error = FileError::new(self.host.slug(), action, &self.path, fault);
        if let Some(remains) = remains {
            error = error.note(remains.note);
            if let Some(left) = remains.left {
                error = error.note(left_over(&left));
            }
        }
        RunError::File(Arc::new(error))
    }
}
