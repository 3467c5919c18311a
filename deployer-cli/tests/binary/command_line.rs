//! What is said without any session.

use deployer_protocol::{DaemonInfo, FromClient, FromDaemon, Hello, Version};

use crate::fake_daemon::FakeDaemon;
use crate::{deployer, finished};

// rows: P-02 P-03 P-04
#[test]
fn help_and_version_are_data_and_wrong_use_is_talk() {
    let dir = tempfile::tempdir().unwrap();
    for (args, status, on_stdout) in [
        (&["--version"][..], 0, "deployer 0."),
        (&["--help"], 0, "Usage: deployer"),
        (&["run", "--help"], 0, "Usage: deployer run"),
    ] {
        let (code, stdout, stderr) = finished(deployer(dir.path()).args(args));
        assert_eq!((code, stderr.as_str()), (Some(status), ""), "{args:?}");
        assert!(stdout.contains(on_stdout), "{stdout}");
    }
    for args in [&[][..], &["frobnicate"], &["run", "-s", "--socket", "1"], &["connect", "-f", "x.lua"]] {
        let (code, stdout, stderr) = finished(deployer(dir.path()).args(args));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn types_are_printed_without_any_deployment_file() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = finished(deployer(dir.path()).arg("types"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert!(stdout.starts_with("---@meta deployer\n") && stdout.ends_with("return deployer\n"), "{stdout}");
    let (code, _, stderr) = finished(deployer(dir.path()).args(["-f", "x.lua", "types"]));
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn without_a_deployment_file_there_is_an_example_and_nothing_runs() {
    let dir = tempfile::tempdir().unwrap();
    for verb in ["run", "listen"] {
        let (code, stdout, stderr) = finished(deployer(dir.path()).arg(verb));
        assert_eq!((code, stdout.as_str()), (Some(2), ""), "{stderr}");
        assert!(stderr.starts_with("error: no deployment file: ") && stderr.contains("deployer.SSHHost"), "{stderr}");
    }
    let (code, _, stderr) = finished(deployer(dir.path()).args(["-f", "typo.lua", "run"]));
    assert_eq!(code, Some(2));
    assert!(stderr.contains("typo.lua (from -f)"), "{stderr}");
}

#[test]
fn no_daemon_is_said_with_status_5() {
    let dir = tempfile::tempdir().unwrap();
    for args in [&["connect"][..], &["connect", "--socket", "3"], &["kill-session", "amber"], &["run", "--socket", "3"]]
    {
        let (code, stdout, stderr) = finished(deployer(dir.path()).args(args));
        assert_eq!((code, stdout.as_str()), (Some(5), ""), "{args:?} {stderr}");
        assert!(stderr.starts_with("error: no daemon ") && stderr.contains("`deployer listen"), "{stderr}");
    }
}

// rows: P-23 Q-26
#[test]
fn list_sessions_tells_of_every_socket() {
    let dir = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = finished(deployer(dir.path()).arg("list-sessions"));
    assert_eq!((code, stdout.as_str()), (Some(0), ""));
    assert!(stderr.contains("no daemon is listening"), "{stderr}");

    let sockets = dir.path().join("deployer");
    let daemon = FakeDaemon::at(&sockets.join("0.sock"));
    drop(std::os::unix::net::UnixListener::bind(sockets.join("1.sock")).unwrap());
    let answering = std::thread::spawn(move || {
        for _ in 0..2 {
            // Of protocol 1.0: it is not asked for more.
            let version = Version { major: 1, minor: 0 };
            let mut client = daemon.accept_as(Hello { version, software: "fake 1".to_string() });
            assert_eq!(client.next(), FromClient::List(()));
            let info = DaemonInfo {
                pid: 7,
                started_ms: 0,
                tree: "/srv/deploy.lua".to_string(),
                private: false,
                sessions: Vec::new(),
            };
            client.say(FromDaemon::Info(info));
        }
    });
    let (code, stdout, stderr) = finished(deployer(dir.path()).arg("list-sessions"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(
        stdout,
        "0  /srv/deploy.lua  since 1970-01-01 00:00:00, process 7\n  no sessions\n\n\
         1  stale: its daemon is gone; `deployer listen --socket 1` takes it over\n"
    );
    let (code, stdout, _) = finished(deployer(dir.path()).args(["list-sessions", "--json"]));
    answering.join().unwrap();
    assert_eq!(code, Some(0));
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["daemons"][0]["started"], "1970-01-01T00:00:00.000Z");
    assert_eq!(json["daemons"][1]["state"], "stale");
}

#[test]
fn a_daemon_of_another_version_is_named_with_the_side_to_upgrade() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::at(&dir.path().join("s"));
    let hello = Hello { version: Version { major: 99, minor: 0 }, software: "deployer 42.0".to_string() };
    let answering = std::thread::spawn(move || drop(daemon.accept_as(hello)));
    let (code, _, stderr) = finished(deployer(dir.path()).args(["connect", "--socket", "./s"]));
    answering.join().unwrap();
    assert_eq!(code, Some(5));
    assert!(stderr.contains("it is deployer 42.0 and speaks protocol 99.0"), "{stderr}");
    assert!(stderr.ends_with("upgrade this program\n"), "{stderr}");
}

#[test]
fn kill_session_goes_to_the_daemon_that_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let daemon = FakeDaemon::at(&dir.path().join("s"));
    let answering = std::thread::spawn(move || {
        let mut client = daemon.accept();
        assert_eq!(client.next(), FromClient::Kill("amber".to_string()));
        client.say(FromDaemon::Killed("amber".to_string()));
    });
    let (code, stdout, stderr) = finished(deployer(dir.path()).args(["kill-session", "amber", "--socket", "./s"]));
    answering.join().unwrap();
    assert_eq!((code, stdout.as_str(), stderr.as_str()), (Some(0), "", "session amber has ended\n"));
}
