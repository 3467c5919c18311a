//! One client: what it asks for, and what that does (rows ).
//!
//! A transport (`framed`: the unix socket; `crate::telnet`) brings [`Requests`] and sends what is put into the client's
//! [`Outbox`]. It knows nothing of sessions, and nothing here knows which transport a client came by.

mod attaching;
mod attachment;
pub(crate) mod framed;
mod names;
mod outbox;
mod permission;
mod writer;

use std::sync::Arc;

use deployer_protocol::{ErrorKind, FromClient, FromDaemon};

use attachment::Attachment;
pub(crate) use outbox::{Outbox, Put, pieces};

use crate::authority::Person;
use crate::daemon::Daemon;
use crate::journal::{About, Entry, What};
use crate::session::Event;
use deployer_core::options::Settings;
use deployer_core::terminal::Size;
use tokio::sync::oneshot;

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
                    let (done, is_done) = oneshot::channel();
                    attachment.session.tell(Event::Resize(self.id, Size::clamped(rows, cols), done)).await;
                    // A session that has ended needs no size.
                    let _either_way = is_done.await;
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

    /// Writes it into the journal.
    fn note(&self, about: About, what: What) {
        self.daemon.options.oversight.journal.write(Entry::now(about, what));
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
