//! What windows show that are no sessions: an isolation, the log of a session. Each has a PTY, a screen and clients as a
//! session has; it ends with what it shows.

use std::sync::Arc;

use deployer_core::terminal::Terminal;
use deployer_protocol::OpenTerminal;
use tokio::sync::{broadcast, oneshot};
use tokio_util::sync::CancellationToken;

use super::{SessionWindows, monitor};
use crate::authority::Person;
use crate::daemon::Daemon;
use crate::session::{self, Client, Handle, Keys, PtyTerminal, Surroundings};

/// What a window is to show.
pub(crate) enum PaneWish {
    /// An isolation, which gets the terminal.
    Isolation {
        /// Its label, of the name of the pane.
        label: String,
        /// The session it belongs to.
        windows: Arc<SessionWindows>,
        /// Who waits for the terminal.
        terminal: oneshot::Sender<Arc<dyn Terminal>>,
    },
    /// The log of a session (row Q-23).
    Monitor(Arc<Handle>),
}

/// Said by the isolation's terminal when it is finished or nobody has it any more.
pub(crate) struct Finished(pub(crate) CancellationToken);

impl Drop for Finished {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Opens a pane with its first client.
///
/// # Errors
/// A sentence, when the system has no PTY left.
pub(crate) fn open(
    daemon: &Arc<Daemon>,
    wish: PaneWish,
    person: &Arc<Person>,
    client: Client,
    terminal: &OpenTerminal,
) -> Result<(Arc<Handle>, Keys), String> {
    match wish {
        PaneWish::Isolation { label, windows, terminal: reply } => {
            isolation(daemon, label, windows, reply, person, client, terminal)
        }
        PaneWish::Monitor(watched) => {
            let name = format!("{}/log", watched.name);
            let (handle, inbox) = daemon
                .registry
                .add_pane(&name, |name| Handle::new(name, person.clone(), true, watched.cancel.child_token()));
            let log = watched.log.subscribe();
            let ended = watched.clone();
            let around = Surroundings { terminal, interactive: false, windows: None, finished: None };
            let keys = session::open_pane(daemon, handle.clone(), inbox, around, client, |terminal| async move {
                monitor::show(terminal, log, &ended).await
            })?;
            Ok((handle, keys))
        }
    }
}

fn isolation(
    daemon: &Arc<Daemon>,
    label: String,
    windows: Arc<SessionWindows>,
    reply: oneshot::Sender<Arc<dyn Terminal>>,
    person: &Arc<Person>,
    client: Client,
    terminal: &OpenTerminal,
) -> Result<(Arc<Handle>, Keys), String> {
    let session = windows.session.clone();
    let name = format!("{}/{label}", session.name);
    let (handle, inbox) = daemon.registry.add_pane(&name, |name| Handle::window_of(&session, name, person.clone()));
    let finished = CancellationToken::new();
    let around = Surroundings {
        terminal,
        interactive: true,
        windows: Some(windows.clone()),
        finished: Some(Arc::new(Finished(finished.clone()))),
    };
    let keys = session::open_pane(daemon, handle.clone(), inbox, around, client, |terminal| {
        let own = Arc::new(PtyTerminal { finished: None, ..terminal.clone() });
        let title = format!("\x1b]2;{}\x07", deployer_core::terminal::style::escaped(&label));
        let gone = reply.send(Arc::new(terminal)).is_err();
        async move {
            if gone {
                // Whoever wanted a terminal did not wait for it.
                return;
            }
            // Nobody sees the title of a window that is gone.
            let _nobody_looks = own.write(title.as_bytes()).await;
            tokio::select! {
                () = finished.cancelled() => {}
                () = session.cancel.cancelled() => return,
            }
            if session.options.keep_panes_open() {
                keep(&windows, &session, &own, &label).await;
            }
        }
    })?;
    Ok((handle, keys))
}

/// Rows: until a key, `close-dead-panes`, or the end of the session.
async fn keep(windows: &SessionWindows, session: &Handle, own: &PtyTerminal, label: &str) {
    let mut close = windows.dead.subscribe();
    let mut keyboard = own.keyboard();
    let notice = format!("\n[{label} is done; any key closes this window]\n");
    if own.print_talk(&notice).await.is_err() {
        return;
    }
    let _counted = windows.count_dead();
    tokio::select! {
        _key_or_nobody_there = keyboard.read() => {}
        _told_or_session_gone = closing(&mut close) => {}
        () = session.ended() => {}
        () = session.cancel.cancelled() => {}
    }
}

async fn closing(close: &mut broadcast::Receiver<()>) {
    // Lagging behind means having been told more than once.
    let _either_way = close.recv().await;
}
