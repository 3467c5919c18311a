//! Open files of this machine. Each visit to another thread costs as much as moving a hundred kilobytes, so much is read and
//! written at each.

use std::fs::{File, Permissions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::{read, retry_on_intr};

use super::files::{blocking, times};
use crate::host::files::{Answer, Attributes, Fault, Problem, ReadFile, Stat, WriteFile};

/// Bytes of one visit.
const STRIDE: usize = 1024 * 1024;
/// Bytes handed out at once: whole pages, so that holes stay holes, and no more than OpenSSH takes in one write over SFTP
/// (255 KiB).
const CHUNK: usize = 252 * 1024;
/// What is tried to be read where the size is not known, as of files that the kernel makes up.
const UNKNOWN: u64 = 64 * 1024;

/// Runs work with the file on another thread; the file comes back.
async fn with<T: Send + 'static>(
    slot: &mut Option<File>,
    work: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
) -> Answer<T> {
    let Some(mut file) = slot.take() else { return Err(Fault::of(Problem::Interrupted)) };
    let (file, result) = blocking(move || {
        let result = work(&mut file);
        Ok((file, result))
    })
    .await?;
    *slot = Some(file);
    result.map_err(Fault::from)
}

pub(super) struct LocalReader {
    file: Option<File>,
    stat: Stat,
    sparse: bool,
    /// Read and not handed out yet.
    ahead: Bytes,
    /// Bytes that were read.
    done: u64,
}

impl LocalReader {
    pub(super) fn new(file: File, stat: Stat, sparse: bool) -> LocalReader {
        LocalReader { file: Some(file), stat, sparse, ahead: Bytes::new(), done: 0 }
    }

    /// How much to try to read. A small file is read at once, and its end seen with the next visit.
    fn wanted(&self) -> usize {
        let left = self.stat.size.saturating_sub(self.done);
        let wanted = if left == 0 { UNKNOWN } else { left };
        usize::try_from(wanted).unwrap_or(STRIDE).min(STRIDE)
    }
}

#[async_trait]
impl ReadFile for LocalReader {
    fn stat(&self) -> &Stat {
        &self.stat
    }

    fn sparse(&self) -> bool {
        self.sparse
    }

    async fn read(&mut self) -> Answer<Bytes> {
        if self.ahead.is_empty() {
            let wanted = self.wanted();
            self.ahead = with(&mut self.file, move |file| {
                let mut buffer = Vec::with_capacity(wanted);
                retry_on_intr(|| read(&*file, spare_capacity(&mut buffer)))?;
                Ok(Bytes::from(buffer))
            })
            .await?;
            self.done += self.ahead.len() as u64;
        }
        Ok(self.ahead.split_to(self.ahead.len().min(CHUNK)))
    }
}

pub(super) struct LocalWriter {
    file: Option<File>,
    /// Still to be written, and the empty space before each.
    waiting: Vec<(u64, Bytes)>,
    /// Bytes of them.
    held: usize,
    /// Bytes to leave out before the next write.
    hole: u64,
}

impl LocalWriter {
    pub(super) fn new(file: File) -> LocalWriter {
        LocalWriter { file: Some(file), waiting: Vec::new(), held: 0, hole: 0 }
    }

    /// Runs work with the file once everything that waits is written.
    async fn then<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut File) -> io::Result<T> + Send + 'static,
    ) -> Answer<T> {
        let waiting = std::mem::take(&mut self.waiting);
        self.held = 0;
        with(&mut self.file, move |file| {
            for (hole, bytes) in waiting {
                if hole > 0 {
                    file.seek(SeekFrom::Current(i64::try_from(hole).unwrap_or(i64::MAX)))?;
                }
                file.write_all(&bytes)?;
            }
            work(file)
        })
        .await
    }
}

#[async_trait]
impl WriteFile for LocalWriter {
    async fn write(&mut self, bytes: Bytes) -> Answer<()> {
        self.held += bytes.len();
        self.waiting.push((std::mem::take(&mut self.hole), bytes));
        if self.held < STRIDE { Ok(()) } else { self.flush().await }
    }

    fn skip(&mut self, bytes: u64) {
        self.hole += bytes;
    }

    async fn flush(&mut self) -> Answer<()> {
        if self.waiting.is_empty() { Ok(()) } else { self.then(|_| Ok(())).await }
    }

    async fn sync(&mut self) -> Answer<()> {
        self.then(|file| match file.sync_all() {
            // Pipes and devices have nothing to be written to a disk.
            Err(error) if matches!(error.raw_os_error(), Some(libc::EINVAL | libc::EROFS | libc::ENOTSUP)) => Ok(()),
            synced => synced,
        })
        .await
    }

    async fn set(&mut self, attributes: Attributes) -> Answer<()> {
        self.then(move |file| {
            if let Some(size) = attributes.size {
                file.set_len(size)?;
            }
            if let Some((uid, gid)) = attributes.owner {
                std::os::unix::fs::fchown(&*file, Some(uid), Some(gid))?;
            }
            if let Some(mode) = attributes.mode {
                file.set_permissions(Permissions::from_mode(mode))?;
            }
            if let Some((read, written)) = attributes.times {
                rustix::fs::futimens(&*file, &times(read, written))?;
            }
            Ok(())
        })
        .await
    }

    async fn close(mut self: Box<Self>) -> Answer<()> {
        self.flush().await
    }
}
