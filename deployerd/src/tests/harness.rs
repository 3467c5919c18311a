//! A daemon in the test process and clients that wait for described facts.

use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::host::{HostServices, ssh::SshOptions};
use deployer_core::node::Node;
use deployer_core::script::LoadError;
use deployer_core::shell::Tree;
use deployer_protocol::{
    DaemonInfo, FrameCodec, FromClient, FromDaemon, Hello, Join, Open, OpenTerminal, SessionInfo, VERSION,
};
use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;
use tokio_util::sync::CancellationToken;

use super::program::program;
use crate::daemon::Daemon;
use crate::{Doors, Options, server, socket};

/// How long a fact may take before the test gives up; nothing is measured by it.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

struct NoTree;

impl Tree for NoTree {
    fn load(&self) -> Result<Node, LoadError> {
        Err(LoadError { position: None, message: "these tests have no tree".to_string() })
    }

    fn origin(&self) -> String {
        "/srv/deploy.lua".to_string()
    }
}

pub(super) struct TestDaemon {
    pub(super) path: PathBuf,
    pub(super) telnet: SocketAddr,
    pub(super) stop: CancellationToken,
    pub(super) running: JoinHandle<anyhow::Result<()>>,
    _place: tempfile::TempDir,
}

impl TestDaemon {
    pub(super) fn start() -> TestDaemon {
        TestDaemon::start_as(false)
    }

    pub(super) fn start_as(private: bool) -> TestDaemon {
        let place = tempfile::tempdir().unwrap();
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let path = place.path().join("d.sock");
        let bound = socket::bind(Some(&path)).unwrap();
        let options = Options {
            tree: Arc::new(NoTree),
            services: HostServices::new(SshOptions::default()),
            workers: tokio::runtime::Handle::current(),
            private,
            interactive: true,
            settings: Default::default(),
            oversight: Default::default(),
        };
        let stop = CancellationToken::new();
        let daemon = Daemon::new(options, program());
        let until = stop.clone();
        let port = crate::telnet::bind(IpAddr::from([127, 0, 0, 1]), 0).unwrap();
        let telnet = port.address;
        let doors = Doors { socket: bound, telnet: Some(port) };
        let running = tokio::spawn(async move { server::run(&doors, daemon, &until.into()).await });
        TestDaemon { path, telnet, stop, running, _place: place }
    }

    pub(super) async fn stream(&self) -> UnixStream {
        UnixStream::connect(&self.path).await.unwrap()
    }

    /// A client that has said hello.
    pub(super) async fn client(&self) -> TestClient {
        let mut client = TestClient::new(self.stream().await);
        client.send(FromClient::Hello(hello())).await;
        client.until("a hello", |message| matches!(message, FromDaemon::Hello(_)).then_some(())).await;
        client
    }

    /// A client with a new session.
    pub(super) async fn open(&self, name: &str) -> TestClient {
        let mut client = self.client().await;
        client.open(name, Some(terminal(24, 80)), &[]).await;
        client.shows("> ").await;
        client
    }

    /// A client that has joined a session.
    pub(super) async fn join(&self, name: &str, watch: bool, size: OpenTerminal) -> TestClient {
        let mut client = self.client().await;
        client.resize_screen(&size);
        client.send(FromClient::Join(Join { name: name.to_string(), watch, terminal: size })).await;
        client.attached().await;
        client
    }

    pub(super) async fn sessions(&self) -> Vec<SessionInfo> {
        self.client().await.list().await.sessions
    }

    /// Waits until the list of sessions is as described.
    pub(super) async fn lists(&self, what: &str, is_so: impl Fn(&[SessionInfo]) -> bool) {
        let mut client = self.client().await;
        let waiting = async {
            while !is_so(&client.list().await.sessions) {
                tokio::task::yield_now().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, waiting).await.is_ok(), "waited for {what}");
    }

    pub(super) async fn ends(self) {
        tokio::time::timeout(PATIENCE, self.running).await.expect("the daemon ends").unwrap().unwrap();
        assert!(!self.path.exists(), "its socket is gone");
    }
}

pub(super) fn hello() -> Hello {
    Hello { version: VERSION, software: "a test".to_string() }
}

/// A wish to type in a session.
pub(super) fn join(name: &str) -> Join {
    Join { name: name.to_string(), watch: false, terminal: terminal(24, 80) }
}

pub(super) fn terminal(rows: u16, cols: u16) -> OpenTerminal {
    OpenTerminal { rows, cols, term: "xterm".to_string(), colour: true }
}

pub(super) struct TestClient {
    pub(super) frames: Framed<UnixStream, FrameCodec<FromDaemon, FromClient>>,
    pub(super) screen: vt100::Parser,
    /// Everything else that arrived, in order.
    pub(super) messages: Vec<FromDaemon>,
}

impl TestClient {
    pub(super) fn new(stream: UnixStream) -> TestClient {
        let frames = Framed::new(stream, FrameCodec::default());
        TestClient { frames, screen: vt100::Parser::default(), messages: Vec::new() }
    }

    fn resize_screen(&mut self, size: &OpenTerminal) {
        self.screen.screen_mut().set_size(size.rows.try_into().unwrap(), size.cols.try_into().unwrap());
    }

    pub(super) async fn send(&mut self, message: FromClient) {
        self.frames.send(message).await.unwrap();
    }

    pub(super) async fn open(&mut self, name: &str, terminal: Option<OpenTerminal>, action: &[&str]) {
        let action = (!action.is_empty()).then(|| action.iter().map(|word| word.to_string()).collect());
        let name = Some(name.to_string());
        self.send(FromClient::Open(Open { name, path: vec![], action, terminal, interactive: true })).await;
        self.attached().await;
    }

    async fn attached(&mut self) {
        self.until("being attached", |message| matches!(message, FromDaemon::Attached(_)).then_some(())).await;
    }

    pub(super) async fn type_keys(&mut self, keys: &str) {
        self.send(FromClient::Input(Bytes::copy_from_slice(keys.as_bytes()))).await;
    }

    /// The next message, terminal bytes put on the screen; `None` at the end of the connection.
    pub(super) async fn next(&mut self) -> Option<FromDaemon> {
        let message = self.frames.next().await?.unwrap();
        match &message {
            FromDaemon::Output(bytes) => self.screen.process(bytes),
            other => self.messages.push(other.clone()),
        }
        Some(message)
    }

    /// Reads until a message is the one described.
    pub(super) async fn until<T>(&mut self, what: &str, pick: impl Fn(&FromDaemon) -> Option<T>) -> T {
        let reading = async {
            loop {
                let message = self.next().await?;
                if let Some(found) = pick(&message) {
                    return Some(found);
                }
            }
        };
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Some(found)) => found,
            Ok(None) => panic!("the connection ended; waited for {what}; got {:?}", self.messages),
            Err(_) => panic!("waited for {what}; got {:?}; screen:\n{}", self.messages, self.contents()),
        }
    }

    /// Reads until the screen shows the text.
    pub(super) async fn shows(&mut self, text: &str) {
        let reading = async {
            while !self.contents().contains(text) {
                if self.next().await.is_none() {
                    return false;
                }
            }
            true
        };
        let shown = tokio::time::timeout(PATIENCE, reading).await;
        assert_eq!(shown, Ok(true), "waited for {text:?}; got {:?}; screen:\n{}", self.messages, self.contents());
    }

    pub(super) fn contents(&self) -> String {
        self.screen.screen().contents()
    }

    /// The screen with attributes, cursor and modes.
    pub(super) fn looks(&self) -> String {
        self.screen.screen().state_formatted()
    }

    pub(super) async fn list(&mut self) -> DaemonInfo {
        self.send(FromClient::List(())).await;
        self.until("the list", |message| match message {
            FromDaemon::Info(info) => Some(info.clone()),
            _ => None,
        })
        .await
    }

    pub(super) async fn finished(&mut self) -> i32 {
        self.until("the end of the session", |message| match message {
            FromDaemon::Finished(status) => Some(*status),
            _ => None,
        })
        .await
    }

    pub(super) async fn error(&mut self) -> String {
        self.until("an error", |message| match message {
            FromDaemon::Error((kind, sentence)) => Some(format!("{kind:?}: {sentence}")),
            _ => None,
        })
        .await
    }

    pub(super) async fn detach(&mut self) {
        self.send(FromClient::Detach(())).await;
        self.until("being detached", |message| matches!(message, FromDaemon::Detached(_)).then_some(())).await;
    }

    /// Reads to the end of the connection.
    pub(super) async fn closed(&mut self) {
        let reading = async { while self.next().await.is_some() {} };
        assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "waited for the daemon to close");
    }
}
