//! One client's connection: hello, requests, and the two tasks that read and write it (rows ).

mod attachment;
mod outbox;
mod writer;

use std::sync::Arc;
use std::time::Duration;

use deployer_protocol::{
    ErrorKind, FrameCodec, FrameError, FromClient, FromDaemon, Hello, Join, Open, OpenTerminal, VERSION,
};
use futures_util::StreamExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::codec::FramedRead;

use attachment::Attachment;
pub(crate) use outbox::{Outbox, Put, pieces};

use crate::daemon::{CLIENTS_MAX, Daemon};
use crate::session::{self, Client, Event, Handle};
use deployer_core::terminal::Size;

/// Time for a client to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// Longest first frame, bytes: a hello is short, and a peer that was not understood yet gets little memory.
const HELLO_MAX: usize = 1024;

/// Bytes of the peer's software name that are logged.
const SOFTWARE_MAX: usize = 200;

/// A connection of a daemon, numbered from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ClientId(pub(crate) u64);

/// Reads frames of a client.
type Frames = FramedRead<OwnedReadHalf, FrameCodec<FromClient, FromDaemon>>;

/// A refusal that ends the connection: one sentence, sent as an error.
struct Refusal(ErrorKind, String);

impl Refusal {
    fn protocol(sentence: impl Into<String>) -> Refusal {
        Refusal(ErrorKind::Protocol, sentence.into())
    }
}

/// Serves a connection to its end. `user` has been checked already.
pub(crate) async fn serve(stream: UnixStream, daemon: Arc<Daemon>, id: ClientId, user: String) {
    let (read, write) = stream.into_split();
    let outbox = Arc::new(Outbox::default());
    let writing = tokio::spawn(writer::write(write, outbox.clone()));
    let frames = FramedRead::new(read, FrameCodec::default());
    let mut connection = Connection { daemon, id, user, outbox: outbox.clone(), frames, attachment: None };
    connection.outbox.put(FromDaemon::Hello(our_hello()));
    if let Err(Refusal(kind, sentence)) = connection.converse().await {
        tracing::info!(client = id.0, user = connection.user, ?kind, sentence, "refused");
        outbox.put(FromDaemon::Error((kind, sentence)));
    }
    connection.leave().await;
    outbox.end();
    writer::finish(writing, &outbox).await;
}

fn our_hello() -> Hello {
    Hello { version: VERSION, software: concat!("deployer ", env!("CARGO_PKG_VERSION")).to_string() }
}

struct Connection {
    daemon: Arc<Daemon>,
    id: ClientId,
    user: String,
    outbox: Arc<Outbox>,
    frames: Frames,
    attachment: Option<Attachment>,
}

impl Connection {
    async fn converse(&mut self) -> Result<(), Refusal> {
        let Some(_place) = self.greet().await? else { return Ok(()) };
        loop {
            // Input that the session has not taken yet is passed on while further frames are read, so that a
            // session which does not read the keyboard can still be left.
            let attachment = &mut self.attachment;
            let frame = tokio::select! {
                () = attachment::pass_on(attachment), if attachment::has_waiting(attachment) => continue,
                frame = self.frames.next(), if attachment::wants_more(attachment) => frame,
                () = self.daemon.closing.cancelled() => return Ok(()),
                () = self.outbox.gone() => return Ok(()),
            };
            match frame {
                Some(frame) => self.handle(frame.map_err(garbage)?).await?,
                None => return Ok(()),
            }
        }
    }

    /// The hello; `None` when the peer left without one.
    async fn greet(&mut self) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        self.frames.decoder_mut().set_max_frame(HELLO_MAX);
        let first = tokio::select! {
            first = tokio::time::timeout(HELLO, self.frames.next()) => first,
            () = self.daemon.closing.cancelled() => return Ok(None),
        };
        let first = first.map_err(|_| Refusal::protocol(format!("no hello within {} s", HELLO.as_secs())))?;
        let hello = match first {
            None => return Ok(None),
            Some(Ok(FromClient::Hello(hello))) => hello,
            Some(Ok(_)) => return Err(Refusal::protocol("the first message must be a hello")),
            Some(Err(error)) => return Err(garbage(error)),
        };
        if !VERSION.understands(hello.version) {
            return Err(Refusal::protocol(other_version(&hello)));
        }
        let place = self.daemon.clients.clone().try_acquire_owned().map_err(|_| {
            Refusal(
                ErrorKind::Unavailable,
                format!("{CLIENTS_MAX} clients are connected to this daemon: end some first"),
            )
        })?;
        self.frames.decoder_mut().set_max_frame(deployer_protocol::MAX_FRAME);
        let software: String = hello.software.chars().take(SOFTWARE_MAX).collect();
        tracing::info!(client = self.id.0, user = self.user, software, version = %hello.version, "connected");
        Ok(Some(place))
    }

    async fn handle(&mut self, message: FromClient) -> Result<(), Refusal> {
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
            FromClient::Interrupt(()) => self.interrupt(),
            FromClient::Unknown(number) => {
                tracing::debug!(client = self.id.0, number, "a message of a newer protocol was ignored");
            }
        }
        Ok(())
    }

    fn refuse(&self, kind: ErrorKind, sentence: impl Into<String>) {
        let sentence = sentence.into();
        tracing::info!(client = self.id.0, user = self.user, ?kind, sentence, "refused");
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

    async fn open(&mut self, wish: Open) {
        if !self.may_attach().await {
            return;
        }
        let (has_terminal, user) = (wish.terminal.is_some(), self.user.clone());
        let added = self
            .daemon
            .registry
            .add(wish.name.as_deref(), |name| Handle::new(name, user, has_terminal, Default::default()));
        let (handle, inbox) = match added {
            Ok(added) => added,
            Err(error) => return self.refuse(error.kind(), error.to_string()),
        };
        tracing::info!(client = self.id.0, user = self.user, session = handle.name, path = ?wish.path, action = ?wish.action, "session opens");
        let client = self.client(false, wish.terminal.as_ref());
        match session::open(&self.daemon, handle.clone(), inbox, wish, client) {
            Ok(keys) => self.attachment = Some(Attachment::new(handle, keys, self.daemon.count_attached())),
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
            Ok(keys) if told => self.attachment = Some(Attachment::new(session, keys, self.daemon.count_attached())),
            _ => self.refuse(ErrorKind::Session, no_such_session(&wish.name)),
        }
    }

    fn client(&self, watch: bool, terminal: Option<&OpenTerminal>) -> Client {
        let size = terminal.map_or(Size::DEFAULT, |terminal| Size::clamped(terminal.rows, terminal.cols));
        Client { id: self.id, user: self.user.clone(), watch, size, outbox: self.outbox.clone() }
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
        tracing::info!(client = self.id.0, user = self.user, session = name, "session is to end");
        session.end(ErrorKind::Session, format!("session {name} was ended by {}", self.user));
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

fn garbage(error: FrameError) -> Refusal {
    Refusal::protocol(format!("{error}: is this a deployer client?"))
}

fn other_version(hello: &Hello) -> String {
    let newer =
        if hello.version > VERSION { "restart the daemon with the newer deployer" } else { "upgrade the client" };
    format!(
        "this daemon (deployer {}) speaks protocol {VERSION}, the client speaks {}: {newer}",
        env!("CARGO_PKG_VERSION"),
        hello.version
    )
}

fn no_such_session(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("no session '{}': `deployer list-sessions` shows those there are", shown.escape_debug())
}
