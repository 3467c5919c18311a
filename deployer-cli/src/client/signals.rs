//! Signals that an attached client listens to.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What happened to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Asked to end, by this signal number.
    End(i32),
    /// The window has a new size.
    Window,
    /// Asked to stop (Ctrl-Z from elsewhere).
    Stop,
    /// Going on after a stop.
    Continue,
}

/// The signals of a client with a terminal.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
    window: Signal,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(crate) fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            window: signal(SignalKind::window_change())?,
            stop: signal(SignalKind::from_raw(libc::SIGTSTP))?,
            go_on: signal(SignalKind::from_raw(libc::SIGCONT))?,
        })
    }

    /// The next one. Cancel safe.
    pub(crate) async fn next(&mut self) -> Notice {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Notice::End(libc::SIGINT),
            Some(()) = self.terminate.recv() => Notice::End(libc::SIGTERM),
            Some(()) = self.hang_up.recv() => Notice::End(libc::SIGHUP),
            Some(()) = self.window.recv() => Notice::Window,
            Some(()) = self.stop.recv() => Notice::Stop,
            Some(()) = self.go_on.recv() => Notice::Continue,
            else => std::future::pending().await,
        }
    }
}
