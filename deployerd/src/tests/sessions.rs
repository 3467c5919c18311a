//! Opening, sharing, leaving and coming back.

use deployer_protocol::{FromClient, FromDaemon, Open, SessionState};

use super::harness::{TestDaemon, terminal};

// rows: Q-09 Q-13 M-10
#[tokio::test]
async fn a_session_shows_what_is_typed_and_ends_with_its_status() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    client.type_keys("print hello\r").await;
    client.shows("> print hello\nhello> ").await;
    client.type_keys("lines 200\rexit 7\r").await;
    assert_eq!(client.finished().await, 7);
    assert!(client.contents().contains("199 coloured line\n> exit 7"), "{}", client.contents());
    assert_eq!(daemon.sessions().await, []);
    // The connection is free for another one, also of the same name.
    client.open("work", Some(terminal(24, 80)), &[]).await;
    client.shows("> ").await;
}

#[tokio::test]
async fn opening_a_session_leaves_what_the_terminal_showed() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.screen.process(b"$ deployer run\r\n");
    client.open("work", Some(terminal(24, 80)), &["print", "one action"]).await;
    assert_eq!(client.finished().await, 0);
    assert_eq!(client.contents(), "$ deployer run\none action");
}

// rows: Q-09 Q-11 W-43
#[tokio::test]
async fn who_comes_back_sees_what_one_sees_who_stayed() {
    let daemon = TestDaemon::start();
    let mut stays = daemon.open("work").await;
    let mut leaves = daemon.join("work", false, terminal(24, 80)).await;
    leaves.type_keys("lines 100\r").await;
    leaves.shows("99 coloured line\n> ").await;
    leaves.detach().await;
    daemon.lists("one client", |sessions| sessions[0].clients.len() == 1).await;
    stays.type_keys("print \\e[?2004h\\e[1;31mred \\e[44mon blue\\r\\e[5;10Hthere\\e[10;1H\r").await;
    stays.shows("there").await;
    stays.type_keys("half a li").await;
    stays.shows("half a li").await;
    let mut back = daemon.join("work", false, terminal(24, 80)).await;
    back.shows("half a li").await;
    assert_eq!(back.looks(), stays.looks());
    // The line that was half typed is neither lost nor executed.
    back.type_keys("\x08").await;
    stays.type_keys("\r").await;
    stays.shows("unknown").await;
}

// rows: Q-11 W-43
#[tokio::test]
async fn a_killed_client_leaves_the_session_and_what_it_runs() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    client.type_keys("wait\r").await;
    let running = |sessions: &[deployer_protocol::SessionInfo]| matches!(&sessions[0].state, SessionState::Running { action, .. } if action == "root.wait");
    daemon.lists("the action", running).await;
    drop(client);
    daemon.lists("no client", |sessions| sessions[0].clients.is_empty()).await;
    let mut back = daemon.join("work", false, terminal(24, 80)).await;
    back.shows("> wait").await;
    back.type_keys("x").await;
    back.shows("got Some(b\"x\")\n> ").await;
    daemon.lists("nothing running", |sessions| sessions[0].state == SessionState::Idle).await;
}

#[tokio::test]
async fn a_watcher_sees_and_cannot_type() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    let mut watcher = daemon.join("work", true, terminal(24, 80)).await;
    watcher.type_keys("print typed by the watcher\r").await;
    watcher.send(FromClient::Kill("work".to_string())).await;
    assert!(watcher.error().await.starts_with("Permission: you are watching"));
    client.type_keys("print seen\r").await;
    client.shows("seen> ").await;
    watcher.shows("seen> ").await;
    assert_eq!(watcher.looks(), client.looks());
    assert!(!client.contents().contains("watcher"));
    let sessions = daemon.sessions().await;
    assert!(sessions[0].clients[1].ends_with("(watching)"), "{sessions:?}");
    assert_eq!(sessions[0].node, "root");
}

// rows: Q-14 M-03 M-05
#[tokio::test]
async fn the_size_follows_who_typed_last() {
    let daemon = TestDaemon::start();
    let mut first = daemon.open("work").await;
    let mut second = daemon.join("work", false, terminal(10, 40)).await;
    let mut watcher = daemon.join("work", true, terminal(50, 132)).await;
    first.type_keys("size\r").await;
    first.shows("24x80\n> ").await;
    // Cropped to what its terminal can show.
    second.shows("24x80").await;
    watcher.shows("24x80").await;
    second.type_keys("size\r").await;
    second.shows("10x40\n> ").await;
    first.shows("10x40").await;
    second.type_keys("resized\r").await;
    second.shows("resized").await;
    second.send(FromClient::Resize((0, 0))).await;
    first.shows("now 24x80").await;
    watcher.send(FromClient::Resize((5, 5))).await;
    first.type_keys("size\r").await;
    first.shows("24x80\n> ").await;
}

#[tokio::test]
async fn a_session_that_does_not_read_can_be_left() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    client.type_keys("deaf\r").await;
    for _ in 0..200 {
        client.type_keys(&"x".repeat(4096)).await;
    }
    client.detach().await;
    daemon.lists("no client", |sessions| sessions[0].clients.is_empty()).await;
}

#[tokio::test]
async fn wishes_that_cannot_be_granted_are_refused_with_a_sentence() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    let open = |name: &str| {
        let terminal = Some(terminal(24, 80));
        FromClient::Open(Open { name: Some(name.to_string()), path: vec![], action: None, terminal, interactive: true })
    };
    client.send(open("other")).await;
    assert!(client.error().await.contains("attached to work already: detach first"));
    client.detach().await;
    client.send(open("work")).await;
    assert!(client.error().await.contains("exists already"));
    client.send(open("a name")).await;
    assert!(client.error().await.contains("cannot be the name"));
    client.send(FromClient::Kill("nobody\x1b".to_string())).await;
    assert!(client.error().await.contains("no session 'nobody\\u{1b}'"));
    client.send(FromClient::Detach(())).await;
    assert!(client.error().await.contains("attached to no session"));
    // Nothing to type at: dropped, and the connection goes on.
    client.type_keys("into the void").await;
    client.send(FromClient::Resize((10, 10))).await;
    client.send(FromClient::Interrupt(())).await;
    assert_eq!(client.list().await.sessions.len(), 1);
}

// rows: Q-10
#[tokio::test]
async fn a_crash_ends_its_session_and_no_other() {
    let daemon = TestDaemon::start();
    let mut other = daemon.open("other").await;
    let mut client = daemon.open("work").await;
    client.type_keys("panic\r").await;
    assert_eq!(client.finished().await, 134);
    assert!(matches!(&client.messages[..], [.., FromDaemon::Error((_, sentence)), _] if sentence.contains("crashed")));
    other.type_keys("print alive\r").await;
    other.shows("alive> ").await;
}
