//! Windows of the operators' terminals (rows ): another shell, an isolation, the log of a session.
//!
//! A window is opened by the client of an operator, because that stands in the operator's terminal. The daemon asks it
//! for one and says nothing of how: the client builds the command from its own executable. The new client claims its
//! place with a one-time ticket (`docs/decisions/0011-windows.md`).

pub(crate) mod commands;
mod log;
mod monitor;
pub(crate) mod pane;
mod tickets;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use deployer_core::terminal::{AuxiliaryRequest, ParallelRun, Terminal};
use deployer_protocol::{FromDaemon, OpenWindow};
use tokio::sync::{Semaphore, broadcast, oneshot};

pub(crate) use log::SessionLog;
pub(crate) use pane::{Finished, PaneWish};
pub(crate) use tickets::{Purpose, Tickets};

use crate::connection::Outbox;
use crate::daemon::Daemon;
use crate::session::{Event, Handle};

/// A client that can open windows for its operator.
pub(crate) struct Opener {
    /// Whose it is; only this user can claim the window.
    pub(crate) user: String,
    /// The way to it.
    pub(crate) outbox: Arc<Outbox>,
}

/// The windows of one session.
pub(crate) struct SessionWindows {
    /// The session.
    pub(crate) session: Arc<Handle>,
    daemon: Weak<Daemon>,
    /// One after the other: terminals lay out one at a time.
    turn: Semaphore,
    /// The parallel run whose windows did not open: the rest of it does not try again.
    refused: Mutex<Weak<ParallelRun>>,
    /// Tells panes that were kept open to close.
    dead: broadcast::Sender<()>,
    dead_count: AtomicUsize,
}

impl SessionWindows {
    /// Those of a session that begins.
    pub(crate) fn new(daemon: &Arc<Daemon>, session: Arc<Handle>) -> Arc<SessionWindows> {
        Arc::new(SessionWindows {
            session,
            daemon: Arc::downgrade(daemon),
            turn: Semaphore::new(1),
            refused: Mutex::default(),
            dead: broadcast::Sender::new(1),
            dead_count: AtomicUsize::new(0),
        })
    }

    /// Opens a window; returns when it is there.
    ///
    /// # Errors
    /// Why it is not.
    pub(crate) async fn open(&self, title: &str, focus: bool, purpose: Purpose) -> Result<(), String> {
        let daemon = self.daemon.upgrade().ok_or("the daemon is stopping")?;
        let (reply, opener) = oneshot::channel();
        self.session.tell(Event::WhoOpensWindows(reply)).await;
        let opener = opener.await.ok().flatten().ok_or_else(|| {
            "no attached terminal can open windows (tmux, zellij, WezTerm, kitty, gnome-terminal and xterm can)"
                .to_string()
        })?;
        let (ticket, outcome) =
            daemon.tickets.issue(&opener.user, purpose).ok_or("too many windows are being opened")?;
        let wish = OpenWindow { ticket: ticket.clone(), title: title.to_string(), focus };
        opener.outbox.put(FromDaemon::OpenWindow(wish));
        let outcome = tokio::select! {
            outcome = outcome => outcome.unwrap_or_else(|_| Err("its ticket was not used".to_string())),
            () = tokio::time::sleep(tickets::LIFETIME) => {
                Err(format!("it did not come within {} s", tickets::LIFETIME.as_secs()))
            }
            () = opener.outbox.gone() => Err("the client that was to open it is gone".to_string()),
        };
        daemon.tickets.withdraw(&ticket);
        outcome
    }

    /// A terminal for an isolation in a window of its own; `None` when there is none, which is said on `main` once per
    /// run (row Q-20).
    pub(crate) async fn isolation(
        self: &Arc<Self>,
        request: &AuxiliaryRequest,
        main: &dyn Terminal,
    ) -> Option<Arc<dyn Terminal>> {
        let _turn = self.turn.acquire().await;
        if self.was_refused(request) {
            return None;
        }
        let (reply, terminal) = oneshot::channel();
        let wish = PaneWish::Isolation { label: request.label.clone(), windows: self.clone(), terminal: reply };
        let problem = match self.open(&request.label, false, Purpose::Pane(wish)).await {
            Ok(()) => match terminal.await {
                Ok(terminal) => return Some(terminal),
                Err(_) => "it was closed at once".to_string(),
            },
            Err(problem) => problem,
        };
        if let Some(run) = &request.run {
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(run);
        }
        tracing::info!(session = self.session.name, label = request.label, problem, "no window for an isolation");
        let notice = format!("{}: no window: {problem}; this run goes on here\n", request.label);
        // Where nobody can see it there is nobody to tell.
        let _nobody_looks = main.print_talk(&notice).await;
        None
    }

    fn was_refused(&self, request: &AuxiliaryRequest) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        matches!((refused, &request.run), (Some(refused), Some(run)) if Arc::ptr_eq(&refused, run))
    }

    /// Closes the windows of isolations that have ended (row Q-22); how many.
    pub(crate) fn close_dead(&self) -> usize {
        // Without any nobody listens.
        let _nobody_listens = self.dead.send(());
        self.dead_count.load(Ordering::Relaxed)
    }

    /// Counts a window that was kept open, as long as the guard lives.
    fn count_dead(&self) -> DeadGuard<'_> {
        self.dead_count.fetch_add(1, Ordering::Relaxed);
        DeadGuard(&self.dead_count)
    }
}

struct DeadGuard<'a>(&'a AtomicUsize);

impl Drop for DeadGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
