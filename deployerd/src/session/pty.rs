//! A kernel PTY pair driven without threads: thirty lines over descriptors, so that nothing else sees them.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use deployer_core::terminal::Size;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Winsize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// One end of a pair; reads and writes wait in the runtime, not in a thread.
#[derive(Debug)]
pub(crate) struct PtyEnd(AsyncFd<OwnedFd>);

/// Opens a pair: the master, and the slave set raw. Both are closed in children: the flag is set while opening, so
/// that a child started at the same moment cannot inherit them.
pub(crate) fn open(size: Size) -> io::Result<(PtyEnd, PtyEnd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    let mut settings = rustix::termios::tcgetattr(&slave)?;
    settings.make_raw();
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &settings)?;
    let (master, slave) = (PtyEnd::new(master)?, PtyEnd::new(slave)?);
    master.resize(size)?;
    Ok((master, slave))
}

impl PtyEnd {
    #[allow(unsafe_code, reason = "registering with the runtime asks for a promise that the owned descriptor keeps")]
    fn new(descriptor: OwnedFd) -> io::Result<PtyEnd> {
        rustix::io::ioctl_fionbio(&descriptor, true)?;
        // SAFETY: an `OwnedFd` is open and the same descriptor until it is dropped, together with the `AsyncFd`.
        let registered = unsafe { AsyncFd::register(descriptor) };
        Ok(PtyEnd(registered.map_err(|error| error.into_parts().1)?))
    }

    /// Waits for bytes; 0 when the other end is closed and everything was read. Cancel safe.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.async_io(Interest::READABLE, |fd| Ok(rustix::io::read(fd.as_fd(), &mut *buffer)?)).await;
        match read {
            // Linux says so when the last descriptor of the other end was closed.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            other => other,
        }
    }

    /// Writes some bytes, waiting while the other end does not read; how many. Cancel safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd.as_fd(), bytes)?)).await
    }

    /// Writes all bytes.
    #[cfg(test)]
    pub(crate) async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.write(bytes).await?;
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// Sets the size that programs on the slave see.
    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(self.0.as_fd(), size)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 24, cols: 80 };

    // rows: M-10
    #[tokio::test]
    async fn bytes_pass_unchanged_in_both_directions() {
        let (master, slave) = open(SIZE).unwrap();
        let bytes: Vec<u8> = (0..=255).collect();
        let mut buffer = [0; 1024];
        for (from, to) in [(&master, &slave), (&slave, &master)] {
            from.write_all(&bytes).await.unwrap();
            let mut arrived: Vec<u8> = Vec::new();
            while arrived.len() < bytes.len() {
                let count = to.read(&mut buffer).await.unwrap();
                arrived.extend(&buffer[..count]);
            }
            assert_eq!(arrived, bytes);
        }
    }

    #[tokio::test]
    async fn a_closed_end_is_an_end_after_everything_was_read() {
        let (master, slave) = open(SIZE).unwrap();
        slave.write_all(b"last words").await.unwrap();
        drop(slave);
        let (mut buffer, mut arrived) = ([0; 4], Vec::<u8>::new());
        loop {
            match master.read(&mut buffer).await.unwrap() {
                0 => break,
                count => arrived.extend(&buffer[..count]),
            }
        }
        assert_eq!(arrived, b"last words");
    }

    // rows: M-03
    #[tokio::test]
    async fn the_slave_has_the_size_from_the_start() {
        let (master, slave) = open(SIZE).unwrap();
        let size = || rustix::termios::tcgetwinsize(slave.0.as_fd()).map(|size| (size.ws_row, size.ws_col)).unwrap();
        assert_eq!(size(), (24, 80));
        master.resize(Size { rows: 1, cols: 2 }).unwrap();
        assert_eq!(size(), (1, 2));
    }
}
