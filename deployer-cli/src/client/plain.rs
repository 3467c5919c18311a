//! Attached without a terminal (cron, CI, pipes): bytes are copied as they are, standard output and error apart.

use std::io::{self, IsTerminal};

use bytes::Bytes;
use deployer_protocol::{FromClient, FromDaemon};
use futures_util::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::connection::{Connection, Link, refusal};
use super::ending::{Ending, lost};
use super::keys;
use super::outlet::Outlet;
use crate::failure::Failure;

/// Copies until the session ends (rows W-44, W-45).
///
/// # Errors
/// When the daemon goes away.
pub(super) async fn stay(connection: Connection, session: String) -> Result<Ending, Failure> {
    let failed = |error: io::Error| Failure::other(format!("cannot copy the session's bytes: {error}"));
    let plain = Plain {
        link: connection.split(),
        session,
        keys: if may_read() { keys::read(io::stdin()).map_err(failed)? } else { keys::none() },
        input: Input::Open,
        interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        terminate: signal(SignalKind::terminate()).map_err(failed)?,
        asked_to_end: 0,
        output_closed: false,
        refused: None,
    };
    let stdout = Outlet::new(io::stdout(), None).map_err(failed)?;
    let stderr = Outlet::new(io::stderr(), None).map_err(failed)?;
    plain.run(stdout, stderr).await
}

/// A process in the background that reads its terminal is stopped by the kernel, so it does not.
fn may_read() -> bool {
    let foreground = || rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp());
    !io::stdin().is_terminal() || foreground()
}

/// Where standard input stands.
enum Input {
    Open,
    /// Read, and not yet taken by the queue to the daemon.
    Unsent(FromClient),
    Ended,
}

/// One of the two streams of output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Out,
    Err,
}

struct Plain {
    link: Link,
    session: String,
    keys: mpsc::Receiver<Bytes>,
    input: Input,
    interrupt: Signal,
    terminate: Signal,
    /// How often a signal asked.
    asked_to_end: u32,
    /// Nobody reads standard output any more.
    output_closed: bool,
    /// Said by the daemon, perhaps before it hangs up.
    refused: Option<Failure>,
}

impl Plain {
    async fn run(mut self, stdout: Outlet, stderr: Outlet) -> Result<Ending, Failure> {
        let ending = self.pump(&stdout, &stderr).await;
        // Whoever closed them does not want the rest.
        let (out, _) = tokio::join!(stdout.finish(), stderr.finish());
        let closed = self.output_closed || out.is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        match ending {
            Ok(Ending::Finished(_) | Ending::Ended(..)) if closed => Ok(Ending::OutputClosed),
            ending => ending,
        }
    }

    async fn pump(&mut self, stdout: &Outlet, stderr: &Outlet) -> Result<Ending, Failure> {
        let mut shown: Option<(Stream, Bytes)> = None;
        let to_daemon = self.link.to_daemon.clone();
        loop {
            let wanted = match &shown {
                Some((Stream::Err, _)) => stderr,
                _ => stdout,
            };
            tokio::select! {
                Some(()) = self.interrupt.recv() => if let Some(ending) = self.asked(libc::SIGINT) {
                    return Ok(ending);
                },
                Some(()) = self.terminate.recv() => if let Some(ending) = self.asked(libc::SIGTERM) {
                    return Ok(ending);
                },
                () = stdout.closed(), if !self.output_closed => self.output_is_closed(),
                frame = self.link.frames.next(), if shown.is_none() => match frame {
                    Some(Ok(FromDaemon::Stdout(bytes) | FromDaemon::Output(bytes))) => shown = Some((Stream::Out, bytes)),
                    Some(Ok(FromDaemon::Stderr(bytes))) => shown = Some((Stream::Err, bytes)),
                    Some(Ok(FromDaemon::Finished(status))) => return Ok(Ending::told(status, self.refused.take())),
                    Some(Ok(FromDaemon::Killed(_))) => return Ok(Ending::Signal(libc::SIGINT)),
                    Some(Ok(FromDaemon::Detached(reason))) => {
                        return Ok(Ending::Detached { session: self.session.clone(), reason: Some(reason) });
                    }
                    Some(Ok(FromDaemon::Error((kind, why)))) => self.refused = Some(refusal(kind, &why)),
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Err(lost(&self.link.path, Some(&error), self.refused.take())),
                    None => return Err(lost(&self.link.path, None, self.refused.take())),
                },
                // Without room nobody reads it: the session goes on without.
                room = wanted.room(), if shown.is_some() => if let (Some(room), Some((_, bytes))) = (room, shown.take()) {
                    room.send(bytes);
                },
                read = self.keys.recv(), if matches!(self.input, Input::Open) => {
                    self.input = Input::Unsent(read.map_or(FromClient::EndOfInput(()), FromClient::Input));
                }
                room = to_daemon.reserve(), if matches!(self.input, Input::Unsent(_)) => match room {
                    Ok(room) => {
                        if let Input::Unsent(message) = std::mem::replace(&mut self.input, Input::Open) {
                            if message == FromClient::EndOfInput(()) {
                                self.input = Input::Ended;
                            }
                            room.send(message);
                        }
                    }
                    // It no longer listens: what it still says tells why.
                    Err(_) => self.input = Input::Ended,
                },
            }
        }
    }

    /// A signal: the first interrupts what runs, the second ends the session, the third ends only us.
    fn asked(&mut self, signal: i32) -> Option<Ending> {
        self.asked_to_end += 1;
        let message = match self.asked_to_end {
            1 => FromClient::Interrupt(()),
            2 => FromClient::Kill(self.session.clone()),
            _ => return Some(Ending::Signal(signal)),
        };
        // A daemon that takes no messages cannot be asked for anything.
        self.link.to_daemon.try_send(message).err().map(|_| Ending::Signal(signal))
    }

    /// Nobody reads standard output any more. As in any pipeline, what runs is interrupted when nobody wants its output; its end is still waited for.
    fn output_is_closed(&mut self) {
        if !self.output_closed {
            self.output_closed = true;
            // Without room the daemon is far behind; it meets the end of input, or us hanging up, all the same.
            let _ = self.link.to_daemon.try_send(FromClient::Interrupt(()));
        }
    }
}
