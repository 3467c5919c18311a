//! Peers that are no clients of ours (rows W-01, W-57 and 16 to 19 of the figures).

use deployer_protocol::{FromClient, FromDaemon, Hello, VERSION, Version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::harness::{TestClient, TestDaemon, hello};

/// Everything a peer is sent that sends these bytes.
async fn answers(daemon: &TestDaemon, bytes: &[u8]) -> Vec<FromDaemon> {
    let mut stream = daemon.stream().await;
    stream.write_all(bytes).await.unwrap();
    rest(stream).await
}

async fn rest(stream: UnixStream) -> Vec<FromDaemon> {
    let mut client = TestClient::new(stream);
    client.closed().await;
    client.messages
}

fn one_error(answers: &[FromDaemon], words: &str) {
    match answers {
        [FromDaemon::Hello(_), FromDaemon::Error((_, sentence))] => assert!(sentence.contains(words), "{sentence}"),
        other => panic!("expected a hello and one error, got {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_says_nothing_is_let_go_after_five_seconds() {
    let daemon = TestDaemon::start();
    let begin = tokio::time::Instant::now();
    one_error(&answers(&daemon, b"").await, "no hello within 5 s");
    assert_eq!(begin.elapsed().as_secs(), 5);
    let half = &[0, 0, 0, 19, 0, 1, 1];
    one_error(&answers(&daemon, half).await, "no hello within 5 s");
}

#[tokio::test]
async fn garbage_gets_one_error() {
    let daemon = TestDaemon::start();
    one_error(&answers(&daemon, b"GET / HTTP/1.1\r\n\r\n").await, "is this a deployer client?");
    one_error(&answers(&daemon, b"\0\0\0\0").await, "too short");
    one_error(&answers(&daemon, &[0, 0, 0, 3, 0, 1, 9]).await, "message 1");
    one_error(&answers(&daemon, &[0, 0, 0, 2, 0, 8]).await, "the first message must be a hello");
    // Too long for a hello, though not for a frame.
    one_error(&answers(&daemon, &[0, 0, 8, 0, 0, 1]).await, "too long");
}

#[tokio::test]
async fn another_version_is_told_what_to_do() {
    let daemon = TestDaemon::start();
    for (version, remedy) in [
        (Version { major: VERSION.major + 1, minor: 0 }, "restart the daemon"),
        (Version { major: 0, minor: 9 }, "upgrade the client"),
    ] {
        let mut client = TestClient::new(daemon.stream().await);
        client.send(FromClient::Hello(Hello { version, software: "another".to_string() })).await;
        let error = client.error().await;
        assert!(error.contains(remedy) && error.contains(&version.to_string()), "{error}");
        client.closed().await;
    }
    // A newer minor number is fine, and so are messages that only it knows.
    let mut client = TestClient::new(daemon.stream().await);
    let version = Version { minor: VERSION.minor + 7, ..VERSION };
    client.send(FromClient::Hello(Hello { version, software: "newer".to_string() })).await;
    client.send(FromClient::Unknown(999)).await;
    assert_eq!(client.list().await.tree, "/srv/deploy.lua");
}

#[tokio::test]
async fn a_second_hello_and_later_garbage_end_the_connection() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.send(FromClient::Hello(hello())).await;
    assert!(client.error().await.contains("a second hello"));
    client.closed().await;
    let mut client = daemon.open("s").await;
    client.frames.get_mut().write_all(&[0xff; 9]).await.unwrap();
    assert!(client.error().await.contains("too long"));
    client.closed().await;
    daemon.lists("the session without a client", |sessions| sessions[0].clients.is_empty()).await;
}

#[tokio::test]
async fn a_thousand_silent_peers_disturb_nobody() {
    let daemon = TestDaemon::start();
    let mut silent = Vec::new();
    for i in 0..1000 {
        let mut stream = daemon.stream().await;
        stream.write_all(&[0, 0, 0, 19, 0, 1][..i % 6]).await.unwrap();
        silent.push(stream);
    }
    let mut client = daemon.open("s").await;
    client.type_keys("print fine\r").await;
    client.shows("fine>").await;
    // They are answered as everybody.
    let mut first = [0; 6];
    silent[0].read_exact(&mut first).await.unwrap();
    assert_eq!(first[4..], [0, 1]);
}
