//! The thread that writes to standard output and error.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::sync::{mpsc, oneshot};

use crate::terminal::PromptLine;

/// Writes that may wait for a slow screen.
const WRITES_WAITING: usize = 16;

pub(super) struct WriteRequest {
    pub(super) bytes: Vec<u8>,
    pub(super) stream: Stream,
    pub(super) done: oneshot::Sender<io::Result<()>>,
}

#[derive(Clone, Copy)]
pub(super) enum Stream {
    Output,
    Talk,
    /// The line that is being edited; empty ends it.
    Prompt,
}

/// One thread writes, so that a slow screen holds up whoever writes to it and nobody else.
pub(super) fn start_writer(prompt: Arc<PromptLine>) -> io::Result<mpsc::Sender<WriteRequest>> {
    let (sender, mut requests) = mpsc::channel::<WriteRequest>(WRITES_WAITING);
    thread::Builder::new().name("terminal-write".to_string()).spawn(move || {
        while let Some(request) = requests.blocking_recv() {
            let written = match request.stream {
                Stream::Output => write_all(io::stdout(), &prompt.around(request.bytes)),
                Stream::Talk if prompt.is_shown() => write_all(io::stdout(), &prompt.around(request.bytes)),
                Stream::Talk => write_all(io::stderr(), &request.bytes),
                Stream::Prompt => write_all(io::stdout(), &prompt.draw(request.bytes)),
            };
            // Whoever wrote may have been cancelled meanwhile.
            let _cancelled = request.done.send(written);
        }
    })?;
    Ok(sender)
}

fn write_all(stream: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&stream, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            // Somebody else made the shared description non-blocking.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
