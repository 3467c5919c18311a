//! A session without a terminal: one action for one client with pipes (cron, CI). Standard output and error stay
//! apart; nobody else can join.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use deployer_core::terminal::lines::LinesTerminal;
use deployer_core::terminal::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, Size, Terminal};
use deployer_protocol::{FromDaemon, Open};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::clients::Client;
use super::ending;
use super::handle::Inbox;
use super::input::{self, Keys};
use super::{Event, Handle, shell_session};
use crate::connection::{Outbox, pieces};
use crate::daemon::Daemon;
use crate::journal::{Entry, What};

/// Opens the session for its one client. When the client goes away, the action goes on and what it prints is dropped;
/// a private daemon ends with its last client anyway.
pub(super) fn open(daemon: &Arc<Daemon>, handle: Arc<Handle>, mut inbox: Inbox, wish: Open, client: Client) -> Keys {
    let hub = handle.keyboard.clone();
    let (keys, typed) = input::channel();
    let typing = AbortOnDropHandle::new(tokio::spawn(input::to_hub(typed, hub.clone())));
    let outbox = client.outbox.clone();
    let left = CancellationToken::new();
    let terminal = PlainTerminal {
        outbox: outbox.clone(),
        left: left.clone(),
        turn: Arc::new(Semaphore::new(1)),
        keys: hub.clone(),
        size: watch::Sender::new(Size::DEFAULT),
    };
    tracing::info!(session = handle.name, user = client.user, client = client.id.0, "attached without a terminal");
    handle.summary.set_clients(vec![client.user]);
    outbox.put(FromDaemon::Attached(handle.name.clone()));
    let terminal = Arc::new(terminal);
    let shell = shell_session(daemon, &handle, wish, terminal.clone());
    let (program, workers, registry) =
        (daemon.program.clone(), daemon.options.workers.clone(), daemon.registry.clone());
    let journal = daemon.options.oversight.journal.clone();
    daemon.tasks.spawn(async move {
        let run = ending::run(&workers, &program, shell, &handle);
        tokio::pin!(run);
        let ending = loop {
            tokio::select! {
                ending = &mut run => break ending,
                Some(event) = inbox.recv() => match event {
                    Event::Leave(_, done) => {
                        tracing::info!(session = handle.name, "its client is gone, it goes on");
                        handle.summary.set_clients(Vec::new());
                        hub.close();
                        left.cancel();
                        // Whoever asked may be gone itself.
                        let _nobody_waits = done.send(());
                    }
                    Event::Notice(lines) => {
                        let terminal = terminal.clone();
                        // A client that does not read must not keep the session from ending.
                        tokio::spawn(async move { terminal.print_talk(&lines).await });
                    }
                    // Dropping the question answers it: nobody opens windows here.
                    Event::Changed(_) | Event::WhoOpensWindows(_) | Event::Attach(..) | Event::Resize(..) => {}
                },
            }
        };
        drop(typing);
        hub.close();
        registry.remove(&handle);
        journal.write(Entry::now(handle.about(), What::End { status: ending.status }));
        tracing::info!(session = handle.name, status = ending.status, "session has ended");
        if !left.is_cancelled() {
            ending.messages().into_iter().for_each(|message| outbox.put(message));
        }
    });
    Some(keys)
}

/// Writes become messages; a write waits while the client does not read.
#[derive(Clone)]
struct PlainTerminal {
    outbox: Arc<Outbox>,
    /// The client has left; its connection may serve something else by now.
    left: CancellationToken,
    /// One waits for room at a time: a thousand isolations would all look at each message that goes.
    turn: Arc<Semaphore>,
    keys: KeyboardHub,
    size: watch::Sender<Size>,
}

impl PlainTerminal {
    async fn send(&self, bytes: &[u8], message: fn(bytes::Bytes) -> FromDaemon) {
        let _turn = self.turn.acquire().await;
        for piece in pieces(bytes) {
            // Without a client it is dropped: the action goes on, its log and journal have the outcome.
            let room = tokio::select! {
                room = self.outbox.room() => room,
                () = self.left.cancelled() => false,
            };
            if !room || self.left.is_cancelled() {
                // Whoever writes for ever must still let others run.
                return tokio::task::yield_now().await;
            }
            self.outbox.put(message(piece));
        }
    }
}

#[async_trait]
impl Terminal for PlainTerminal {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.send(bytes, FromDaemon::Stdout).await;
        Ok(())
    }

    async fn write_talk(&self, bytes: &[u8]) -> io::Result<()> {
        self.send(bytes, FromDaemon::Stderr).await;
        Ok(())
    }

    fn kind(&self) -> Kind {
        Kind::Plain
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.size.subscribe()
    }

    fn term(&self) -> String {
        String::new()
    }

    fn interactive(&self) -> bool {
        false
    }

    fn keyboard(&self) -> Keyboard {
        self.keys.lease()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        Ok(LinesTerminal::new(Arc::new(self.clone()), &request))
    }
}
