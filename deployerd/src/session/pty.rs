//! A kernel PTY pair driven without threads: thirty lines over descriptors, so that nothing else sees them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;

use deployer_core::terminal::Size;
use rustix::io::Errno;
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Winsize};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::OnceCell;

/// The end that is read; reads wait in the runtime, not in a thread.
#[derive(Debug)]
pub(crate) struct Master(AsyncFd<OwnedFd>);

/// The end that is written. It is known to the runtime only from the first time on that it was full: the kernel tells
/// after each read of the other end that there is room, which nobody waits for.
#[derive(Debug)]
pub(crate) struct Slave {
    descriptor: Arc<OwnedFd>,
    filled: OnceCell<AsyncFd<Arc<OwnedFd>>>,
}

/// Opens a pair: the master, and the slave set raw. Both are closed in children: the flag is set while opening, so
/// that a child started at the same moment cannot inherit them.
pub(crate) fn open(size: Size) -> io::Result<(Master, Slave)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let slave = rustix::pty::ioctl_tiocgptpeer(&master, flags)?;
    let mut settings = rustix::termios::tcgetattr(&slave)?;
    settings.make_raw();
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &settings)?;
    rustix::io::ioctl_fionbio(&master, true)?;
    rustix::io::ioctl_fionbio(&slave, true)?;
    let master = Master(registered(master, Interest::READABLE)?);
    master.resize(size)?;
    Ok((master, Slave { descriptor: Arc::new(slave), filled: OnceCell::new() }))
}

#[allow(unsafe_code, reason = "registering with the runtime asks for a promise that the owned descriptor keeps")]
fn registered<T: AsRawFd>(descriptor: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    // SAFETY: owned, or shared with whoever owns it: open and the same until it is dropped, together with the `AsyncFd`.
    let registered = unsafe { AsyncFd::register_with_interest(descriptor, interest) };
    registered.map_err(|error| error.into_parts().1)
}

impl Master {
    /// Waits for bytes; 0 when the other end is closed and everything was read. Cancel safe.
    pub(crate) async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.async_io(Interest::READABLE, |fd| Ok(rustix::io::read(fd.as_fd(), &mut *buffer)?)).await;
        match read {
            // Linux says so when the last descriptor of the other end was closed.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(0),
            other => other,
        }
    }

    /// Sets the size that programs on the slave see.
    pub(crate) fn resize(&self, size: Size) -> io::Result<()> {
        let size = Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
        Ok(rustix::termios::tcsetwinsize(self.0.as_fd(), size)?)
    }
}

impl Slave {
    /// Writes some bytes, waiting while the other end does not read; how many. Cancel safe.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match rustix::io::write(&self.descriptor, bytes) {
            Err(Errno::AGAIN) => {}
            written => return Ok(written?),
        }
        let register = || async { registered(self.descriptor.clone(), Interest::WRITABLE) };
        let filled = self.filled.get_or_try_init(register).await?;
        filled.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd.as_fd(), bytes)?)).await
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
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 24, cols: 80 };

    // rows: M-10
    #[tokio::test]
    async fn bytes_pass_unchanged_also_when_it_is_full() {
        let (master, slave) = open(SIZE).unwrap();
        let bytes: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut arrived: Vec<u8> = Vec::new();
        let reading = async {
            let mut buffer = [0; 1024];
            while arrived.len() < bytes.len() {
                let count = master.read(&mut buffer).await.unwrap();
                arrived.extend(&buffer[..count]);
            }
        };
        tokio::join!(slave.write_all(&bytes), reading).0.unwrap();
        assert_eq!(arrived, bytes);
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
        let size = || rustix::termios::tcgetwinsize(&slave.descriptor).map(|size| (size.ws_row, size.ws_col)).unwrap();
        assert_eq!(size(), (24, 80));
        master.resize(Size { rows: 1, cols: 2 }).unwrap();
        assert_eq!(size(), (1, 2));
    }
}
