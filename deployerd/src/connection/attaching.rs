//! A client comes to a session, and leaves it.

use std::sync::Arc;

use deployer_core::options::{Layer, Settings};
use deployer_core::terminal::Size;
use deployer_protocol::{Claim, ErrorKind, FromDaemon, Join, Open, OpenTerminal};

use super::attachment::Attachment;
use super::{Connection, Requests, no_such_session};
use crate::journal::{About, What, text};
use crate::session::{self, Client, Event, Handle, Keys};
use crate::windows::{self, PaneWish, Purpose};

impl<R: Requests> Connection<R> {
    /// Whether the client may attach now; says why not.
    async fn may_attach(&mut self) -> bool {
        if !self.outbox.room().await {
            return false;
        }
        match &self.attachment {
            Some(attachment) if !attachment.session.has_ended() => {
                self.refuse(
                    ErrorKind::Session,
                    format!("attached to {} already: detach first", attachment.session.name),
                );
                false
            }
            _ => true,
        }
    }

    /// For the next session: a wrong one is refused together with it.
    pub(super) fn set_option(&mut self, name: &str, value: &str) {
        if let Ok(settings) = &mut self.wanted
            && let Err(error) = settings.set(name, value)
        {
            self.wanted = Err(error.to_string());
        }
    }

    pub(super) async fn open(&mut self, wish: Open) {
        let settings = std::mem::replace(&mut self.wanted, Ok(Settings::default()));
        if !self.may_attach().await {
            return;
        }
        let settings = match settings {
            Ok(settings) => settings,
            Err(sentence) => return self.refuse(ErrorKind::Session, sentence),
        };
        let (has_terminal, owner) = (wish.terminal.is_some(), self.person.clone());
        let added = self
            .daemon
            .registry
            .add(wish.name.as_deref(), |name| Handle::new(name, owner, has_terminal, Default::default()));
        let (handle, inbox) = match added {
            Ok(added) => added,
            Err(error) => return self.refuse(error.kind(), error.to_string()),
        };
        tracing::info!(client = self.id.0, user = self.person.name, session = handle.name, path = ?wish.path, action = ?wish.action, "session opens");
        handle.options.replace(Layer::Daemon, self.daemon.options.settings.clone());
        handle.options.replace(Layer::Client, settings);
        let client = self.client(false, wish.terminal.as_ref());
        self.note(
            About::person(&self.person).in_session(&handle.name),
            What::Open { path: text(&wish.path.join(".")) },
        );
        match session::open(&self.daemon, handle.clone(), inbox, wish, client) {
            Ok(keys) => self.attached(handle, keys),
            Err(sentence) => {
                self.daemon.registry.remove(&handle);
                self.refuse(ErrorKind::Unavailable, sentence);
            }
        }
    }

    pub(super) async fn join(&mut self, wish: Join) {
        if !self.may_attach().await {
            return;
        }
        let Some(session) = self.daemon.registry.find(&wish.name) else {
            return self.refuse(ErrorKind::Session, no_such_session(&wish.name));
        };
        if !session.has_terminal {
            let sentence = format!("session {} has no terminal: it cannot be joined", session.name);
            return self.refuse(ErrorKind::Session, sentence);
        }
        let client = self.client(wish.watch, Some(&wish.terminal));
        let (reply, keys) = tokio::sync::oneshot::channel();
        let told = session.tell(Event::Attach(client, reply)).await;
        match keys.await {
            Ok(keys) if told => self.attached(session, keys),
            _ => self.refuse(ErrorKind::Session, no_such_session(&wish.name)),
        }
    }

    fn attached(&mut self, session: Arc<Handle>, keys: Keys) {
        let (client, watch) = (self.id.0, keys.is_none());
        let rank = self.daemon.options.oversight.authority.policy().rank(&self.person);
        self.note(About::person(&self.person).in_session(&session.name), What::Attach { client, watch, rank });
        let counted = self.daemon.count_attached();
        self.attachment = Some(Attachment::new(session, keys, self.id, self.person.clone(), counted));
    }

    /// A window that was asked for has come.
    pub(super) async fn claim(&mut self, claim: Claim) {
        if !self.may_attach().await {
            return;
        }
        let Some((purpose, told)) = self.daemon.tickets.claim(&claim.name, &self.person.name) else {
            let sentence = "the ticket of this window is wrong, used or too old: ask for another window";
            return self.refuse(ErrorKind::Permission, sentence);
        };
        let outcome = match purpose {
            Purpose::Shell { path, settings } => {
                self.wanted = Ok(settings);
                let terminal = Some(claim.terminal);
                self.open(Open { name: None, path, action: None, terminal, interactive: true }).await;
                Ok(())
            }
            Purpose::Pane(wish) => self.attach_to_pane(wish, &claim.terminal),
        };
        if let Err(sentence) = &outcome {
            self.refuse(ErrorKind::Unavailable, sentence.clone());
        }
        // Whoever asked may have given up.
        let _nobody_waits = told.send(outcome);
    }

    /// The log of a session, in this very terminal (row Q-23).
    pub(super) async fn monitor(&mut self, wish: Claim) {
        if !self.may_attach().await {
            return;
        }
        let Some(session) = self.daemon.registry.find(&wish.name) else {
            return self.refuse(ErrorKind::Session, no_such_session(&wish.name));
        };
        if let Err(sentence) = self.attach_to_pane(PaneWish::Monitor(session), &wish.terminal) {
            self.refuse(ErrorKind::Unavailable, sentence);
        }
    }

    fn attach_to_pane(&mut self, wish: PaneWish, terminal: &OpenTerminal) -> Result<(), String> {
        let client = self.client(false, Some(terminal));
        let (handle, keys) = windows::pane::open(&self.daemon, wish, &self.person, client, terminal)?;
        self.attached(handle, keys);
        Ok(())
    }

    fn client(&self, watch: bool, terminal: Option<&OpenTerminal>) -> Client {
        let size = terminal.map_or(Size::DEFAULT, |terminal| Size::clamped(terminal.rows, terminal.cols));
        let (user, opens_windows) = (self.person.name.clone(), self.opens_windows);
        Client { id: self.id, user, watch, size, opens_windows, outbox: self.outbox.clone() }
    }

    pub(super) async fn detach(&mut self) {
        let Some(name) = self.leave().await else {
            return self.refuse(ErrorKind::Session, "attached to no session");
        };
        let sentence = format!("detached from session {name}: `deployer connect --session {name}` comes back");
        self.outbox.put(FromDaemon::Detached(sentence));
    }

    /// Leaves the session, which goes on; its name. `None` when there is none, or it has ended meanwhile.
    pub(super) async fn leave(&mut self) -> Option<String> {
        let mut attachment = self.attachment.take()?;
        attachment.flush();
        let about = About::person(&self.person).in_session(&attachment.session.name);
        self.note(about, What::Detach { client: self.id.0 });
        let (done, left) = tokio::sync::oneshot::channel();
        let told = attachment.session.tell(Event::Leave(self.id, done)).await;
        (told && left.await.is_ok()).then(|| attachment.session.name.clone())
    }
}
