//! The terminal, opened once more for this process alone.
//!
//! Standard input and output share their descriptions with others: those are never switched to non-blocking, and a thread
//! has to wait in them. A description of our own may be, so that neither keys nor the screen need a thread, and a key no
//! wake-up of one.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A terminal that is read or written without blocking.
#[derive(Debug)]
pub(super) struct OwnTerminal(AsyncFd<OwnedFd>);

impl OwnTerminal {
    /// The terminal that `fd` is, for reading or for writing; `None` when it is none, and where the system does not let
    /// us open it again (after `su`, or without its file). To be called within a runtime.
    #[allow(unsafe_code, reason = "registering with the runtime asks for a promise that the owned descriptor keeps")]
    pub(super) fn open(fd: impl AsFd, direction: OFlags) -> Option<OwnTerminal> {
        let name = rustix::termios::ttyname(fd, Vec::new()).ok()?;
        let flags = direction | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let own = rustix::fs::open(name, flags, Mode::empty()).ok()?;
        // SAFETY: an `OwnedFd` is open and the same descriptor until it is dropped, together with the `AsyncFd`.
        let registered = unsafe { AsyncFd::register(own) };
        registered.ok().map(OwnTerminal)
    }

    /// Waits for bytes; 0 at the end. Cancel safe.
    pub(super) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0
            .async_io(Interest::READABLE, |fd| Ok(rustix::io::retry_on_intr(|| rustix::io::read(fd, &mut *buffer))?))
            .await
    }

    /// Waits for room and writes some bytes; how many. Cancel safe.
    pub(super) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::retry_on_intr(|| rustix::io::write(fd, bytes))?)).await
    }
}
