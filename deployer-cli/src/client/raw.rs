//! The operator's own terminal: raw while attached, as it was on every way out (row Q-13).

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use deployer_protocol::OpenTerminal;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::modes::Modes;

/// Longest value of TERM that is passed on.
const TERM_MAX: usize = 64;

/// How long a terminal that takes no bytes may hold up leaving it: 200 ms.
const STUCK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Lines and columns of the terminal; zeros when it does not say.
pub(crate) fn size() -> (u16, u16) {
    tcgetwinsize(io::stdout()).map_or((0, 0), |size| (size.ws_row, size.ws_col))
}

/// The terminal as a daemon wants to know it, with colours or without.
pub(crate) fn describe(colour: bool) -> OpenTerminal {
    let (rows, cols) = size();
    let term = std::env::var("TERM").unwrap_or_default();
    let known = term.len() <= TERM_MAX && term.chars().all(|c| c.is_ascii_graphic());
    OpenTerminal { rows, cols, term: if known { term } else { String::new() }, colour }
}

/// Raw mode, until dropped; a panic anywhere in the process ends it too.
#[derive(Debug)]
pub(crate) struct RawTerminal(Arc<State>);

#[derive(Debug)]
struct State {
    input: OwnedFd,
    output: OwnedFd,
    original: Termios,
    raw: AtomicBool,
    /// Locked for a note of some bytes, by the thread that shows them and on the way out.
    modes: Arc<Mutex<Modes>>,
}

impl RawTerminal {
    /// Makes the terminal on standard input and output raw. What was typed before stays for the session.
    ///
    /// # Errors
    /// When it is no terminal or has hung up.
    pub(crate) fn enter() -> io::Result<RawTerminal> {
        let state = Arc::new(State {
            input: rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?,
            output: rustix::io::fcntl_dupfd_cloexec(io::stdout(), 3)?,
            original: tcgetattr(io::stdin())?,
            raw: AtomicBool::new(false),
            modes: Arc::default(),
        });
        restore_on_panic(Arc::downgrade(&state));
        let terminal = RawTerminal(state);
        terminal.resume()?;
        Ok(terminal)
    }

    /// The note of what the session switched on, for whoever shows its bytes.
    pub(crate) fn modes(&self) -> Arc<Mutex<Modes>> {
        self.0.modes.clone()
    }

    /// Moves what is on the screen to where the terminal keeps what was scrolled away: another screen comes in its place.
    pub(crate) fn scroll_away(&self) {
        let (rows, _) = size();
        let lines = "\n".repeat(usize::from(rows));
        // A terminal that is gone is noticed when the session is shown.
        let _ = rustix::io::write(&self.0.output, format!("\x1b[{rows}H{lines}\x1b[H").as_bytes());
    }

    /// Puts the terminal back; the session may go on.
    pub(crate) fn suspend(&self) {
        self.0.restore();
    }

    /// Raw again, after [`RawTerminal::suspend`] or somebody else's changes.
    ///
    /// # Errors
    /// When the terminal has hung up.
    pub(crate) fn resume(&self) -> io::Result<()> {
        let mut raw = self.0.original.clone();
        raw.make_raw();
        tcsetattr(&self.0.input, OptionalActions::Now, &raw)?;
        self.0.raw.store(true, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for RawTerminal {
    fn drop(&mut self) {
        self.0.restore();
    }
}

impl State {
    fn restore(&self) {
        if !self.raw.swap(false, Ordering::Relaxed) {
            return;
        }
        // A terminal that is gone needs nothing; there is nobody to tell either.
        let _ = tcsetattr(&self.input, OptionalActions::Now, &self.original);
        let mut bytes = Vec::new();
        {
            let modes = self.modes.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend(modes.undo());
            if modes.mid_line() {
                bytes.push(b'\n');
            }
        }
        let writable = poll(&mut [PollFd::new(&self.output, PollFlags::OUT)], Some(&STUCK));
        if matches!(writable, Ok(1..)) {
            let _ = rustix::io::write(&self.output, &bytes);
        }
    }
}

/// Wraps the panic hook; the wrapper holds nothing alive.
fn restore_on_panic(state: Weak<State>) {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(state) = state.upgrade() {
            state.restore();
        }
        before(panic);
    }));
}
