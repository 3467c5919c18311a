//! A connection to a daemon: dialling, the hello, frames.

use std::os::unix::net::UnixStream as StdStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use deployer_core::options::Settings;
use deployer_protocol::{
    ErrorKind, FrameCodec, FrameError, FromClient, FromDaemon, Hello, SessionPeople, VERSION, Version,
};
use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::codec::{FramedRead, FramedWrite};

use crate::failure::{Failure, printable};

/// How long a daemon may take to say hello.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// How long a daemon may take to open a session: it loads the deployment file for it.
const ATTACH_LIMIT: Duration = Duration::from_secs(30);

/// Messages that may wait for a daemon that is slow to read.
const WAITING_MESSAGES: usize = 16;

/// The first version that knows options, windows and people.
const KNOWS_OPTIONS: Version = Version { major: 1, minor: 1 };

/// Longest text of a daemon that is shown.
const TEXT_MAX: usize = 2000;

type Codec = FrameCodec<FromDaemon, FromClient>;

/// A daemon that answered.
#[derive(Debug)]
pub(crate) struct Connection {
    path: PathBuf,
    /// What the daemon speaks.
    peer: Version,
    frames: FramedRead<OwnedReadHalf, Codec>,
    sink: FramedWrite<OwnedWriteHalf, Codec>,
}

/// The two directions of a connection: what comes, and the queue of what goes.
#[derive(Debug)]
pub(crate) struct Link {
    /// Socket of the daemon, for messages.
    pub(crate) path: PathBuf,
    /// What the daemon says.
    pub(crate) frames: FramedRead<OwnedReadHalf, Codec>,
    /// What the daemon is told; closed when it no longer listens.
    pub(crate) to_daemon: mpsc::Sender<FromClient>,
}

/// Why no daemon answers at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unreachable {
    /// No such socket.
    Missing,
    /// A socket that nobody listens on any more.
    Stale,
    /// Not ours to use.
    Forbidden,
    /// It does not answer within this many seconds.
    Silent(u64),
    /// It answers in a way that cannot be used; a sentence.
    Unusable(String),
}

impl Unreachable {
    /// As an error about the daemon at `path`.
    pub(crate) fn at(&self, path: &Path) -> Failure {
        let shown = path.display();
        match self {
            Unreachable::Missing => Failure::daemon(format!(
                "no daemon listens at {shown}; start one with `deployer listen --socket {shown}`"
            )),
            Unreachable::Stale => Failure::daemon(format!(
                "the daemon at {shown} is gone and left its socket behind; start it again with `deployer listen --socket {shown}`"
            )),
            Unreachable::Forbidden => Failure::forbidden(format!(
                "not permitted to use the daemon at {shown}; ask its owner, or join the group of the socket"
            )),
            Unreachable::Silent(seconds) => Failure::daemon(format!(
                "the daemon at {shown} does not answer ({seconds} s); see its log, or restart it"
            )),
            Unreachable::Unusable(why) => Failure::daemon(format!("cannot use the daemon at {shown}: {why}")),
        }
    }
}

impl Connection {
    /// Dials the daemon at `path` and exchanges hellos, within `limit`.
    pub(crate) async fn open(path: &Path, limit: Duration) -> Result<Connection, Unreachable> {
        let silent = Unreachable::Silent(limit.as_secs());
        timeout(limit, Self::hello(path)).await.unwrap_or(Err(silent))
    }

    async fn hello(path: &Path) -> Result<Connection, Unreachable> {
        let stream = dial(path).await?;
        let (read, write) = stream.into_split();
        let mut connection = Connection {
            path: path.to_path_buf(),
            peer: VERSION,
            frames: FramedRead::new(read, Codec::default()),
            sink: FramedWrite::new(write, Codec::default()),
        };
        let hello = Hello { version: VERSION, software: software() };
        // A daemon that refuses us may have said why and hung up: its answer matters more than this error.
        let sent = connection.sink.send(FromClient::Hello(hello)).await;
        match connection.frames.next().await {
            Some(Ok(FromDaemon::Hello(hello))) => {
                connection.peer = hello.version;
                check(&hello).map(|()| connection)
            }
            Some(Ok(FromDaemon::Error((ErrorKind::Permission, _)))) => Err(Unreachable::Forbidden),
            Some(Ok(FromDaemon::Error((_, why)))) => Err(Unreachable::Unusable(printable(&why, TEXT_MAX))),
            Some(Ok(other)) => {
                Err(Unreachable::Unusable(format!("it began with message {} instead of a hello", other.number())))
            }
            Some(Err(error)) => Err(Unreachable::Unusable(format!("it does not speak deployer's protocol ({error})"))),
            None => Err(match sent {
                Ok(()) => Unreachable::Unusable("it hung up without a word; see its log".to_string()),
                Err(error) => Unreachable::Unusable(format!("it hung up ({error}); see its log")),
            }),
        }
    }

    /// Asks something and takes the answer; a refusal is an error.
    ///
    /// # Errors
    /// When the daemon refuses or goes away.
    pub(crate) async fn ask(&mut self, message: FromClient) -> Result<FromDaemon, Failure> {
        let sent = self.sink.send(message).await;
        loop {
            return match self.frames.next().await {
                Some(Ok(FromDaemon::Unknown(_))) => continue,
                Some(Ok(FromDaemon::Error((kind, why)))) => Err(refusal(kind, &why)),
                Some(Ok(answer)) => Ok(answer),
                Some(Err(error)) => Err(broken(&self.path, &error)),
                None => Err(sent.err().map_or_else(|| gone(&self.path), |error| broken(&self.path, &error))),
            };
        }
    }

    /// Gives the session that is opened next these options. A wrong one is refused with the session.
    ///
    /// # Errors
    /// When the daemon is too old to know options; when it is gone it says so with what is asked next.
    pub(crate) async fn set_options(&mut self, settings: &Settings) -> Result<(), Failure> {
        for (name, value) in settings.iter() {
            if self.peer < KNOWS_OPTIONS {
                return Err(Failure::daemon(format!(
                    "the daemon at {} is too old for --option {name}; restart it with {}",
                    self.path.display(),
                    software()
                )));
            }
            let _told_by_the_answer = self.sink.send(FromClient::SetOption((name.to_string(), value))).await;
        }
        Ok(())
    }

    /// Who has to do with which session; nothing from a daemon that is too old to say.
    pub(crate) async fn people(&mut self) -> Result<Vec<SessionPeople>, Failure> {
        if self.peer < KNOWS_OPTIONS {
            return Ok(Vec::new());
        }
        match self.ask(FromClient::People(())).await? {
            FromDaemon::People(people) => Ok(people),
            other => Err(unexpected(&self.path, &other)),
        }
    }

    /// Whether sessions can be given to others.
    ///
    /// # Errors
    /// When the daemon is too old.
    pub(crate) fn knows_people(&self) -> Result<(), Failure> {
        match self.peer < KNOWS_OPTIONS {
            false => Ok(()),
            true => Err(Failure::daemon(format!(
                "the daemon at {} is too old to share sessions; restart it with {}",
                self.path.display(),
                software()
            ))),
        }
    }

    /// Says whether windows can be opened here. Older daemons never ask for one.
    pub(crate) async fn announce_windows(&mut self, can: bool) {
        if self.peer >= KNOWS_OPTIONS {
            // A daemon that is gone says so with what is asked next.
            let _told_by_the_answer = self.sink.send(FromClient::OpensWindows(can)).await;
        }
    }

    /// Refuses what a daemon does not know that was started by an older version.
    ///
    /// # Errors
    /// When it does not know windows.
    pub(crate) fn needs_windows(&self) -> Result<(), Failure> {
        if self.peer >= KNOWS_OPTIONS {
            return Ok(());
        }
        let path = self.path.display();
        Err(Failure::daemon(format!("the daemon at {path} is too old for this; restart it with {}", software())))
    }

    /// Opens or joins a session; its name.
    ///
    /// # Errors
    /// When the daemon refuses, goes away or takes more than 30 s.
    pub(crate) async fn attach(&mut self, wish: FromClient) -> Result<String, Failure> {
        let limit = ATTACH_LIMIT.as_secs();
        let late = || {
            let path = self.path.display().to_string();
            Failure::daemon(format!(
                "the daemon at {path} did not open a session within {limit} s; see its log, or try again"
            ))
        };
        let late = late();
        match timeout(ATTACH_LIMIT, self.ask(wish)).await.unwrap_or(Err(late))? {
            FromDaemon::Attached(name) => Ok(printable(&name, 200)),
            other => Err(unexpected(&self.path, &other)),
        }
    }

    /// Takes the two directions apart, so that neither waits for the other.
    pub(crate) fn split(self) -> Link {
        let (to_daemon, mut queue) = mpsc::channel(WAITING_MESSAGES);
        let mut sink = self.sink;
        tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                // The reading side learns of a broken connection too and says so.
                if sink.send(message).await.is_err() {
                    return;
                }
            }
        });
        Link { path: self.path, frames: self.frames, to_daemon }
    }
}

/// Dials in a thread: a non-blocking `connect` to a daemon with a full queue fails at once instead of waiting.
async fn dial(path: &Path) -> Result<UnixStream, Unreachable> {
    let path = path.to_path_buf();
    let dialled = tokio::task::spawn_blocking(move || dial_blocking(&path)).await;
    let stream = dialled.map_err(|error| Unreachable::Unusable(error.to_string()))?.map_err(|error| match error {
        rustix::io::Errno::NOENT => Unreachable::Missing,
        rustix::io::Errno::CONNREFUSED => Unreachable::Stale,
        rustix::io::Errno::ACCESS | rustix::io::Errno::PERM => Unreachable::Forbidden,
        rustix::io::Errno::AGAIN => Unreachable::Silent(HELLO_LIMIT.as_secs()),
        error => Unreachable::Unusable(std::io::Error::from(error).to_string()),
    })?;
    UnixStream::from_std(stream).map_err(|error| Unreachable::Unusable(error.to_string()))
}

fn dial_blocking(path: &Path) -> rustix::io::Result<StdStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
    let address = SocketAddrUnix::new(path)?;
    let socket = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(HELLO_LIMIT))?;
    rustix::net::connect(&socket, &address)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(StdStream::from(socket))
}

/// Name and version of this program, as peers show it.
pub(crate) fn software() -> String {
    concat!("deployer ", env!("CARGO_PKG_VERSION")).to_string()
}

/// Whether we understand each other; otherwise which side to upgrade.
fn check(hello: &Hello) -> Result<(), Unreachable> {
    if VERSION.understands(hello.version) {
        return Ok(());
    }
    let theirs = printable(&hello.software, 200);
    let remedy = if hello.version > VERSION {
        "upgrade this program".to_string()
    } else {
        format!("restart the daemon with {}", software())
    };
    Err(Unreachable::Unusable(format!(
        "it is {theirs} and speaks protocol {}, this is {} and speaks {VERSION}; {remedy}",
        hello.version,
        software()
    )))
}

/// The daemon said no.
pub(crate) fn refusal(kind: ErrorKind, why: &str) -> Failure {
    let why = printable(why, TEXT_MAX);
    match kind {
        ErrorKind::Session | ErrorKind::Deployment => Failure::usage(why),
        ErrorKind::Permission => Failure::forbidden(why),
        ErrorKind::Protocol | ErrorKind::Unavailable => Failure::daemon(why),
    }
}

/// The connection ended without a word.
pub(crate) fn gone(path: &Path) -> Failure {
    Failure::daemon(format!(
        "the daemon at {} went away; `deployer listen` starts another and says what this one ran",
        path.display()
    ))
}

/// The connection broke.
pub(crate) fn broken(path: &Path, error: &FrameError) -> Failure {
    match error {
        FrameError::Io(_) | FrameError::Truncated(_) => gone(path),
        error => Failure::daemon(format!("the daemon at {} does not keep to the protocol: {error}", path.display())),
    }
}

/// An answer to something else.
pub(crate) fn unexpected(path: &Path, message: &FromDaemon) -> Failure {
    let number = message.number();
    Failure::daemon(format!("the daemon at {} answered with message {number}, which does not fit", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_version_that_does_not_fit_names_the_side_to_upgrade() {
        let hello = |major| Hello { version: Version { major, minor: 3 }, software: "deployer 9\x1b[2J".to_string() };
        assert_eq!(check(&hello(VERSION.major)), Ok(()));
        let Err(Unreachable::Unusable(newer)) = check(&hello(VERSION.major + 1)) else { panic!() };
        assert!(newer.contains("deployer 9?[2J") && newer.ends_with("upgrade this program"), "{newer}");
        let Err(Unreachable::Unusable(older)) = check(&hello(VERSION.major - 1)) else { panic!() };
        assert!(older.contains("restart the daemon with deployer"), "{older}");
    }

    #[tokio::test]
    async fn every_way_of_not_answering_has_its_own_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let missing = dir.path().join("missing");
        assert_eq!(Connection::open(&missing, HELLO_LIMIT).await.unwrap_err(), Unreachable::Missing);

        let stale = dir.path().join("stale");
        drop(std::os::unix::net::UnixListener::bind(&stale).unwrap());
        assert_eq!(Connection::open(&stale, HELLO_LIMIT).await.unwrap_err(), Unreachable::Stale);

        let silent = dir.path().join("silent");
        let _listener = std::os::unix::net::UnixListener::bind(&silent).unwrap();
        assert_eq!(Connection::open(&silent, Duration::from_millis(20)).await.unwrap_err(), Unreachable::Silent(0));

        let stranger = dir.path().join("stranger");
        let listener = tokio::net::UnixListener::bind(&stranger).unwrap();
        let strange = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut stream, b"SSH-2.0-OpenSSH\r\n").await.unwrap();
            stream
        };
        let (opened, _stream) = tokio::join!(Connection::open(&stranger, HELLO_LIMIT), strange);
        let Err(Unreachable::Unusable(why)) = opened else { panic!() };
        assert!(why.starts_with("it does not speak deployer's protocol"), "{why}");
    }
}
