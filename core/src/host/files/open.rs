//! A file of a host, open: read, readline, write, close (rows F-49 to F-56).

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use super::fault::{Fault, FileError, Problem};
use super::options::{FileOptions, OpenMode};
use super::replace::{Plan, Remains, Replacement};
use super::sudo::{self, PrivateCopy, Refusal};
use super::system::{Attributes, Create, FileSystem, ReadFile, WriteFile};
use crate::host::{HostContainer, HostError, RunError};
use crate::logger::{Event, FileEntry};

/// Most bytes that one read gives; larger files are for `get_file`.
const READ_MAX: usize = 256 * 1024 * 1024;

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

    /// The next bytes, at most `limit`; without a limit all the rest (row F-50). Empty at the end.
    ///
    /// # Errors
    /// When the file is closed, open for writing, cannot be read, or has more left than 256 MiB and no limit was given.
    pub async fn read(&mut self, limit: Option<usize>) -> Result<Bytes, RunError> {
        let wanted = limit.unwrap_or(READ_MAX);
        while self.buffered(OpenMode::Read)?.is_some_and(|have| have < wanted) {
            self.fill().await?;
        }
        if limit.is_none() && self.buffered(OpenMode::Read)?.is_some() {
            let fault = Fault::new(Problem::Other, "more than 256 MiB at once; use get_file, or read in parts");
            return Err(self.failed(OpenMode::Read, fault));
        }
        Ok(self.take(wanted))
    }

    /// The next line with its line end; empty at the end of the file.
    ///
    /// # Errors
    /// As [`HostFile::read`].
    pub async fn readline(&mut self) -> Result<Bytes, RunError> {
        let mut searched = 0;
        loop {
            let more = self.buffered(OpenMode::Read)?.is_some();
            let State::Reading { buffer, .. } = &self.state else { return Ok(Bytes::new()) };
            if let Some(end) = buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let length = searched + end + 1;
                return Ok(self.take(length));
            }
            searched = buffer.len();
            if !more {
                return Ok(self.take(searched));
            }
            if searched > READ_MAX {
                return Err(self.failed(OpenMode::Read, Fault::new(Problem::Other, "a line of more than 256 MiB")));
            }
            self.fill().await?;
        }
    }

    /// Bytes at hand; `None` when there are no more to come.
    fn buffered(&self, _mode: OpenMode) -> Result<Option<usize>, RunError> {
        match &self.state {
            State::Reading { ended: true, .. } | State::Sandboxed(OpenMode::Read) => Ok(None),
            State::Reading { buffer, .. } => Ok(Some(buffer.len())),
            State::Closed => Err(self.failed(OpenMode::Read, Fault::of(Problem::Closed))),
            _ => Err(self.failed(OpenMode::Read, Fault::new(Problem::WrongMode, "it was opened for writing"))),
        }
    }

    async fn fill(&mut self) -> Result<(), RunError> {
        let cancel = self.host.io().cancel.clone();
        let State::Reading { reader, buffer, ended } = &mut self.state else { return Ok(()) };
        match super::copy::unless(&cancel, reader.read()).await {
            Ok(bytes) => {
                *ended = bytes.is_empty();
                buffer.extend_from_slice(&bytes);
                Ok(())
            }
            Err(fault) => Err(self.failed(OpenMode::Read, fault)),
        }
    }

    fn take(&mut self, wanted: usize) -> Bytes {
        let State::Reading { buffer, .. } = &mut self.state else { return Bytes::new() };
        let bytes = buffer.split_to(wanted.min(buffer.len())).freeze();
        self.bytes += bytes.len() as u64;
        bytes
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

    /// Closes it: what was written takes the place of the old file. Closing twice does nothing (row F-52).
    ///
    /// # Errors
    /// When the file could not be written; the old one is as it was.
    pub async fn close(&mut self) -> Result<(), RunError> {
        if self.is_closed() {
            return Ok(());
        }
        let finished: Result<(), Refusal> = match &mut self.state {
            State::Replacing(replacement) => {
                let cancel = self.host.io().cancel.clone();
                let finished = replacement.finish(true, Attributes::default());
                super::copy::unless(&cancel, finished).await.map_err(Refusal::from)
            }
            State::Appending { writer, .. } => match writer.flush().await {
                Ok(()) => writer.sync().await.map_err(Refusal::from),
                Err(fault) => Err(fault.into()),
            },
            State::AsRoot { copy, writer, append } => match writer.flush().await {
                Ok(()) if *append => sudo::append(&self.host, &copy.path(), &self.path, self.options.mode).await,
                Ok(()) => {
                    let FileOptions { mode, in_place, .. } = self.options;
                    sudo::install(&self.host, &copy.path(), &self.path, mode, in_place).await
                }
                Err(fault) => Err(fault.into()),
            },
            State::Reading { .. } | State::Sandboxed(_) | State::Closed => Ok(()),
        };
        match finished {
            Ok(()) => {
                if let State::AsRoot { mut copy, .. } = std::mem::replace(&mut self.state, State::Closed)
                    && let Some(left) = copy.remove().await
                {
                    tracing::warn!(path = %left.display(), host = self.host.slug(), "a private copy could not be removed");
                }
                self.ended(true).await;
                Ok(())
            }
            Err(refusal) => Err(self.give_up(refusal).await),
        }
    }

    /// Closes it without writing: the old file stays. For code that fails half-way.
    pub async fn discard(&mut self) {
        if !self.is_closed() {
            self.undo().await;
            self.ended(false).await;
        }
    }

    /// The same where nothing can be awaited: the temporary is removed in the background.
    pub fn discard_later(mut self) {
        self.discarded = true;
    }

    async fn give_up(&mut self, refusal: Refusal) -> RunError {
        let mode = if matches!(self.state, State::Appending { .. }) { OpenMode::Append } else { OpenMode::Write };
        let mut remains = self.undo().await;
        if let Some(Remains { left: left @ Some(_), .. }) = &mut remains {
            *left = match left.take() {
                Some(path) => self.host.removed_later(path).await,
                None => None,
            };
        }
        let error = self.error(mode, refusal, remains);
        self.ended(false).await;
        error
    }

    async fn undo(&mut self) -> Option<Remains> {
        match std::mem::replace(&mut self.state, State::Closed) {
            State::Replacing(mut replacement) => Some(replacement.abandon().await),
            State::Appending { files, writer, old } => {
                drop(writer);
                let shorter = Attributes { size: Some(old), ..Attributes::default() };
                let ours = old.saturating_add(self.offered);
                // What somebody else has added meanwhile stays.
                let undone = match files.stat(&self.path).await {
                    Ok(stat) if stat.size == old => true,
                    Ok(stat) if stat.size <= ours => files.set(&self.path, shorter).await.is_ok(),
                    _ => false,
                };
                let note = if undone { "the file is as it was" } else { "a part may have been added to it" };
                Some(Remains { note, left: None })
            }
            State::AsRoot { mut copy, .. } => {
                Some(Remains { note: "the old file is as it was", left: copy.remove().await })
            }
            State::Reading { .. } | State::Sandboxed(_) | State::Closed => None,
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

    async fn ended(&mut self, ok: bool) {
        self.state = State::Closed;
        if let Some(file) = self.entry.take() {
            let event = Event::FileFinished { file, ok, bytes: self.bytes, elapsed: self.started.elapsed() };
            self.host.io().logger.emit(event).await;
        }
    }
}

/// What to say about a temporary that stays.
pub(super) fn left_over(path: &std::path::Path) -> String {
    format!("a part of the new one is left at {}: remove it", super::fault::shown(path))
}

impl Drop for HostFile {
    fn drop(&mut self) {
        let unfinished = matches!(self.state, State::Replacing(_) | State::AsRoot { .. });
        let Some(file) = self.entry.take().filter(|_| unfinished) else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (logger, bytes, elapsed) = (self.host.io().logger.clone(), self.bytes, self.started.elapsed());
        let said = (!self.discarded && !self.host.io().cancel.is_cancelled())
            .then(|| format!("{}: {} was never closed: nothing was written", file.host, file.remote));
        runtime.spawn(async move {
            if let Some(said) = said {
                logger.emit(Event::Message(said)).await;
            }
            logger.emit(Event::FileFinished { file, ok: false, bytes, elapsed }).await;
        });
    }
}
