//! What a session's terminal does with lines: the one that is edited, those that are open, their colours.

use deployer_protocol::OpenTerminal;

use super::harness::{TestDaemon, terminal};
use super::plain::streams;

// rows: N-61
#[tokio::test]
async fn output_of_others_stands_above_an_open_question() {
    let daemon = TestDaemon::start();
    for (name, word) in [("answered", "answered"), ("abandoned", "cancelled")] {
        let mut client = daemon.client().await;
        client.open(name, Some(terminal(24, 80)), &["ask", word]).await;
        assert_eq!(client.finished().await, 0);
        assert_eq!(client.contents(), "web2 | done\nweb1: password:\nafter it");
    }
}

#[tokio::test]
async fn a_log_line_of_an_isolation_never_stands_behind_an_open_line() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    client.open("work", Some(terminal(24, 80)), &["open-line"]).await;
    assert_eq!(client.finished().await, 0);
    assert_eq!(client.contents(), "web1   | fetching\nweb1   | a line of the log");
}

#[tokio::test]
async fn colours_follow_the_client_that_opened_the_session() {
    let daemon = TestDaemon::start();
    for colour in [true, false] {
        let mut client = daemon.client().await;
        client.open("work", Some(OpenTerminal { colour, ..terminal(24, 80) }), &["colour"]).await;
        assert_eq!(client.finished().await, 0);
        assert_eq!(client.contents(), format!("colours: {colour}, {colour}"));
    }
    let mut plain = daemon.client().await;
    plain.open("plain", None, &["colour"]).await;
    assert_eq!(plain.finished().await, 0);
    assert_eq!(streams(&plain).0, "colours: false, false\n");
}
