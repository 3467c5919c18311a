//! Whether the server is the right one, and what is said when it is not reached.

use std::path::Path;

use super::sshd::{free_port, write_key};
use super::*;
use crate::host::QuestionKind;
use crate::node::HostKeyPolicy;

// rows: W-06
#[tokio::test]
async fn a_changed_key_is_refused_with_everything_one_needs_to_know() {
    let sshd = Sshd::start().await;
    for policy in [HostKeyPolicy::AcceptNew, HostKeyPolicy::Ask, HostKeyPolicy::Strict] {
        let settings = HostSettings { host_keys: Some(policy), ..sshd.settings() };
        let other = write_key(&sshd.path("other"));
        sshd.know(&sshd.path("other.pub"));
        let person = Person::who_says(&[Ok("yes")]);
        let message = error(host(settings, &pool()).spawn(piped("true"), &person.reach()).await);
        let known = sshd.path("known_hosts");
        for part in [
            format!("web1: cannot connect to root@127.0.0.1:{}", sshd.port),
            "host key: it has changed".into(),
            super::super::known_hosts::fingerprint(other.public_key()),
            fingerprint_of(&sshd.path("host_key.pub")),
            format!("{}:1", known.display()),
            format!("ssh-keygen -f {} -R '[127.0.0.1]:{}'", known.display(), sshd.port),
        ] {
            assert!(message.contains(&part), "{part} is not in {message}");
        }
        assert_eq!(person.questions().len(), 0, "there is nothing to ask");
    }
    assert_eq!(sshd.logins(), 0);
}

pub(super) fn fingerprint_of(file: &Path) -> String {
    let key = russh::keys::load_public_key(file).unwrap();
    super::super::known_hosts::fingerprint(&key)
}

// rows: W-06
#[tokio::test]
async fn an_unknown_key_is_refused_when_strict_and_when_nobody_is_there() {
    let sshd = Sshd::start().await;
    for policy in [Some(HostKeyPolicy::Strict), Some(HostKeyPolicy::Ask), None] {
        let settings = HostSettings { host_keys: policy, ..sshd.settings() };
        std::fs::remove_file(sshd.path("known_hosts")).unwrap();
        let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
        assert!(message.contains("is not known, it shows ED25519 SHA256:"), "{message}");
        assert!(message.contains(&format!("ssh-keyscan -p {} 127.0.0.1", sshd.port)), "{message}");
        assert!(!sshd.path("known_hosts").exists(), "nothing is remembered");
    }
    assert_eq!(sshd.logins(), 0);
}

#[tokio::test]
async fn a_new_key_is_asked_for_once_and_remembered() {
    let sshd = Sshd::start().await;
    let settings = HostSettings { host_keys: None, ..sshd.settings() };
    std::fs::remove_file(sshd.path("known_hosts")).unwrap();
    let pool_one = pool();
    let asked = host(settings.clone(), &pool_one);
    let person = Person::who_says(&[Ok("no"), Ok("yes")]);
    let message = error(asked.spawn(piped("true"), &person.reach()).await);
    assert!(message.contains("host key: it was not accepted"), "{message}");
    let process = asked.spawn(piped("echo in"), &person.reach()).await.unwrap();
    assert_eq!(finish(process).await.out(), "in\n");
    let questions = person.questions();
    assert_eq!(questions.len(), 2);
    assert_eq!((questions[0].label.as_str(), &questions[0].kind), ("web1", &QuestionKind::Confirm));
    assert_eq!(
        questions[0].notice,
        format!(
            "The authenticity of host '[127.0.0.1]:{}' can't be established.\nED25519 key fingerprint is {}.",
            sshd.port,
            fingerprint_of(&sshd.path("host_key.pub"))
        )
    );
    // Another pool, as after a restart: nobody is asked again.
    assert_eq!(run(&host(settings, &pool()), piped("echo again")).await.out(), "again\n");
}

#[tokio::test]
async fn accept_new_accepts_and_remembers() {
    let sshd = Sshd::start().await;
    let settings = HostSettings { host_keys: Some(HostKeyPolicy::AcceptNew), ..sshd.settings() };
    std::fs::remove_file(sshd.path("known_hosts")).unwrap();
    assert_eq!(run(&host(settings.clone(), &pool()), piped("echo in")).await.out(), "in\n");
    let strict = HostSettings { host_keys: Some(HostKeyPolicy::Strict), ..settings };
    assert_eq!(run(&host(strict, &pool()), piped("echo strict")).await.out(), "strict\n");
    assert_eq!(sshd.logins(), 2, "an accepted key costs no second login");
}

// rows: F-68
#[tokio::test]
async fn every_failure_says_which_step_it_was() {
    let sshd = Sshd::start().await;
    let closed = HostSettings { port: Some(free_port()), ..sshd.settings() };
    let message = error(host(closed, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.ends_with(": connection refused"), "{message}");

    let nowhere = HostSettings { address: Some("no-such-host.invalid".into()), ..sshd.settings() };
    let message = error(host(nowhere, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("no-such-host.invalid") && message.contains(": name lookup: "), "{message}");

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let silent = HostSettings { port: Some(port), timeout: Some(Duration::from_millis(300)), ..sshd.settings() };
    let message = error(host(silent, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.ends_with(": SSH greeting: no answer within 0.3 s"), "{message}");
}

#[tokio::test]
async fn something_that_is_not_ssh_is_named() {
    use tokio::io::AsyncWriteExt;
    let sshd = Sshd::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let web = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    });
    let settings = HostSettings { port: Some(port), ..sshd.settings() };
    let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("the server says \"HTTP/1.1 400 Bad Request\""), "{message}");
    assert!(message.contains("is port"), "{message}");
    web.await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_too_busy_is_tried_again() {
    let sshd = Sshd::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let real = sshd.port;
    // Turns the first three away as sshd does past MaxStartups, and hands the fourth on.
    let door = tokio::spawn(async move {
        for _ in 0..3 {
            drop(listener.accept().await.unwrap());
        }
        let (mut one, _) = listener.accept().await.unwrap();
        let mut other = tokio::net::TcpStream::connect(("127.0.0.1", real)).await.unwrap();
        let _either_end_closed = tokio::io::copy_bidirectional(&mut one, &mut other).await;
    });
    let settings = HostSettings { host_keys: Some(HostKeyPolicy::AcceptNew), port: Some(port), ..sshd.settings() };
    let pool = pool();
    assert_eq!(run(&host(settings, &pool), piped("echo in")).await.out(), "in\n");
    pool.close_all().await;
    door.await.unwrap();
}
