//! How a session with a terminal, or a pane, begins.

use std::sync::Arc;

use deployer_core::terminal::Size;
use deployer_protocol::{Open, OpenTerminal};
use tokio::runtime::Handle as Runtime;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use super::Interactive;
use crate::daemon::Daemon;
use crate::journal::{Entry, What};
use crate::session::clients::{Client, Clients};
use crate::session::ending::{self, Ending};
use crate::session::handle::{Handle, Inbox};
use crate::session::history::History;
use crate::session::hygiene::Hygiene;
use crate::session::input::{self, Keys};
use crate::session::lagging::Lagging;
use crate::session::presence::Presence;
use crate::session::pty;
use crate::session::terminal::{Port, PtyTerminal};
use crate::session::views::{self, Front, Views};
use crate::session::{checked_term, shell_session};
use crate::windows::{self, Finished, SessionWindows};

/// What a pane or session finds around it.
pub(crate) struct Surroundings<'a> {
    /// The terminal of its first client.
    pub(crate) terminal: &'a OpenTerminal,
    /// Whether questions may be asked.
    pub(crate) interactive: bool,
    /// Windows for its isolations.
    pub(crate) windows: Option<Arc<SessionWindows>>,
    /// Told when the isolation that runs in it is finished.
    pub(crate) finished: Option<Arc<Finished>>,
}

/// Opens the session and attaches its first client.
pub(in crate::session) fn open(
    daemon: &Arc<Daemon>,
    handle: Arc<Handle>,
    inbox: Inbox,
    wish: Open,
    terminal: &OpenTerminal,
    client: Client,
) -> Result<Keys, String> {
    let windows = SessionWindows::new(daemon, handle.clone());
    let interactive = wish.interactive && daemon.options.interactive;
    let around = Surroundings { terminal, interactive, windows: Some(windows.clone()), finished: None };
    let (program, workers) = (daemon.program.clone(), daemon.options.workers.clone());
    begin(daemon, handle.clone(), inbox, around, client, false, |terminal| {
        let mut shell = shell_session(daemon, &handle, wish, Arc::new(terminal));
        shell.extensions.extend(windows::commands::all(&windows));
        async move { ending::run(&workers, &program, shell, &handle).await }
    })
}

/// Opens what a window shows that is no session, with its first client.
///
/// # Errors
/// A sentence, when the system has no PTY left.
pub(crate) fn open_pane<F>(
    daemon: &Arc<Daemon>,
    handle: Arc<Handle>,
    inbox: Inbox,
    around: Surroundings<'_>,
    client: Client,
    program: impl FnOnce(PtyTerminal) -> F,
) -> Result<Keys, String>
where
    F: Future<Output = ()> + Send + 'static,
{
    let (name, workers) = (handle.clone(), daemon.options.workers.clone());
    let opened = begin(daemon, handle.clone(), inbox, around, client, true, |terminal| {
        let shown = program(terminal);
        async move { ending::of_pane(&workers, shown, &name).await }
    });
    if opened.is_err() {
        daemon.registry.remove(&handle);
    }
    opened
}

/// A PTY, a screen and clients around a program.
fn begin<F>(
    daemon: &Arc<Daemon>,
    handle: Arc<Handle>,
    inbox: Inbox,
    around: Surroundings<'_>,
    client: Client,
    is_pane: bool,
    program: impl FnOnce(PtyTerminal) -> F,
) -> Result<Keys, String>
where
    F: Future<Output = Ending> + Send + 'static,
{
    let terminal = around.terminal;
    let size = Size::clamped(terminal.rows, terminal.cols);
    let recording = match &daemon.options.oversight.recordings {
        Some(recordings) if !is_pane => Some(
            recordings
                .begin(&handle.name, size, &checked_term(&terminal.term))
                .map_err(|error| format!("the session cannot be recorded, so it is not opened: {error}"))?,
        ),
        _ => None,
    };
    if let Some(recording) = &recording {
        let what = What::Recording { file: recording.file().display().to_string() };
        daemon.options.oversight.journal.write(Entry::now(handle.about(), what));
    }
    let (master, slave) =
        pty::open(size).map_err(|error| format!("cannot open a terminal for the session: {error}"))?;
    let master = Arc::new(master);
    let hub = handle.keyboard.clone();
    let authority = daemon.options.oversight.authority.clone();
    let (keys, typed) = input::channel();
    let (last, typist) = watch::channel(None);
    let typing = AbortOnDropHandle::new(tokio::spawn(input::to_keyboard(typed, handle.clone(), authority, last)));
    let (size_sender, size_watch) = watch::channel(size);
    let (port, front) = (Arc::new(Port::new(slave)), Arc::<Front>::default());
    let views = Views::start(
        &daemon.options.workers,
        views::Screen {
            port: port.clone(),
            front: front.clone(),
            keys: hub.clone(),
            size: size_watch.clone(),
            colour: terminal.colour,
            behind: None,
        },
    );
    let presence = Presence { port: port.clone(), front: front.clone(), colour: terminal.colour };
    let shell_terminal = PtyTerminal {
        port,
        front,
        options: handle.options.clone(),
        views,
        keys: hub.clone(),
        served_on: Runtime::current(),
        size: size_watch,
        term: checked_term(&terminal.term),
        colour: terminal.colour,
        interactive: around.interactive,
        windows: around.windows,
        finished: around.finished,
        behind: None,
    };
    let mut session = Interactive {
        handle: handle.clone(),
        master,
        port: shell_terminal.port.clone(),
        // The isolation that runs here has ended when nobody else has its terminal.
        terminal: Arc::new(PtyTerminal { finished: None, ..shell_terminal.clone() }),
        read: 0,
        hygiene: Hygiene::default(),
        screen: Lagging::new(size),
        history: History::default(),
        clients: Clients::new(size),
        presence,
        size: size_sender,
        keys,
        recording,
        hub: hub.clone(),
        keyboard_ends_with_clients: is_pane,
    };
    let keys = session.attach(client, |clients, client, _| clients.add_first(client));
    let program = program(shell_terminal);
    let registry = daemon.registry.clone();
    let journal = (!is_pane).then(|| daemon.options.oversight.journal.clone());
    daemon.tasks.spawn(async move {
        let ending = session.serve(inbox, typist, program).await;
        // Nobody can type any more, and programs that still read the keyboard meet its end.
        drop(typing);
        hub.close();
        registry.remove(&handle);
        if let Some(journal) = journal {
            journal.write(Entry::now(handle.about(), What::End { status: ending.status }));
        }
        tracing::info!(session = handle.name, status = ending.status, "session has ended");
        session.clients.end(&ending.messages(), &session.screen);
    });
    Ok(keys)
}
