//! The task of a session with a terminal. It never waits for a client, a host or a keyboard.

mod opening;
mod output;

use std::sync::Arc;

use deployer_core::options::ControlKey;
use deployer_core::terminal::{KeyboardHub, Size, Terminal};
use deployer_protocol::FromDaemon;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::caught_up::CaughtUp;
use super::clients::{Client, Clients};
use super::ending::Ending;
use super::handle::Inbox;
use super::history::History;
use super::hygiene::Hygiene;
use super::input::{Keys, Typed};
use super::lagging::Lagging;
use super::presence::Presence;
use super::pty::Master;
use super::screen::Screen;
use super::terminal::{Port, PtyTerminal};
use super::{Event, Handle};
use crate::connection::ClientId;
use crate::recording::{News, Recording};
use crate::windows::Opener;

pub(super) use opening::open;
pub(crate) use opening::{Surroundings, open_pane};

/// Bytes read from the PTY at once; the kernel hands out at most 4 KiB.
const READ: usize = 16 * 1024;

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
        let mut recorded = self.recording.as_ref().map(Recording::news);
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
                news = next(&mut recorded) => self.presence.recorded(&news),
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
            Event::Resize(id, size, done) => {
                self.clients.resized(id, size);
                if !self.follow_size() {
                    self.clients.show_again(id, &self.screen);
                }
                // Whoever asked may be gone itself.
                let _nobody_waits = done.send(());
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
            Event::Changed(sentence) => self.presence.changed(&sentence),
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
}

/// What the clients of a session are told.
fn detach_key(handle: &Handle) -> FromDaemon {
    FromDaemon::DetachKey(handle.options.detach_key().map_or(u8::MAX, ControlKey::byte))
}

/// What is new about the recording, where there is one.
async fn next(recorded: &mut Option<watch::Receiver<News>>) -> News {
    if let Some(receiver) = recorded
        && receiver.changed().await.is_ok()
    {
        return receiver.borrow_and_update().clone();
    }
    std::future::pending().await
}

async fn until(frame: Option<Instant>) {
    match frame {
        Some(frame) => tokio::time::sleep_until(frame).await,
        None => std::future::pending().await,
    }
}
