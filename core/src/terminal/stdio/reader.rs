//! The thread that reads standard input.

use std::io::{self, PipeWriter};
use std::os::fd::AsFd;
use std::thread;

use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::runtime::Handle;

use crate::terminal::KeyboardHub;

/// Keys and piped input are read in pieces of this size, bytes.
const READ_SIZE: usize = 8 * 1024;

/// The thread that reads; it ends when this is dropped.
pub(super) struct Reader {
    _stop: PipeWriter,
}

/// One thread reads, and stops reading when its [`Reader`] is dropped: nothing typed later is taken from whoever
/// has the terminal then.
pub(super) fn start_reader(hub: KeyboardHub) -> io::Result<Reader> {
    let (stopped, stop) = io::pipe()?;
    let runtime = Handle::current();
    thread::Builder::new().name("terminal-read".to_string()).spawn(move || {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            match read_some(&stopped, &mut buffer) {
                // Somebody may read again later.
                Ok(None) => return,
                Ok(Some(0)) => break,
                Ok(Some(count)) => runtime.block_on(hub.push(Bytes::copy_from_slice(&buffer[..count]))),
                Err(error) => {
                    tracing::debug!(%error, "standard input ended");
                    break;
                }
            }
        }
        hub.close();
    })?;
    Ok(Reader { _stop: stop })
}

/// Reads what there is; `None` when it is time to stop. Polls first: a read cannot be called off.
fn read_some(stopped: &impl AsFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let stdin = io::stdin();
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        if !fds[1].revents().is_empty() {
            return Ok(None);
        }
        // The lock of std's reader would buffer ahead; the descriptor is read as it is.
        match rustix::io::read(&stdin, &mut *buffer) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return Err(error.into()),
            Ok(count) => return Ok(Some(count)),
        }
    }
}
