//! One client: what it asks for, and what that does (rows ).
//!
//! A transport (`framed`: the unix socket; `crate::telnet`) brings [`Requests`] and sends what is put into the client's
//! [`Outbox`]. It knows nothing of sessions, and nothing here knows which transport a client came by.

mod attachment;
pub(crate) mod framed;
mod names;
mod outbox;
mod permission;
mod writer;

use std::sync::Arc;

use deployer_protocol::{Claim, ErrorKind, FromClient, FromDaemon, Join, Open, OpenTerminal};

use attachment::Attachment;
pub(crate) use outbox::{Outbox, Put, pieces};

use crate::authority::Person;
use crate::daemon::Daemon;
use crate::journal::{About, Entry, What, text};
use crate::session::{self, Client, Event, Handle, Keys};
use crate::windows::{self, PaneWish, Purpose};
use deployer_core::options::{Layer, Settings};
use deployer_core::terminal::Size;

/// Longest reason of a client that is passed on, characters.
const REASON_MAX: usize = 200;

/// A connection of a daemon, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(pub(crate) u64);

/// What a client asks for, one after the other; the way into the daemon of every transport.
pub(crate) trait Requests: Send {
    /// The next request; `None` when the client is gone, a refusal when what it says cannot be understood any more.
    /// Cancel safe.
    fn next(&mut self) -> impl Future<Output = Option<Result<FromClient, Refusal>>> + Send;
}

/// A refusal that ends the connection: one sentence, sent as an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal(pub(crate) ErrorKind, pub(crate) String);

impl Refusal {
    /// Of a peer that cannot be understood.
    pub(crate) fn protocol(sentence: impl Into<String>) -> Refusal {
        Refusal(ErrorKind::Protocol, sentence.into())
    }
}

/// A client that has been let in.
pub(crate) struct Connection<R> {
    daemon: Arc<Daemon>,
    id: ClientId,
    person: Arc<Person>,
    outbox: Arc<Outbox>,
    requests: R,
    attachment: Option<Attachment>,
    /// Options for the next session that this client opens, or what was wrong with them.
    wanted: Result<Settings, String>,
    /// Whether this client can open windows for its operator.
    opens_windows: bool,
}

impl<R: Requests> Connection<R> {
    /// Nothing is asked yet. `person` is known to the policy.
    pub(crate) fn new(
        daemon: Arc<Daemon>,
        id: ClientId,
        person: Arc<Person>,
        outbox: Arc<Outbox>,
        requests: R,
    ) -> Connection<R> {
        Connection {
            daemon,
            id,
            person,
            outbox,
            requests,
            attachment: None,
            wanted: Ok(Settings::default()),
            opens_windows: false,
        }
    }

    /// Does what the client asks until it is gone or the daemon ends; then leaves its session, which goes on, and ends
    /// the outbox.
    pub(crate) async fn serve(mut self) {
        if let Err(refusal) = self.converse().await {
            self.refuse(refusal.0, refusal.1);
        }
        self.leave().await;
        self.outbox.end();
    }

    async fn converse(&mut self) -> Result<(), Refusal> {
        let mut policy = self.daemon.options.oversight.authority.changes();
        loop {
            // Input that the session has not taken yet is passed on while further requests are read, so that a
            // session which does not read the keyboard can still be left.
            let attachment = &mut self.attachment;
            let request = tokio::select! {
                () = attachment::pass_on(attachment), if attachment::has_waiting(attachment) => continue,
                request = self.requests.next(), if attachment::wants_more(attachment) => request,
                Ok(()) = policy.changed() => {
                    self.still_known()?;
                    continue;
                }
                () = self.daemon.closing.cancelled() => return Ok(()),
                () = self.outbox.gone() => return Ok(()),
            };
            match request {
                Some(request) => self.handle(request?).await?,
                None => return Ok(()),
            }
        }
    }

    async fn handle(&mut self, message: FromClient) -> Result<(), Refusal> {
        if !self.permitted(&message) {
            return Ok(());
        }
        match message {
            FromClient::Hello(_) => return Err(Refusal::protocol("a second hello")),
            FromClient::Open(wish) => self.open(wish).await,
            FromClient::Join(wish) => self.join(wish).await,
            FromClient::Input(bytes) => {
                if let Some(attachment) = &mut self.attachment {
                    attachment.input(self.id, bytes);
                }
            }
            FromClient::EndOfInput(()) => {
                if let Some(attachment) = &mut self.attachment {
                    attachment.end_of_input();
                }
            }
            FromClient::Resize((rows, cols)) => {
                if let Some(attachment) = &self.attachment {
                    attachment.session.tell(Event::Resize(self.id, Size::clamped(rows, cols))).await;
                }
            }
            FromClient::Detach(()) => self.detach().await,
            FromClient::List(()) => {
                if self.outbox.room().await {
                    self.outbox.put(FromDaemon::Info(self.daemon.info()));
                }
            }
            FromClient::Kill(name) => self.kill(&name).await,
            FromClient::Names(path) => {
                if self.outbox.room().await {
                    let answer = names::below(&self.daemon, path).await;
                    self.outbox.put(answer);
                }
            }
            FromClient::People(()) => {
                if self.outbox.room().await {
                    self.outbox.put(FromDaemon::People(self.daemon.people()));
                }
            }
            FromClient::Share(wish) => self.share(wish).await,
            FromClient::HandOver((session, user)) => self.hand_over(&session, user).await,
            FromClient::Interrupt(()) => self.interrupt(),
            FromClient::SetOption((name, value)) => self.set_option(&name, &value),
            FromClient::OpensWindows(can) => self.opens_windows = can,
            FromClient::Claim(claim) => self.claim(claim).await,
            FromClient::WindowRefused((ticket, reason)) => {
                let reason: String = reason.chars().take(REASON_MAX).collect();
                self.daemon.tickets.refuse(&ticket, &self.person.name, reason.escape_debug().to_string());
            }
            FromClient::Monitor(wish) => self.monitor(wish).await,
            FromClient::Unknown(number) => {
                tracing::debug!(client = self.id.0, number, "a message of a newer protocol was ignored");
            }
        }
        Ok(())
    }

    fn refuse(&self, kind: ErrorKind, sentence: impl Into<String>) {
        let sentence = sentence.into();
        tracing::info!(client = self.id.0, user = self.person.name, ?kind, sentence, "refused");
        self.outbox.put(FromDaemon::Error((kind, sentence)));
    }

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
    fn set_option(&mut self, name: &str, value: &str) {
        if let Ok(settings) = &mut self.wanted
            && let Err(error) = settings.set(name, value)
        {
            self.wanted = Err(error.to_string());
        }
    }

    async fn open(&mut self, wish: Open) {
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

    async fn join(&mut self, wish: Join) {
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

    /// Writes it into the journal.
    fn note(&self, about: About, what: What) {
        self.daemon.options.oversight.journal.write(Entry::now(about, what));
    }

    /// A window that was asked for has come.
    async fn claim(&mut self, claim: Claim) {
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
    async fn monitor(&mut self, wish: Claim) {
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

    async fn detach(&mut self) {
        let Some(name) = self.leave().await else {
            return self.refuse(ErrorKind::Session, "attached to no session");
        };
        let sentence = format!("detached from session {name}: `deployer connect --session {name}` comes back");
        self.outbox.put(FromDaemon::Detached(sentence));
    }

    /// Leaves the session, which goes on; its name. `None` when there is none, or it has ended meanwhile.
    async fn leave(&mut self) -> Option<String> {
        let mut attachment = self.attachment.take()?;
        attachment.flush();
        let about = About::person(&self.person).in_session(&attachment.session.name);
        self.note(about, What::Detach { client: self.id.0 });
        let (done, left) = tokio::sync::oneshot::channel();
        let told = attachment.session.tell(Event::Leave(self.id, done)).await;
        (told && left.await.is_ok()).then(|| attachment.session.name.clone())
    }

    async fn kill(&mut self, name: &str) {
        if self.attachment.as_ref().is_some_and(Attachment::watches) {
            return self.refuse(ErrorKind::Permission, "you are watching: detach first");
        }
        let Some(session) = self.daemon.registry.find(name) else {
            return self.refuse(ErrorKind::Session, no_such_session(name));
        };
        tracing::info!(client = self.id.0, user = self.person.name, session = name, "session is to end");
        self.note(About::person(&self.person).in_session(name), What::Kill);
        session.end(ErrorKind::Session, format!("session {name} was ended by {}", self.person.name));
        session.ended().await;
        self.outbox.put(FromDaemon::Killed(name.to_string()));
    }

    /// Ctrl-C of a client without a terminal; with one it is a key.
    fn interrupt(&self) {
        if let Some(attachment) = &self.attachment
            && !attachment.session.has_terminal
        {
            attachment.session.cancel.cancel();
        }
    }
}

fn no_such_session(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("no session '{}': `deployer list-sessions` shows those there are", shown.escape_debug())
}
