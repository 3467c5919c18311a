//! Where bytes leave for a terminal, a pipe or a file, without holding up anything else.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use super::modes::Modes;
use super::own_terminal::OwnTerminal;

/// Chunks that may wait for a slow reader; then the daemon has to hold back.
const WAITING_CHUNKS: usize = 4;

/// A task that writes to a terminal; to anything else (a file, `/dev/null`) a thread, because its description is shared
/// with others and never switched to non-blocking.
#[derive(Debug)]
pub(crate) struct Outlet {
    chunks: mpsc::Sender<Bytes>,
    done: oneshot::Receiver<io::Result<()>>,
    discard: Arc<AtomicBool>,
}

impl Outlet {
    /// Writes to where `fd` writes; what is written is noted in `modes`.
    ///
    /// # Errors
    /// When the descriptor cannot be duplicated or the thread not started.
    pub(crate) fn new(fd: impl AsFd, modes: Option<Arc<Mutex<Modes>>>) -> io::Result<Outlet> {
        let (chunks, queue) = mpsc::channel(WAITING_CHUNKS);
        let (finish, done) = oneshot::channel();
        let discard = Arc::new(AtomicBool::new(false));
        let writer = Writer { queue, modes, discard: discard.clone() };
        match OwnTerminal::open(&fd, OFlags::WRONLY) {
            Some(terminal) => {
                // Nobody may be interested in the end any more.
                tokio::spawn(async move { finish.send(writer.show(&terminal).await) });
            }
            None => {
                let fd = fd.as_fd().try_clone_to_owned()?;
                let write = move || finish.send(writer.run(&fd));
                std::thread::Builder::new().name("output".to_string()).spawn(write)?;
            }
        }
        Ok(Outlet { chunks, done, discard })
    }

    /// Waits for room for one chunk; `None` when nothing can be written any more, see [`Outlet::finish`].
    pub(crate) async fn room(&self) -> Option<mpsc::Permit<'_, Bytes>> {
        self.chunks.reserve().await.ok()
    }

    /// Waits until nothing can be written any more.
    pub(crate) async fn closed(&self) {
        self.chunks.closed().await;
    }

    /// Throws away what waits.
    pub(crate) fn discard(&self) {
        self.discard.store(true, Ordering::Relaxed);
    }

    /// Waits until all is written.
    ///
    /// # Errors
    /// What stopped the writing: `BrokenPipe` when the reader is gone, EIO when the terminal is.
    pub(crate) async fn finish(self) -> io::Result<()> {
        drop(self.chunks);
        self.done.await.unwrap_or_else(|_| Err(io::Error::other("the writing thread died")))
    }
}

struct Writer {
    queue: mpsc::Receiver<Bytes>,
    modes: Option<Arc<Mutex<Modes>>>,
    discard: Arc<AtomicBool>,
}

impl Writer {
    async fn show(mut self, terminal: &OwnTerminal) -> io::Result<()> {
        while let Some(chunk) = self.queue.recv().await {
            let mut rest = &chunk[..];
            while self.goes_on(rest) {
                let written = terminal.write(rest).await?;
                rest = self.written(rest, written);
            }
        }
        Ok(())
    }

    fn run(mut self, fd: &OwnedFd) -> io::Result<()> {
        while let Some(chunk) = self.queue.blocking_recv() {
            let mut rest = &chunk[..];
            while self.goes_on(rest) {
                let written = write_some(fd, rest)?;
                rest = self.written(rest, written);
            }
        }
        Ok(())
    }

    fn goes_on(&self, rest: &[u8]) -> bool {
        !rest.is_empty() && !self.discard.load(Ordering::Relaxed)
    }

    /// Notes what was written; the rest.
    fn written<'a>(&self, bytes: &'a [u8], count: usize) -> &'a [u8] {
        if let Some(modes) = &self.modes {
            modes.lock().unwrap_or_else(PoisonError::into_inner).follow(&bytes[..count]);
        }
        &bytes[count..]
    }
}

/// Writes what can be written; waits when somebody else made the description non-blocking.
fn write_some(fd: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    loop {
        match rustix::io::write(fd, bytes) {
            Ok(written) => return Ok(written),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => match poll(&mut [PollFd::new(fd, PollFlags::OUT)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::Read;

    #[tokio::test]
    async fn all_is_written_in_order_and_noted() {
        let (mut reader, writer) = io::pipe().unwrap();
        let modes = Arc::new(Mutex::new(Modes::default()));
        let outlet = Outlet::new(&writer, Some(modes.clone())).unwrap();
        drop(writer);
        for chunk in ["one ", "two ", "\x1b[?25l"] {
            outlet.room().await.unwrap().send(Bytes::from(chunk));
        }
        outlet.finish().await.unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "one two \x1b[?25l");
        assert_eq!(modes.lock().unwrap().undo(), b"\x1b[?25h\x1b[0m");
    }

    #[tokio::test]
    async fn a_reader_that_left_is_told_by_room_and_finish() {
        let (reader, writer) = io::pipe().unwrap();
        let outlet = Outlet::new(&writer, None).unwrap();
        drop(reader);
        while let Some(room) = outlet.room().await {
            room.send(Bytes::from_static(b"x"));
        }
        assert_eq!(outlet.finish().await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
