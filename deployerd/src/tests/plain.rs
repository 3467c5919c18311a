//! Clients with pipes instead of a terminal.

use bytes::Bytes;
use deployer_protocol::{FromClient, FromDaemon};
use tokio::net::UnixStream;

use super::harness::{TestClient, TestDaemon};

pub(super) fn streams(client: &TestClient) -> (String, String) {
    let (mut out, mut talk) = (Vec::new(), Vec::new());
    for message in &client.messages {
        match message {
            FromDaemon::Stdout(bytes) => out.extend_from_slice(bytes),
            FromDaemon::Stderr(bytes) => talk.extend_from_slice(bytes),
            _ => {}
        }
    }
    (String::from_utf8(out).unwrap(), String::from_utf8(talk).unwrap())
}

// rows: W-20
#[tokio::test]
async fn output_and_talk_stay_apart_and_input_arrives() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("job", None, &["cat"]).await;
    // Ten times what may wait anywhere on the way: whoever writes is held back, nothing is lost.
    let stream = client.frames.into_inner().into_std().unwrap();
    let mut writing = TestClient::new(UnixStream::from_std(stream.try_clone().unwrap()).unwrap());
    let writer = tokio::spawn(async move {
        for _ in 0..300 {
            writing.send(FromClient::Input(Bytes::from(vec![b'x'; 100_000]))).await;
        }
        writing.send(FromClient::EndOfInput(())).await;
    });
    let mut client = TestClient::new(UnixStream::from_std(stream).unwrap());
    assert_eq!(client.finished().await, 0);
    let (out, talk) = streams(&client);
    assert_eq!((out.len(), talk.as_str()), (30_000_000, "the end\n"));
    writer.await.unwrap();
}

#[tokio::test]
async fn lines_of_a_parallel_action_are_labelled() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("job", None, &["parallel", "20"]).await;
    assert_eq!(client.finished().await, 0);
    let (out, _) = streams(&client);
    assert_eq!(out.lines().filter(|line| line.starts_with("web7   | cell 7 line ")).count(), 10);
    assert_eq!(out.lines().filter(|line| line.ends_with("| no end of line")).count(), 20);
    assert!(out.ends_with("all done\n"), "{out}");
}

#[tokio::test]
async fn an_interrupt_ends_the_action() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("job", None, &["deaf"]).await;
    client.send(FromClient::Interrupt(())).await;
    assert_eq!(client.finished().await, 130);
}

// rows: Q-11
#[tokio::test]
async fn a_client_that_goes_away_does_not_end_the_action() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("job", None, &["flood"]).await;
    client.until("output", |message| matches!(message, FromDaemon::Stdout(_)).then_some(())).await;
    drop(client);
    daemon.lists("no client", |sessions| sessions[0].clients.is_empty()).await;
    let mut other = daemon.client().await;
    other.send(FromClient::Kill("job".to_string())).await;
    other.until("its end", |message| matches!(message, FromDaemon::Killed(_)).then_some(())).await;
    assert_eq!(daemon.sessions().await, []);
}
