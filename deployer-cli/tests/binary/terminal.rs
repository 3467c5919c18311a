//! Attached with a terminal.

use bytes::Bytes;
use deployer_protocol::{ErrorKind, FromClient, FromDaemon};
use rustix::process::Signal;
use tempfile::TempDir;

use crate::fake_daemon::{Client, FakeDaemon};
use crate::pty::Pty;

/// A full-screen program has taken the terminal over.
const TAKE_OVER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1000hready";

/// What puts the terminal back afterwards.
const PUT_BACK: &str = "\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?2004l\x1b[0m";

fn attached(args: &[&str]) -> (TempDir, Pty, Client) {
    let dir = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::at(&dir.path().join("s"));
    let pty = Pty::start(dir.path(), &[&["connect", "--socket", "./s"], args].concat());
    let mut client = daemon.accept();
    match client.next() {
        FromClient::Open(open) => {
            let terminal = open.terminal.expect("it has a terminal");
            assert_eq!((terminal.rows, terminal.cols, terminal.term.as_str()), (24, 80, "xterm"));
            assert!(open.interactive);
        }
        FromClient::Join(join) => assert_eq!(join.name, "amber"),
        other => panic!("{other:?}"),
    }
    client.say(FromDaemon::Attached("amber".to_string()));
    client.show(TAKE_OVER);
    pty.wait_for("ready");
    assert!(pty.is_raw());
    (dir, pty, client)
}

fn input(keys: &'static str) -> FromClient {
    FromClient::Input(Bytes::from_static(keys.as_bytes()))
}

// rows: Q-13
#[test]
fn keys_go_to_the_session_and_its_status_is_ours() {
    let (_dir, mut pty, mut client) = attached(&[]);
    pty.type_keys("ls\r\x03");
    assert_eq!(client.next_but_size(), input("ls\r\x03"));
    client.show("last words");
    client.say(FromDaemon::Finished(3));
    let (status, shown) = pty.end();
    assert_eq!(status, 3);
    assert!(shown.ends_with(&format!("last words{PUT_BACK}\r\n")), "{shown:?}");
}

// rows: Q-14
#[test]
fn the_window_s_size_is_told_with_the_wish_and_with_every_change() {
    let (_dir, pty, mut client) = attached(&[]);
    pty.resize(50, 132);
    assert_eq!(client.next(), FromClient::Resize((50, 132)));
    client.say(FromDaemon::Finished(0));
    assert_eq!(pty.end().0, 0);
}

#[test]
fn the_detach_key_leaves_and_says_how_to_come_back() {
    let (_dir, mut pty, mut client) = attached(&[]);
    pty.type_keys("half\x1cnever sent");
    assert_eq!(client.next_but_size(), input("half"));
    assert_eq!(client.next_but_size(), FromClient::Detach(()));
    client.say(FromDaemon::Detached(String::new()));
    let (status, shown) = pty.end();
    assert_eq!(status, 0);
    let said = "[detached from session amber; connect --session amber returns to it]\r\n";
    assert!(shown.ends_with(&format!("{PUT_BACK}\r\n{said}")), "{shown:?}");
}

#[test]
fn the_detach_key_can_be_another_one() {
    let (_dir, mut pty, mut client) = attached(&["--detach-key", "ctrl-]"]);
    pty.type_keys("\x1c");
    assert_eq!(client.next_but_size(), input("\x1c"));
    pty.type_keys("\x1d");
    assert_eq!(client.next_but_size(), FromClient::Detach(()));
    drop(client);
    assert_eq!(pty.end().0, 0);
}

#[test]
fn who_only_watches_types_nothing_and_leaves_with_ctrl_c() {
    let (_dir, mut pty, mut client) = attached(&["--session", "amber", "--watch"]);
    pty.type_keys("rm -rf /\r");
    pty.type_keys("\x03");
    assert_eq!(client.next_but_size(), FromClient::Detach(()));
    client.say(FromDaemon::Detached(String::new()));
    assert_eq!(pty.end().0, 0);
}

#[test]
fn a_signal_puts_the_terminal_back() {
    for (signal, status) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let (_dir, pty, mut client) = attached(&[]);
        pty.signal(signal);
        let (code, shown) = pty.end();
        assert_eq!(code, status);
        assert!(shown.ends_with(&format!("{PUT_BACK}\r\n")), "{shown:?}");
        while let Some(message) = client.next_or_end() {
            assert!(matches!(message, FromClient::Resize(_)), "{message:?}");
        }
    }
}

#[test]
fn a_daemon_that_goes_away_is_told_after_the_terminal_is_back() {
    let (dir, pty, client) = attached(&[]);
    drop(client);
    let (status, shown) = pty.end();
    assert_eq!(status, 5);
    let said = format!("error: the daemon at {}/s went away", dir.path().canonicalize().unwrap().display());
    assert!(
        shown.contains(&format!("{PUT_BACK}\r\n")) && shown.contains("error:") && shown.contains(&said[7..]),
        "{shown:?}"
    );
}

#[test]
fn a_daemon_that_says_why_it_hangs_up_is_believed() {
    let (_dir, pty, mut client) = attached(&[]);
    client.say(FromDaemon::Error((ErrorKind::Permission, "bob took the session over\x1b[2J".to_string())));
    drop(client);
    let (status, shown) = pty.end();
    assert_eq!(status, 6);
    assert!(shown.contains("bob took the session over?[2J"), "{shown:?}");
}

#[test]
fn a_stopped_client_gives_the_terminal_back_until_it_goes_on() {
    let (_dir, pty, mut client) = attached(&[]);
    pty.signal(Signal::TSTP);
    pty.wait_until("it is stopped", || pty.is_stopped());
    assert!(!pty.is_raw());
    pty.signal(Signal::CONT);
    pty.wait_until("the terminal is raw again", || pty.is_raw());
    client.say(FromDaemon::Finished(0));
    assert_eq!(pty.end().0, 0);
}

#[test]
fn a_flood_of_input_waits_for_the_session_and_arrives_whole() {
    let (_dir, mut pty, mut client) = attached(&[]);
    let flood = "0123456789abcdef".repeat(64 * 1024);
    let expected = flood.clone();
    let typing = std::thread::spawn(move || {
        pty.type_keys(&flood);
        pty
    });
    let mut arrived = Vec::new();
    while arrived.len() < expected.len() {
        match client.next_but_size() {
            FromClient::Input(bytes) => arrived.extend_from_slice(&bytes),
            other => panic!("{other:?}"),
        }
    }
    assert!(arrived == expected.as_bytes());
    client.say(FromDaemon::Finished(0));
    assert_eq!(typing.join().unwrap().end().0, 0);
}
