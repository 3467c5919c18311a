//! The unix socket as a transport: frames, the first of which says who the client is.

use std::sync::Arc;
use std::time::Duration;

use deployer_protocol::{ErrorKind, FrameCodec, FrameError, FromClient, FromDaemon, Hello, VERSION};
use futures_util::StreamExt;
use tokio::net::UnixStream;
use tokio::net::unix::OwnedReadHalf;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::codec::FramedRead;

use super::permission::no_rank;
use super::{ClientId, Connection, Outbox, Refusal, Requests, writer};
use crate::authority::Person;
use crate::daemon::Daemon;
use crate::journal::{About, Entry, What, text};
use crate::oversight::Oversight;

/// Time for a client to say who it is.
const HELLO: Duration = Duration::from_secs(5);

/// Longest first frame, bytes: a hello is short, and a peer that was not understood yet gets little memory.
const HELLO_MAX: usize = 1024;

/// Bytes of the peer's software name that are logged.
const SOFTWARE_MAX: usize = 200;

/// Reads frames of a client.
type Frames = FramedRead<OwnedReadHalf, FrameCodec<FromClient, FromDaemon>>;

impl Requests for Frames {
    async fn next(&mut self) -> Option<Result<FromClient, Refusal>> {
        let frame = StreamExt::next(self).await?;
        Some(frame.map_err(|error| garbage(&error)))
    }
}

/// Serves a connection to its end. Who has no rank is told so after its hello.
pub(crate) async fn serve(stream: UnixStream, daemon: Arc<Daemon>, id: ClientId, person: Arc<Person>) {
    let (read, write) = stream.into_split();
    let outbox = Arc::new(Outbox::default());
    let writing = tokio::spawn(writer::write(write, outbox.clone()));
    let mut frames = FramedRead::new(read, FrameCodec::default());
    outbox.put(FromDaemon::Hello(our_hello()));
    match greet(&mut frames, &daemon, id, &person).await {
        Ok(Some(_place)) => Connection::new(daemon, id, person, outbox.clone(), frames).serve().await,
        Ok(None) => outbox.end(),
        Err(Refusal(kind, sentence)) => {
            tracing::info!(client = id.0, user = person.name, ?kind, sentence, "refused");
            outbox.put(FromDaemon::Error((kind, sentence)));
            outbox.end();
        }
    }
    writer::finish(writing, &outbox).await;
}

fn our_hello() -> Hello {
    Hello { version: VERSION, software: concat!("deployer ", env!("CARGO_PKG_VERSION")).to_string() }
}

/// The hello; `None` when the peer left without one.
async fn greet(
    frames: &mut Frames,
    daemon: &Daemon,
    id: ClientId,
    person: &Person,
) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
    frames.decoder_mut().set_max_frame(HELLO_MAX);
    let first = tokio::select! {
        first = tokio::time::timeout(HELLO, StreamExt::next(frames)) => first,
        () = daemon.closing.cancelled() => return Ok(None),
    };
    let first = first.map_err(|_| Refusal::protocol(format!("no hello within {} s", HELLO.as_secs())))?;
    let hello = match first {
        None => return Ok(None),
        Some(Ok(FromClient::Hello(hello))) => hello,
        Some(Ok(_)) => return Err(Refusal::protocol("the first message must be a hello")),
        Some(Err(error)) => return Err(garbage(&error)),
    };
    if !VERSION.understands(hello.version) {
        return Err(Refusal::protocol(other_version(&hello)));
    }
    let Oversight { authority, journal, .. } = &daemon.options.oversight;
    if authority.policy().rank(person).is_none() {
        let why = no_rank(person);
        let what = What::Refusal { verb: "connect".to_string(), node: None, reason: text(&why) };
        journal.write(Entry::now(About::person(person), what));
        return Err(Refusal(ErrorKind::Permission, why));
    }
    let place = daemon.place_for_a_client()?;
    frames.decoder_mut().set_max_frame(deployer_protocol::MAX_FRAME);
    let software: String = hello.software.chars().take(SOFTWARE_MAX).collect();
    tracing::debug!(client = id.0, user = person.name, software, version = %hello.version, "connected");
    Ok(Some(place))
}

fn garbage(error: &FrameError) -> Refusal {
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
