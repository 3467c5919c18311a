//! The task of a session with a terminal. It never waits for a client, a host or a keyboard.

use std::sync::Arc;
use std::time::Duration;

use deployer_core::options::ControlKey;
use deployer_core::terminal::{KeyboardHub, Size, Terminal};
use deployer_protocol::{FromDaemon, Open, OpenTerminal};
use tokio::runtime::Handle as Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::caught_up::CaughtUp;
use super::clients::{Client, Clients};
use super::ending::{self, Ending};
use super::handle::Inbox;
use super::history::History;
use super::hygiene::{Hygiene, Piece};
use super::input::{self, Keys, Typed};
use super::lagging::Lagging;
use super::presence::Presence;
use super::pty::{self, Master};
use super::screen::Screen;
use super::terminal::{Port, PtyTerminal};
use super::views::{self, Front, Views};
use super::{Event, Handle, checked_term, shell_session};
use crate::connection::ClientId;
use crate::daemon::Daemon;
use crate::journal::{Entry, What};
use crate::recording::Recording;
use crate::windows::{self, Finished, Opener, SessionWindows};

/// Bytes read from the PTY at once; the kernel hands out at most 4 KiB.
const READ: usize = 16 * 1024;

/// Longest wait for the last output of a shell that has ended: the kernel passes it on within microseconds.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

/// Everything a session with a terminal owns.
struct Interactive {
    handle: Arc<Handle>,
    master: Arc<Master>,
    port: Arc<Port>,
    /// The one of the shell, for notices.
    terminal: Arc<PtyTerminal>,
    /// Bytes read from the master.
    read: u64,
    hygiene: Hygiene,
    screen: Lagging,
    history: History,
    clients: Clients,
    presence: Presence,
    size: watch::Sender<Size>,
    keys: mpsc::Sender<Typed>,
    recording: Option<Recording>,
    hub: KeyboardHub,
    /// A pane of which the window is gone: nobody will answer there any more.
    keyboard_ends_with_clients: bool,
}

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
pub(super) fn open(
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
        let keys = terminal.keys.clone();
        let mut shell = shell_session(daemon, &handle, wish, Arc::new(terminal), keys);
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
    let hub = KeyboardHub::new();
    let (keys, typed) = input::channel();
    let (last, typist) = watch::channel(None);
    let typing = AbortOnDropHandle::new(tokio::spawn(input::to_keyboard(typed, hub.clone(), handle.clone(), last)));
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

impl Interactive {
    /// Serves until the program has ended and its last output was passed on.
    async fn serve(
        &mut self,
        mut inbox: Inbox,
        mut typist: watch::Receiver<Option<ClientId>>,
        program: impl Future<Output = Ending>,
    ) -> Ending {
        tokio::pin!(program);
        let caught_up: Arc<CaughtUp> = self.clients.caught_up();
        let master = self.master.clone();
        let mut buffer = vec![0; READ];
        let mut options = self.handle.options.subscribe();
        loop {
            let frame = self.clients.next_frame();
            tokio::select! {
                ending = &mut program => {
                    self.pass_on_the_rest(&mut buffer).await;
                    return ending;
                }
                Some(event) = inbox.recv() => self.handle_event(event),
                read = master.read(&mut buffer) => match read {
                    Ok(count @ 1..) => {
                        self.show(&buffer[..count]);
                        // A flood must not keep the other tasks of this thread from running.
                        tokio::task::yield_now().await;
                    }
                    // The slave is held open by the program's terminal: it has ended or is about to.
                    Ok(_) | Err(_) => return program.await,
                },
                id = caught_up.next() => self.clients.has_caught_up(id, &self.screen),
                Ok(()) = typist.changed() => {
                    let by = *typist.borrow_and_update();
                    if let Some(id) = by {
                        self.clients.typed(id);
                        self.follow_size();
                    }
                }
                true = options.next() => self.clients.tell(&detach_key(&self.handle)),
                () = until(frame), if frame.is_some() => self.clients.paint_due(&self.screen),
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::Attach(client, reply) => {
                let id = client.id;
                let keys = self.attach(client, |clients, client, (screen, above)| clients.add(client, screen, above));
                if reply.send(keys).is_err() {
                    self.leave(id);
                }
            }
            Event::Resize(id, size) => {
                self.clients.resized(id, size);
                if !self.follow_size() {
                    self.clients.show_again(id, &self.screen);
                }
            }
            Event::Notice(lines) => {
                let terminal = self.terminal.clone();
                // Who reads the terminal is this task: it must not wait for itself.
                tokio::spawn(async move {
                    if let Err(error) = terminal.print(&format!("\n{lines}")).await {
                        tracing::debug!(%error, "a notice has nobody to see it");
                    }
                });
            }
            Event::WhoOpensWindows(reply) => {
                let opener = self
                    .clients
                    .opener()
                    .map(|client| Opener { user: client.user.clone(), outbox: client.outbox.clone() });
                // Whoever asked may have given up.
                let _nobody_waits = reply.send(opener);
            }
            Event::Leave(id, done) => {
                self.leave(id);
                // Whoever asked may be gone itself.
                let _nobody_waits = done.send(());
            }
        }
    }

    fn attach(&mut self, client: Client, add: impl FnOnce(&mut Clients, Client, (&dyn Screen, &[u8]))) -> Keys {
        tracing::info!(
            session = self.handle.name,
            user = client.user,
            client = client.id.0,
            watch = client.watch,
            "attached"
        );
        let keys = (!client.watch).then(|| self.keys.clone());
        client.outbox.put(FromDaemon::Attached(self.handle.name.clone()));
        client.outbox.put(detach_key(&self.handle));
        let (user, watch) = (client.user.clone(), client.watch);
        let fits = client.size == *self.size.borrow();
        let above = if fits { self.history.scrolled_off(client.size) } else { Vec::new() };
        add(&mut self.clients, client, (&self.screen, &above));
        self.handle.set_opens_windows(self.clients.opener().is_some());
        self.follow_size();
        self.presence.joined(&user, watch, &self.clients.names());
        self.handle.summary.set_clients(self.clients.names());
        keys
    }

    fn leave(&mut self, id: ClientId) {
        let removed = self.clients.remove(id);
        self.handle.set_opens_windows(self.clients.opener().is_some());
        if self.keyboard_ends_with_clients && self.clients.is_empty() {
            self.hub.close();
        }
        if let Some(client) = removed {
            tracing::info!(session = self.handle.name, user = client.user, client = id.0, "detached");
            self.presence.left(&client.user, &self.clients.names());
        }
        self.follow_size();
        self.handle.summary.set_clients(self.clients.names());
    }

    /// Gives the session the size of the client that counts; whether it changed.
    fn follow_size(&mut self) -> bool {
        let size = self.clients.wanted_size();
        if size == *self.size.borrow() {
            return false;
        }
        if let Err(error) = self.master.resize(size) {
            tracing::warn!(session = self.handle.name, %error, "the terminal keeps its size");
            return false;
        }
        self.screen.resize(size);
        if let Some(recording) = &mut self.recording {
            recording.resize(size);
        }
        self.clients.set_size(size, &self.screen);
        // No signal reaches code within the daemon: this is how the shell and running commands hear of it.
        self.size.send_replace(size);
        true
    }

    fn show(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        for piece in self.hygiene.feed(bytes) {
            match piece {
                Piece::Show(bytes) if bytes.is_empty() => {}
                Piece::Show(bytes) => self.pass_on(&bytes),
                Piece::Asked(query) => {
                    let answer = query.answer(self.screen.cursor(), *self.size.borrow());
                    if self.keys.try_send(Typed::Answer(answer.into())).is_err() {
                        tracing::debug!(session = self.handle.name, "a program asks more than it listens");
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        let before = self.screen.alternate();
        self.screen.feed(bytes);
        let left_alternate = before && !self.screen.alternate();
        if let Some(recording) = &mut self.recording {
            recording.output(bytes, &self.screen);
        }
        if !before || left_alternate {
            self.history.push(bytes);
        }
        self.clients.output(bytes, left_alternate, &self.screen);
    }

    /// What was written before the end must be shown before the end is.
    async fn pass_on_the_rest(&mut self, buffer: &mut [u8]) {
        let written = self.port.written();
        let deadline = Instant::now() + LAST_OUTPUT;
        while self.read < written {
            match tokio::time::timeout_at(deadline, self.master.read(buffer)).await {
                Ok(Ok(count @ 1..)) => self.show(&buffer[..count]),
                _ => {
                    let missing = written - self.read;
                    tracing::warn!(session = self.handle.name, missing, "the last output did not arrive");
                    return;
                }
            }
        }
    }
}

/// What the clients of a session are told.
fn detach_key(handle: &Handle) -> FromDaemon {
    FromDaemon::DetachKey(handle.options.detach_key().map_or(u8::MAX, ControlKey::byte))
}

async fn until(frame: Option<Instant>) {
    match frame {
        Some(frame) => tokio::time::sleep_until(frame).await,
        None => std::future::pending().await,
    }
}
