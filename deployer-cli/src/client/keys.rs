//! What is typed, or comes by a pipe.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use tokio::sync::mpsc;

use super::own_terminal::OwnTerminal;

/// Bytes of one read.
const CHUNK: usize = 8 * 1024;

/// Chunks that may wait for the session; then the rest waits in the terminal or the pipe.
const WAITING_CHUNKS: usize = 4;

/// Reads `fd` to its end. A terminal in a task; anything else in a thread, because it must not be made non-blocking for
/// those who share it. The thread ends with the process, taking no more than it has read.
///
/// # Errors
/// When the descriptor cannot be duplicated or the thread not started.
pub(crate) fn read(fd: impl AsFd) -> io::Result<mpsc::Receiver<Bytes>> {
    let (keys, queue) = mpsc::channel(WAITING_CHUNKS);
    match OwnTerminal::open(&fd, OFlags::RDONLY) {
        Some(terminal) => {
            tokio::spawn(read_terminal(terminal, keys));
        }
        None => read_in_thread(fd.as_fd().try_clone_to_owned()?, keys)?,
    }
    Ok(queue)
}

async fn read_terminal(terminal: OwnTerminal, keys: mpsc::Sender<Bytes>) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(room) = keys.reserve().await {
        // A terminal that hung up (EIO) is the end of input like any other.
        match terminal.read(&mut buffer).await {
            Ok(length @ 1..) => room.send(Bytes::copy_from_slice(&buffer[..length])),
            _ => return,
        }
    }
}

fn read_in_thread(fd: OwnedFd, keys: mpsc::Sender<Bytes>) -> io::Result<()> {
    std::thread::Builder::new().name("input".to_string()).spawn(move || {
        let mut buffer = vec![0; CHUNK];
        // A broken pipe is the end of input like any other.
        while let Ok(length @ 1..) = read_some(&fd, &mut buffer) {
            if keys.blocking_send(Bytes::copy_from_slice(&buffer[..length])).is_err() {
                return;
            }
        }
    })?;
    Ok(())
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
