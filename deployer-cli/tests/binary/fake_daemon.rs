//! A daemon that does as the test tells it, one client at a time.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use bytes::BytesMut;
use deployer_protocol::{FrameCodec, FromClient, FromDaemon, Hello, VERSION};
use tokio_util::codec::{Decoder, Encoder};

use crate::TIMEOUT;

pub(crate) struct FakeDaemon(UnixListener);

pub(crate) struct Client {
    stream: UnixStream,
    codec: FrameCodec<FromClient, FromDaemon>,
    buffer: BytesMut,
}

impl FakeDaemon {
    pub(crate) fn at(path: &Path) -> FakeDaemon {
        let directory = path.parent().unwrap();
        if !directory.exists() {
            std::fs::create_dir(directory).unwrap();
            std::fs::set_permissions(directory, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        }
        FakeDaemon(UnixListener::bind(path).unwrap())
    }

    /// The next client, after the hellos.
    pub(crate) fn accept(&self) -> Client {
        self.accept_as(Hello { version: VERSION, software: "fake 1".to_string() })
    }

    pub(crate) fn accept_as(&self, hello: Hello) -> Client {
        let (stream, _) = self.0.accept().unwrap();
        stream.set_read_timeout(Some(TIMEOUT)).unwrap();
        stream.set_write_timeout(Some(TIMEOUT)).unwrap();
        let mut client = Client { stream, codec: FrameCodec::default(), buffer: BytesMut::new() };
        assert!(matches!(client.next(), FromClient::Hello(Hello { version: VERSION, .. })));
        client.say(FromDaemon::Hello(hello));
        client
    }
}

impl Client {
    /// The next message.
    pub(crate) fn next(&mut self) -> FromClient {
        self.next_or_end().expect("the client hung up")
    }

    /// The next message, `None` when the client has hung up. Whether it can open windows is left out.
    pub(crate) fn next_or_end(&mut self) -> Option<FromClient> {
        loop {
            match self.codec.decode(&mut self.buffer).unwrap() {
                // What a client says of itself is nobody's business here.
                Some(FromClient::OpensWindows(_)) => continue,
                Some(message) => return Some(message),
                None => {}
            }
            let mut chunk = [0; 4096];
            match self.stream.read(&mut chunk).expect("a message of the client") {
                0 => return None,
                length => self.buffer.extend_from_slice(&chunk[..length]),
            }
        }
    }

    /// The next message that is not about the size of the window.
    pub(crate) fn next_but_size(&mut self) -> FromClient {
        loop {
            match self.next() {
                FromClient::Resize(_) => {}
                other => return other,
            }
        }
    }

    pub(crate) fn say(&mut self, message: FromDaemon) {
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).unwrap();
        self.stream.write_all(&bytes).unwrap();
    }

    pub(crate) fn show(&mut self, text: &str) {
        self.say(FromDaemon::Output(text.as_bytes().to_vec().into()));
    }
}
