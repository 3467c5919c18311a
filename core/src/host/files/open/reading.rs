//! What is read of an open file.

use bytes::Bytes;

use super::{HostFile, State};
use crate::host::RunError;
use crate::host::files::copy;
use crate::host::files::fault::{Fault, Problem};
use crate::host::files::options::OpenMode;

/// Most bytes that one read gives; larger files are for `get_file`.
const READ_MAX: usize = 256 * 1024 * 1024;

impl HostFile {
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
        match copy::unless(&cancel, reader.read()).await {
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
}
