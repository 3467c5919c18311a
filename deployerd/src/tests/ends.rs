//! How sessions and daemons end.

use deployer_protocol::{FromClient, FromDaemon};

use super::harness::{TestDaemon, terminal};

// rows: Q-06
#[tokio::test]
async fn a_stopped_daemon_tells_everybody_and_removes_its_socket() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    let mut job = daemon.client().await;
    job.open("job", None, &["deaf"]).await;
    let mut idle = daemon.client().await;
    daemon.stop.cancel();
    for client in [&mut client, &mut job] {
        let error = client.error().await;
        assert!(error.contains("the daemon was stopped: session"), "{error}");
        assert_eq!(client.finished().await, 130);
        client.closed().await;
    }
    idle.closed().await;
    daemon.ends().await;
}

#[tokio::test(start_paused = true)]
async fn what_does_not_listen_is_dropped_in_the_end() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("job", None, &["stubborn"]).await;
    daemon.stop.cancel();
    assert_eq!(client.finished().await, 130);
    daemon.ends().await;
}

#[tokio::test]
async fn a_session_is_ended_by_name() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    let mut other = daemon.client().await;
    other.send(FromClient::Kill("work".to_string())).await;
    other.until("its end", |message| (*message == FromDaemon::Killed("work".to_string())).then_some(())).await;
    assert!(client.error().await.contains("session work was ended by"));
    assert_eq!(client.finished().await, 130);
    assert_eq!(daemon.sessions().await, []);
}

// rows: Q-05 Q-12 W-43
#[tokio::test]
async fn a_private_daemon_ends_with_its_last_client_however_it_went() {
    let daemon = TestDaemon::start_as(true);
    let mut first = daemon.open("work").await;
    let second = daemon.join("work", false, terminal(24, 80)).await;
    first.detach().await;
    // Somebody is left.
    daemon.lists("one client", |sessions| sessions[0].clients.len() == 1).await;
    drop(second);
    daemon.ends().await;
}

#[tokio::test(start_paused = true)]
async fn a_private_daemon_that_nobody_comes_to_ends() {
    let daemon = TestDaemon::start_as(true);
    drop(daemon.client().await);
    daemon.ends().await;
}
