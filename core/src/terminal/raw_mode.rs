//! Raw mode of the process's terminal, given back however the process goes on.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input in raw mode, until dropped (row M-10).
pub(super) struct RawMode {
    found: Termios,
    entered: Mutex<bool>,
}

impl RawMode {
    /// Puts standard input into raw mode.
    pub(super) fn enter() -> io::Result<Arc<RawMode>> {
        let raw = RawMode::prepare()?;
        raw.again()?;
        Ok(raw)
    }

    /// The same, to be entered with [`RawMode::again`] when it is needed.
    pub(super) fn prepare() -> io::Result<Arc<RawMode>> {
        let raw = Arc::new(RawMode { found: tcgetattr(io::stdin())?, entered: Mutex::new(false) });
        show_panics_readably(Arc::downgrade(&raw));
        Ok(raw)
    }

    /// Raw once more, after the process was stopped and continued.
    pub(super) fn again(&self) -> io::Result<()> {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        let mut raw = self.found.clone();
        raw.make_raw();
        tcsetattr(io::stdin(), OptionalActions::Now, &raw)?;
        *entered = true;
        Ok(())
    }

    /// Whether it is raw, not given back.
    pub(super) fn entered(&self) -> bool {
        *self.entered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As it was found. Does nothing the second time.
    pub(super) fn leave(&self) {
        let mut entered = self.entered.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::take(&mut *entered) {
            return;
        }
        if let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, &self.found) {
            tracing::warn!(%error, "the terminal could not be given back as it was");
        }
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        self.leave();
    }
}

/// A panic message on a raw terminal is a staircase, and after an abort the terminal would stay raw.
fn show_panics_readably(raw: Weak<RawMode>) {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let raw = raw.upgrade().filter(|raw| raw.entered());
        if let Some(raw) = &raw {
            raw.leave();
        }
        previous(info);
        // A panic of one task ends that task; the session goes on. An ending process drops the terminal.
        let again = raw.filter(|_| cfg!(panic = "unwind")).map_or(Ok(()), |raw| raw.again());
        if let Err(error) = again {
            tracing::warn!(%error, "the terminal could not be made raw again");
        }
    }));
}
