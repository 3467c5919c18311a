//! A stream under russh that can be looked at and cut off from outside.
//!
//! russh works off one packet after another in one task; when that task is stuck, so are its own timers. The tap stands
//! below it: it remembers when the peer was last heard, what it said first, and ends the stream when told to.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// How much of the first bytes is kept for error messages.
const GREETING: usize = 512;

/// What is known about a stream from outside.
#[derive(Debug)]
pub(super) struct Gauge {
    started: Instant,
    /// Milliseconds from `started` to the last byte read.
    heard: AtomicU64,
    greeting: Mutex<Vec<u8>>,
    greeted: AtomicBool,
    cut: CancellationToken,
}

impl Gauge {
    fn new() -> Gauge {
        Gauge {
            started: Instant::now(),
            heard: AtomicU64::new(0),
            greeting: Mutex::new(Vec::new()),
            greeted: AtomicBool::new(false),
            cut: CancellationToken::new(),
        }
    }

    /// How long the peer has been silent.
    pub(super) fn silence(&self) -> Duration {
        self.started.elapsed().saturating_sub(self.heard())
    }

    /// When the peer was last heard, on a clock of its own.
    pub(super) fn heard(&self) -> Duration {
        Duration::from_millis(self.heard.load(Ordering::Relaxed))
    }

    /// The first bytes the peer sent.
    pub(super) fn greeting(&self) -> String {
        let greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&greeting).into_owned()
    }

    /// Ends the stream: whoever reads or writes gets an error.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    /// Whether the stream was ended from outside.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.is_cancelled()
    }

    fn heard_now(&self, bytes: &[u8]) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(now, Ordering::Relaxed);
        if !self.greeted.load(Ordering::Relaxed) {
            let mut greeting = self.greeting.lock().unwrap_or_else(PoisonError::into_inner);
            let room = GREETING - greeting.len();
            greeting.extend_from_slice(&bytes[..bytes.len().min(room)]);
            let full = greeting.len() == GREETING || greeting.starts_with(b"SSH-");
            self.greeted.store(full, Ordering::Relaxed);
        }
    }
}

/// The stream itself.
pub(super) struct Tap<S> {
    inner: S,
    gauge: Arc<Gauge>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Tap<S> {
    pub(super) fn new(inner: S) -> (Tap<S>, Arc<Gauge>) {
        let gauge = Arc::new(Gauge::new());
        let cut = Box::pin(gauge.cut.clone().cancelled_owned());
        (Tap { inner, gauge: gauge.clone(), cut }, gauge)
    }

    fn poll_cut(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.cut.as_mut().poll(context) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        let before = buf.filled().len();
        let read = Pin::new(&mut self.inner).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.gauge.heard_now(&buf.filled()[before..]);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_cut(cx)?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn first_bytes_are_kept_and_a_cut_wakes_the_reader() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let (mut tap, gauge) = Tap::new(ours);
        theirs.write_all(b"Not allowed at this time\r\n").await.unwrap();
        let mut buffer = [0; 64];
        assert_eq!(tap.read(&mut buffer).await.unwrap(), 26);
        assert_eq!(gauge.greeting(), "Not allowed at this time\r\n");
        let reading = tokio::spawn(async move { tap.read(&mut [0; 1]).await });
        gauge.cut();
        assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
