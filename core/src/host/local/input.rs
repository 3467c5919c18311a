//! The way into a local command: its terminal or its stdin.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use crate::terminal::Size;

/// Input that waits while the command does not read. More is left where it comes from.
const WAITING_MAX: usize = 64 * 1024;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;

/// Input on its way to the command.
pub(super) struct Input {
    to: To,
    waiting: VecDeque<Bytes>,
    waiting_bytes: usize,
    eof: bool,
    /// Whether the last byte ended a line, as far as the line discipline is concerned.
    at_line_start: bool,
}

enum To {
    Pty(Arc<AsyncFd<OwnedFd>>),
    Pipe(pipe::Sender),
    Closed,
}

impl Input {
    /// Types into a terminal.
    pub(super) fn pty(master: Arc<AsyncFd<OwnedFd>>) -> Input {
        Input::new(To::Pty(master))
    }

    /// Writes to a pipe.
    pub(super) fn pipe(stdin: pipe::Sender) -> Input {
        Input::new(To::Pipe(stdin))
    }

    fn new(to: To) -> Input {
        Input { to, waiting: VecDeque::new(), waiting_bytes: 0, eof: false, at_line_start: true }
    }

    /// Whether no more input can be taken now.
    pub(super) fn full(&self) -> bool {
        self.waiting_bytes >= WAITING_MAX
    }

    /// Whether there is something to do for [`Input::work`].
    pub(super) fn pending(&self) -> bool {
        !matches!(self.to, To::Closed) && (!self.waiting.is_empty() || (self.eof && matches!(self.to, To::Pipe(_))))
    }

    /// Adds input.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() || self.eof || matches!(self.to, To::Closed) {
            return;
        }
        self.at_line_start = bytes.ends_with(b"\n") || bytes.ends_with(b"\r");
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(bytes);
    }

    /// No more input (row W-47). On a terminal that is a key, which counts only at the start of a line; pressed
    /// within one it just hands the line over, so it is pressed twice.
    pub(super) fn end(&mut self) {
        if matches!(self.to, To::Pty(_)) {
            let keys: &'static [u8] = if self.at_line_start { &[CTRL_D] } else { &[CTRL_D, CTRL_D] };
            self.push(Bytes::from_static(keys));
        }
        self.eof = true;
    }

    /// Presses Ctrl-C, ahead of everything that waits. False when there is no terminal to press it on.
    pub(super) fn interrupt(&mut self) -> bool {
        if !matches!(self.to, To::Pty(_)) {
            return false;
        }
        // What was typed ahead was for a program that is now to end.
        self.waiting.clear();
        self.waiting.push_back(Bytes::from_static(&[CTRL_C]));
        self.waiting_bytes = 1;
        true
    }

    /// Sets the size of the terminal; the kernel tells the program (row F-32).
    pub(super) fn resize(&self, size: Size) -> io::Result<()> {
        match &self.to {
            To::Pty(master) => set_size(master.as_fd(), size),
            To::Pipe(_) | To::Closed => Ok(()),
        }
    }

    /// Hands over some of what waits. Cancel safe.
    pub(super) async fn work(&mut self) {
        let written = match (&self.to, self.waiting.front()) {
            (To::Closed, _) => return,
            (To::Pty(_), None) => return,
            (To::Pipe(_), None) => {
                self.to = To::Closed;
                return;
            }
            (To::Pty(master), Some(bytes)) => write_pty(master, bytes).await,
            (To::Pipe(pipe), Some(bytes)) => write_pipe(pipe, bytes).await,
        };
        match written {
            Ok(count) => self.advance(count),
            // The command closed its stdin or has ended; its end is reported as an event.
            Err(_) => self.close(),
        }
    }

    fn advance(&mut self, count: usize) {
        self.waiting_bytes -= count;
        if let Some(front) = self.waiting.front_mut() {
            front.advance(count);
            if front.is_empty() {
                self.waiting.pop_front();
            }
        }
    }

    /// Takes no more input and lets go of the terminal.
    pub(super) fn close(&mut self) {
        self.to = To::Closed;
        self.waiting.clear();
        self.waiting_bytes = 0;
    }
}

async fn write_pty(master: &AsyncFd<OwnedFd>, bytes: &[u8]) -> io::Result<usize> {
    loop {
        let mut ready = master.writable().await?;
        if let Ok(written) = ready.try_io(|master| Ok(rustix::io::write(master, bytes)?)) {
            return written;
        }
    }
}

async fn write_pipe(pipe: &pipe::Sender, bytes: &[u8]) -> io::Result<usize> {
    loop {
        pipe.writable().await?;
        match pipe.try_write(bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            written => return written,
        }
    }
}

/// Sets the size of a terminal.
pub(super) fn set_size(terminal: impl AsFd, size: Size) -> io::Result<()> {
    let size = rustix::termios::Winsize { ws_row: size.rows, ws_col: size.cols, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}
