//! A session: a task with an inbox. It belongs to the daemon, not to its clients (design 5).
//!
//! Two kinds: with a terminal (`interactive`), which has a PTY, a screen model and any number of clients; and without
//! (`plain`), which runs one action for one client that has pipes.

mod auxiliary;
mod behind;
mod caught_up;
mod clients;
mod ending;
mod handle;
mod history;
mod hygiene;
mod input;
mod interactive;
mod lagging;
#[cfg(test)]
mod newcomer_tests;
mod places;
mod plain;
mod presence;
mod pty;
mod screen;
mod summary;
mod terminal;
mod unfinished;
mod views;
mod who;

use std::sync::Arc;

use deployer_core::logger::{IndentedLogger, RunLog};
use deployer_core::shell;
use deployer_core::terminal::Terminal;
use deployer_protocol::Open;
use futures_util::future::BoxFuture;

pub(crate) use clients::Client;
pub(crate) use handle::{Event, Handle, Inbox};
pub(crate) use input::{Keys, Typed};
pub(crate) use interactive::{Surroundings, open_pane};
pub(crate) use places::ActionPlaces;
pub(crate) use screen::{Screen, Vt100};
pub(crate) use summary::now_ms;
pub(crate) use terminal::PtyTerminal;
pub(crate) use who::elapsed;

use crate::authority::SessionOverseer;
use crate::daemon::Daemon;
use crate::oversight::Oversight;

/// What runs in a session: the shell, or something simpler in tests. Returns the exit status.
pub(crate) type Program = Arc<dyn Fn(shell::Session) -> BoxFuture<'static, i32> + Send + Sync>;

/// Longest TERM that is believed, bytes.
const TERM_MAX: usize = 64;

/// Opens a session with its first client; the client is attached already.
///
/// # Errors
/// A sentence, when the system has no PTY or no descriptors left.
pub(crate) fn open(
    daemon: &Arc<Daemon>,
    handle: Arc<Handle>,
    inbox: handle::Inbox,
    wish: Open,
    client: Client,
) -> Result<Keys, String> {
    match wish.terminal.clone() {
        Some(terminal) => interactive::open(daemon, handle, inbox, wish, &terminal, client),
        None => Ok(plain::open(daemon, handle, inbox, wish, client)),
    }
}

/// Everything the shell of a session needs.
fn shell_session(
    daemon: &Arc<Daemon>,
    handle: &Arc<Handle>,
    wish: Open,
    terminal: Arc<dyn Terminal>,
) -> shell::Session {
    let Oversight { authority, journal, .. } = daemon.options.oversight.clone();
    let overseer = SessionOverseer { handle: handle.clone(), authority, journal };
    shell::Session {
        tree: daemon.options.tree.clone(),
        terminal,
        services: daemon.options.services.clone(),
        listeners: vec![Arc::new(RunLog::new(handle.name.clone())), IndentedLogger::new(handle.log.clone())],
        status: handle.summary.clone(),
        extensions: vec![Arc::new(who::Who { session: handle.name.clone(), daemon: Arc::downgrade(daemon) })],
        overseer: Arc::new(overseer),
        cancel: handle.cancel.clone(),
        options: handle.options.clone(),
        path: wish.path,
        action: wish.action,
    }
}

/// The TERM that programs are told: what the client says if it can be a name of a terminal.
fn checked_term(term: &str) -> String {
    let possible = |c: char| c.is_ascii_alphanumeric() || "-_+.".contains(c);
    match !term.is_empty() && term.len() <= TERM_MAX && term.chars().all(possible) {
        true => term.to_string(),
        false => "dumb".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::checked_term;

    // rows: M-04
    #[test]
    fn term_is_a_name_or_dumb() {
        assert_eq!(checked_term("xterm-256color"), "xterm-256color");
        for bad in ["", "../../etc", "x\n", "a b", &"x".repeat(65)] {
            assert_eq!(checked_term(bad), "dumb");
        }
    }
}
