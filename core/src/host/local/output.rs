//! The way out of a local command: its terminal, or stdout and stderr.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use crate::host::ProcessEvent;

/// Bytes per read.
const CHUNK: usize = 16 * 1024;

/// What the command prints.
pub(super) enum Output {
    /// Everything, from the terminal.
    Pty(Arc<AsyncFd<OwnedFd>>),
    /// Two streams; each goes when it has ended.
    Pipes {
        /// Standard output.
        stdout: Option<pipe::Receiver>,
        /// Standard error.
        stderr: Option<pipe::Receiver>,
    },
    /// Nothing more.
    Closed,
}

impl Output {
    /// The next output; `None` at the end of all streams. Cancel safe.
    pub(super) async fn next(&mut self) -> Option<ProcessEvent> {
        let event = match self {
            Output::Pty(master) => read_pty(master).await.map(ProcessEvent::Stdout),
            Output::Pipes { stdout, stderr } => read_pipes(stdout, stderr).await,
            Output::Closed => None,
        };
        if event.is_none() {
            *self = Output::Closed;
        }
        event
    }

    /// Whether the end was reached.
    pub(super) fn closed(&self) -> bool {
        matches!(self, Output::Closed)
    }
}

/// Linux reports EIO when the last program let go of the terminal, after everything it printed was read.
async fn read_pty(master: &AsyncFd<OwnedFd>) -> Option<Bytes> {
    let mut chunk = BytesMut::zeroed(CHUNK);
    loop {
        let mut ready = master.readable().await.ok()?;
        match ready.try_io(|master| Ok(rustix::io::read(master, &mut chunk[..]))) {
            Ok(Ok(Ok(0))) => return None,
            Ok(Ok(Ok(count))) => {
                chunk.truncate(count);
                return Some(chunk.freeze());
            }
            Ok(Ok(Err(Errno::INTR))) => {}
            Ok(Ok(Err(Errno::AGAIN))) => ready.clear_ready(),
            Ok(Ok(Err(_)) | Err(_)) => return None,
            Err(_would_block) => {}
        }
    }
}

async fn read_pipes(stdout: &mut Option<pipe::Receiver>, stderr: &mut Option<pipe::Receiver>) -> Option<ProcessEvent> {
    loop {
        if stdout.is_none() && stderr.is_none() {
            return None;
        }
        tokio::select! {
            bytes = read_pipe(stdout), if stdout.is_some() => match bytes {
                Some(bytes) => return Some(ProcessEvent::Stdout(bytes)),
                None => *stdout = None,
            },
            bytes = read_pipe(stderr), if stderr.is_some() => match bytes {
                Some(bytes) => return Some(ProcessEvent::Stderr(bytes)),
                None => *stderr = None,
            },
        }
    }
}

/// `None` at the end. An error on a pipe of ours cannot be anything but its end.
async fn read_pipe(pipe: &Option<pipe::Receiver>) -> Option<Bytes> {
    let pipe = pipe.as_ref()?;
    let mut chunk = BytesMut::zeroed(CHUNK);
    loop {
        pipe.readable().await.ok()?;
        match pipe.try_read(&mut chunk) {
            Ok(0) => return None,
            Ok(count) => {
                chunk.truncate(count);
                return Some(chunk.freeze());
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return None,
        }
    }
}
