//! Attached without a terminal.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use deployer_protocol::{ErrorKind, FromClient, FromDaemon};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::deployer;
use crate::fake_daemon::{Client, FakeDaemon};

fn attached(prepare: impl FnOnce(&mut Command)) -> (TempDir, Child, Client) {
    let dir = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::at(&dir.path().join("s"));
    let mut command = deployer(dir.path());
    command.args(["run", "--socket", "./s", "--path", "prod", "--", "deploy", "--force"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    prepare(&mut command);
    let child = command.spawn().unwrap();
    let mut client = daemon.accept();
    let FromClient::Open(open) = client.next() else { panic!() };
    assert_eq!(open.path, ["prod"]);
    assert_eq!(open.action.unwrap(), ["deploy", "--force"]);
    assert_eq!((open.terminal, open.interactive), (None, false));
    client.say(FromDaemon::Attached("amber".to_string()));
    (dir, child, client)
}

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

// rows: W-44
#[test]
fn output_and_error_stay_apart_and_nothing_to_read_is_fine() {
    let (_dir, child, mut client) = attached(|_| {});
    assert_eq!(client.next(), FromClient::EndOfInput(()));
    client.say(FromDaemon::Stdout(bytes("data\n")));
    client.say(FromDaemon::Stderr(bytes("talk\n")));
    client.say(FromDaemon::Finished(1));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"data\n"[..], &b"talk\n"[..]));
}

#[test]
fn standard_input_is_passed_on_to_its_end() {
    let (_dir, mut child, mut client) = attached(|command| {
        command.stdin(Stdio::piped());
    });
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"yes\n").unwrap();
    assert_eq!(client.next(), FromClient::Input(bytes("yes\n")));
    drop(stdin);
    assert_eq!(client.next(), FromClient::EndOfInput(()));
    client.say(FromDaemon::Finished(0));
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_first_signal_interrupts_the_second_ends_the_session() {
    let (_dir, child, mut client) = attached(|_| {});
    assert_eq!(client.next(), FromClient::EndOfInput(()));
    signal(&child, Signal::INT);
    assert_eq!(client.next(), FromClient::Interrupt(()));
    signal(&child, Signal::TERM);
    assert_eq!(client.next(), FromClient::Kill("amber".to_string()));
    client.say(FromDaemon::Stderr(bytes("interrupted\n")));
    client.say(FromDaemon::Finished(130));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(output.stderr, b"interrupted\n");
}

#[test]
fn a_reader_that_has_seen_enough_interrupts_what_runs() {
    let (_dir, mut child, mut client) = attached(|_| {});
    assert_eq!(client.next(), FromClient::EndOfInput(()));
    client.say(FromDaemon::Stdout(bytes("first\n")));
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 6];
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    client.say(FromDaemon::Stdout(bytes("for nobody\n")));
    assert_eq!(client.next(), FromClient::Interrupt(()));
    client.say(FromDaemon::Finished(130));
    assert_eq!(child.wait().unwrap().code(), Some(141));
}

// rows: W-45
#[test]
fn a_refusal_is_said_with_its_own_status() {
    for (kind, status) in [(ErrorKind::Deployment, 2), (ErrorKind::Permission, 6), (ErrorKind::Unavailable, 5)] {
        let dir = tempfile::tempdir().unwrap();
        let daemon = FakeDaemon::at(&dir.path().join("s"));
        let child = deployer(dir.path()).args(["connect", "--socket", "./s"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut client = daemon.accept();
        assert!(matches!(client.next(), FromClient::Open(_)));
        client.say(FromDaemon::Error((kind, "deploy.lua:3: no such thing; write it so".to_string())));
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status));
        assert_eq!(output.stderr, b"error: deploy.lua:3: no such thing; write it so\n");
    }
}

#[test]
fn joining_needs_a_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::at(&dir.path().join("s"));
    let args = ["connect", "--socket", "./s", "--session", "amber"];
    let child = deployer(dir.path()).args(args).stderr(Stdio::piped()).spawn().unwrap();
    let mut client = daemon.accept();
    assert_eq!(client.next_or_end(), None);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("needs a terminal"));
}
