//! The end of an open file: what was written takes the place of the old one, or nothing does.

use crate::host::RunError;
use crate::host::files::copy;
use crate::host::files::fault::shown;
use crate::host::files::options::{FileOptions, OpenMode};
use crate::host::files::replace::Remains;
use crate::host::files::sudo::{self, Refusal};
use crate::host::files::system::Attributes;
use crate::logger::Event;

use super::{HostFile, State};

impl HostFile {
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
                copy::unless(&cancel, finished).await.map_err(Refusal::from)
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

    pub(super) async fn give_up(&mut self, refusal: Refusal) -> RunError {
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

    pub(super) async fn ended(&mut self, ok: bool) {
        self.state = State::Closed;
        if let Some(file) = self.entry.take() {
            let event = Event::FileFinished { file, ok, bytes: self.bytes, elapsed: self.started.elapsed() };
            self.host.io().logger.emit(event).await;
        }
    }
}

/// What to say about a temporary that stays.
pub(in crate::host::files) fn left_over(path: &std::path::Path) -> String {
    format!("a part of the new one is left at {}: remove it", shown(path))
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
