//! Attached with a terminal: keys go to the session, its bytes are shown, until one side leaves.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use deployer_protocol::{ErrorKind, FromClient, FromDaemon, OpenWindow};
use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::connection::{Connection, Link, refusal};
use super::detach::{DetachKey, Scan, Scanner};
use super::ending::{Ending, lost};
use super::outlet::Outlet;
use super::raw::{self, RawTerminal};
use super::signals::{Notice, Signals};
use super::unsent::Unsent;
use super::{Attached, Manner, keys};
use crate::failure::Failure;
use crate::windows::Opener;

/// How long a daemon may take to confirm that we leave; hanging up is leaving too.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);

/// Ctrl-C, which leaves a session that is only watched.
const CTRL_C: u8 = 0x03;

/// How long a screen that is left may take for the bytes that it is being shown.
const SETTLE_LIMIT: Duration = Duration::from_millis(200);

/// Stays with the terminal on standard input and output.
///
/// # Errors
/// When the daemon goes away, or the terminal cannot be used.
pub(super) async fn stay(connection: Connection, attached: Attached, manner: Manner) -> Result<Ending, Failure> {
    let failed = |error: io::Error| Failure::other(format!("cannot use the terminal: {error}"));
    let signals = Signals::new().map_err(failed)?;
    // From here on every way out drops this, which puts the terminal back before anything is said.
    let terminal = RawTerminal::enter().map_err(failed)?;
    let screen = Outlet::new(io::stdout(), Some(terminal.modes())).map_err(failed)?;
    if attached.joined {
        terminal.scroll_away();
    }
    let keys = keys::read(io::stdin()).map_err(failed)?;
    let scanner = manner.detach_key.map(Scanner::new);
    let link = connection.split();
    let windows = Opener::of_process().map(|opener| opener.start(link.path.clone(), link.to_daemon.clone()));
    // It is told again only when it has changed: a size makes the daemon paint all of the screen.
    let unsent = Unsent::after(attached.terminal);
    let mut pump = Pump { link, signals, terminal, keys, scanner, manner, windows, unsent, refused: None };
    pump.tell_size();
    pump.run(attached.session, screen).await
}

struct Pump {
    link: Link,
    signals: Signals,
    terminal: RawTerminal,
    keys: mpsc::Receiver<Bytes>,
    scanner: Option<Scanner>,
    manner: Manner,
    /// Opens windows, where that can be done.
    windows: Option<mpsc::Sender<OpenWindow>>,
    unsent: Unsent,
    /// Said by the daemon, perhaps before it hangs up.
    refused: Option<Failure>,
}

/// Why the loop ended.
enum Out {
    /// The daemon said so, or went away.
    Told(Result<Ending, Failure>),
    /// This process was told to end.
    Signal(i32),
    /// The operator's own key.
    Leave,
    /// Standard output takes nothing any more.
    ScreenGone,
}

impl Pump {
    async fn run(mut self, session: String, screen: Outlet) -> Result<Ending, Failure> {
        match self.pump(&session, &screen).await {
            Out::Leave => {
                screen.discard();
                self.leave().await;
                settle(screen).await;
                Ok(Ending::Detached { session, reason: None })
            }
            Out::Signal(number) => {
                screen.discard();
                settle(screen).await;
                Ok(Ending::Signal(number))
            }
            Out::ScreenGone => Ok(Ending::Signal(libc::SIGHUP)),
            Out::Told(outcome) => match self.show_rest(screen).await {
                Some(signal) => Ok(signal),
                None => outcome,
            },
        }
    }

    /// Moves bytes until something ends it.
    async fn pump(&mut self, session: &str, screen: &Outlet) -> Out {
        let mut shown: Option<Bytes> = None;
        let to_daemon = self.link.to_daemon.clone();
        loop {
            tokio::select! {
                notice = self.signals.next() => {
                    if let Some(out) = self.notice(notice) {
                        return out;
                    }
                }
                () = screen.closed() => return Out::ScreenGone,
                frame = self.link.frames.next(), if shown.is_none() => match frame {
                    Some(Ok(FromDaemon::Output(bytes) | FromDaemon::Stdout(bytes) | FromDaemon::Stderr(bytes))) => shown = Some(bytes),
                    Some(Ok(FromDaemon::Finished(status))) => return Out::Told(Ok(Ending::told(status, self.refused.take()))),
                    Some(Ok(FromDaemon::Detached(reason))) => {
                        return Out::Told(Ok(Ending::Detached { session: session.to_string(), reason: Some(reason) }));
                    }
                    Some(Ok(FromDaemon::Error((kind, why)))) => {
                        let refused = refusal(kind, &why);
                        if kind == ErrorKind::Permission {
                            shown = Some(on_last_line(&refused.message));
                        }
                        self.refused = Some(refused);
                    }
                    Some(Ok(FromDaemon::OpenWindow(wish))) => self.open_window(wish),
                    Some(Ok(FromDaemon::DetachKey(byte))) => if self.manner.any_detach_key {
                        self.scanner = DetachKey::from_byte(byte).map(Scanner::new);
                    }
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Out::Told(Err(lost(&self.link.path, Some(&error), self.refused.take()))),
                    None => return Out::Told(Err(lost(&self.link.path, None, self.refused.take()))),
                },
                room = screen.room(), if shown.is_some() => match (room, shown.take()) {
                    (Some(room), Some(bytes)) => room.send(bytes),
                    _ => return Out::ScreenGone,
                },
                typed = self.keys.recv(), if self.unsent.is_empty() => match typed {
                    Some(bytes) => if let Some(out) = self.typed(bytes) {
                        return out;
                    },
                    None => return Out::ScreenGone,
                },
                // Without room it no longer listens: what it still says tells why.
                room = to_daemon.reserve(), if !self.unsent.is_empty() => if let (Ok(room), Some(message)) = (room, self.unsent.next()) {
                    room.send(message);
                },
            }
        }
    }

    /// Takes what was typed apart: for the session, or for us.
    fn typed(&mut self, mut bytes: Bytes) -> Option<Out> {
        if let Some(Scan::Detach(at)) = self.scanner.as_mut().map(|scanner| scanner.scan(&bytes)) {
            bytes.truncate(at);
            if !bytes.is_empty() && !self.manner.watching {
                // If there is no room the session is far behind what was typed, and these keys are lost with the rest.
                let _ = self.link.to_daemon.try_send(FromClient::Input(bytes));
            }
            return Some(Out::Leave);
        }
        if self.manner.watching {
            return bytes.contains(&CTRL_C).then_some(Out::Leave);
        }
        // The keys may be here before the signal is; they were typed at what the terminal shows now.
        self.tell_size();
        self.unsent.input(bytes);
        None
    }

    /// Has a window opened in the background; the daemon hears when it cannot be.
    fn open_window(&self, wish: OpenWindow) {
        let ticket = wish.ticket.clone();
        let reason = match &self.windows {
            None => "this terminal cannot open windows",
            Some(windows) => match windows.try_send(wish) {
                Ok(()) => return,
                Err(_) => "too many windows are to be opened at once",
            },
        };
        // Without room for the answer, the daemon gives up by itself after a while.
        let _ = self.link.to_daemon.try_send(FromClient::WindowRefused((ticket, reason.to_string())));
    }

    fn notice(&mut self, notice: Notice) -> Option<Out> {
        match notice {
            Notice::End(signal) => return Some(Out::Signal(signal)),
            Notice::Window => self.tell_size(),
            Notice::Stop => {
                self.terminal.suspend();
                // Handled, so it did not stop us; SIGSTOP does. SIGCONT comes next.
                let stopped = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                if stopped.is_err() {
                    return self.resume();
                }
            }
            Notice::Continue => return self.resume(),
        }
        None
    }

    fn resume(&mut self) -> Option<Out> {
        if self.terminal.resume().is_err() {
            return Some(Out::ScreenGone);
        }
        // Told in any case: what the terminal shows is not the session any more, and is painted again.
        self.unsent.forget_size();
        self.tell_size();
        None
    }

    /// Tells the daemon the size where it has changed (row Q-14).
    fn tell_size(&mut self) {
        self.unsent.size(raw::size());
    }

    /// Says that we leave, and waits until the daemon has understood.
    async fn leave(&mut self) {
        if self.link.to_daemon.try_send(FromClient::Detach(())).is_err() {
            return;
        }
        let understood = async {
            while let Some(Ok(frame)) = self.link.frames.next().await {
                if matches!(frame, FromDaemon::Detached(_) | FromDaemon::Finished(_)) {
                    return;
                }
            }
        };
        // Hanging up has the same effect, so a late answer changes nothing.
        let _ = timeout(LEAVE_LIMIT, understood).await;
    }

    /// Waits until the last bytes are shown, unless a signal ends us first.
    async fn show_rest(&mut self, screen: Outlet) -> Option<Ending> {
        let finish = screen.finish();
        tokio::pin!(finish);
        loop {
            tokio::select! {
                // A terminal that is gone at the end changes nothing about how the session ended.
                _ = &mut finish => return None,
                notice = self.signals.next() => if let Notice::End(signal) = notice {
                    return Some(Ending::Signal(signal));
                },
            }
        }
    }
}

/// Lets the bytes that are on their way arrive, so that they do not come after the terminal was put back.
async fn settle(screen: Outlet) {
    // A screen that is stuck is left as it is.
    let _ = timeout(SETTLE_LIMIT, screen.finish()).await;
}

/// Says something on the last line of the terminal, above what the session shows there until it shows something else.
fn on_last_line(message: &str) -> Bytes {
    let (rows, cols) = raw::size();
    let shown: String = message.chars().take(usize::from(cols.saturating_sub(1))).collect();
    Bytes::from(format!("\x1b7\x1b[{rows};1H\x1b[0;7m{shown}\x1b[0m\x1b[K\x1b8\x07"))
}
