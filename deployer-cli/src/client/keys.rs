//! What is typed, or comes by a pipe, read by a thread of its own.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::mpsc;

/// Bytes of one read.
const CHUNK: usize = 8 * 1024;

/// Chunks that may wait for the session; then the rest waits in the terminal or the pipe.
const WAITING_CHUNKS: usize = 4;

/// Reads `fd` to its end. A thread, because standard input may be anything and must not be made non-blocking for
/// those who share it; it ends with the process, taking no more than it has read.
///
/// # Errors
/// When the descriptor cannot be duplicated or the thread not started.
pub(crate) fn read(fd: impl AsFd) -> io::Result<mpsc::Receiver<Bytes>> {
    let fd = fd.as_fd().try_clone_to_owned()?;
    let (keys, queue) = mpsc::channel(WAITING_CHUNKS);
    std::thread::Builder::new().name("input".to_string()).spawn(move || {
        let mut buffer = vec![0; CHUNK];
        // A terminal that hung up (EIO) or a broken pipe is the end of input like any other.
        while let Ok(length @ 1..) = read_some(&fd, &mut buffer) {
            if keys.blocking_send(Bytes::copy_from_slice(&buffer[..length])).is_err() {
                return;
            }
        }
    })?;
    Ok(queue)
}

fn read_some(fd: &OwnedFd, buffer: &mut [u8]) -> rustix::io::Result<usize> {
    loop {
        match rustix::io::read(fd, &mut *buffer) {
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => match poll(&mut [PollFd::new(fd, PollFlags::IN)], None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            },
            other => return other,
        }
    }
}

/// A stream on which nothing will ever come.
pub(crate) fn none() -> mpsc::Receiver<Bytes> {
    mpsc::channel(1).1
}
