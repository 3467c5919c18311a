//! Servers that ask more than a key, and servers that behave badly.

use russh::MethodKind::{KeyboardInteractive, Password, PublicKey};

use super::scripted::{Rules, Scripted};
use super::*;
use crate::host::QuestionKind;
use crate::node::Secret;

async fn log_in(server: &Scripted, settings: HostSettings, person: &Arc<Person>) -> Result<(), String> {
    let started = host(settings, &pool()).spawn(piped("status first"), &person.reach()).await;
    let finished = finish(started.map_err(|error| error.to_string())?).await;
    assert_eq!(
        (finished.out(), &finished.status),
        ("output", &ExitStatus::Code(3)),
        "{}",
        server.seen(|s| s.connections)
    );
    Ok(())
}

fn with_password(server: &Scripted, password: &str) -> HostSettings {
    HostSettings { password: Some(Secret::new(password)), ..server.settings() }
}

// rows: F-62
#[tokio::test]
async fn the_password_of_the_deployment_is_tried_once() {
    let rules = Rules { methods: vec![Password, KeyboardInteractive], password: Some("right"), ..Rules::default() };
    let server = Scripted::start(rules).await;
    let nobody = Person::who_says(&[]);
    log_in(&server, with_password(&server, "right"), &nobody).await.unwrap();
    let message = log_in(&server, with_password(&server, "wrong"), &nobody).await.unwrap_err();
    assert!(message.contains("permission denied; tried the password; the server allows password"), "{message}");
    assert!(!message.contains("wrong"), "{message}");
    assert_eq!(server.seen(|seen| seen.passwords.join(" ")), "right wrong");
    assert_eq!(nobody.questions().len(), 0);
}

// rows: F-62
#[tokio::test]
async fn a_person_types_a_password_up_to_three_times() {
    let banner = Some("Keep out!\x1b[2J\n");
    let rules = Rules { methods: vec![Password], password: Some("right"), banner, ..Rules::default() };
    let server = Scripted::start(rules).await;
    let person = Person::who_says(&[Ok("a"), Ok("b"), Ok("right")]);
    log_in(&server, server.settings(), &person).await.unwrap();
    let questions = person.questions();
    assert_eq!(questions.len(), 3);
    assert_eq!((questions[0].label.as_str(), questions[0].prompt.as_str()), ("odd", "password for anna@127.0.0.1"));
    assert_eq!((questions[0].notice.as_str(), &questions[0].kind), ("Keep out![2J", &QuestionKind::Secret));
    assert_eq!(questions[1].notice, "Permission denied, please try again.");

    let hopeless = Person::who_says(&[Ok("a"), Ok("b"), Ok("c"), Ok("right")]);
    assert!(log_in(&server, server.settings(), &hopeless).await.unwrap_err().contains("permission denied"));
    assert_eq!(hopeless.questions().len(), 3);

    let message = log_in(&server, server.settings(), &Person::who_says(&[])).await.unwrap_err();
    assert!(message.contains("a password (nobody is there to type it)"), "{message}");
    let message = log_in(&server, server.settings(), &Person::who_says(&[Err(NoAnswer::Cancelled)])).await.unwrap_err();
    assert!(message.contains("the question was cancelled"), "{message}");
}

#[tokio::test]
async fn who_thinks_longer_than_the_server_waits_is_not_asked_again() {
    let rules = Rules { methods: vec![Password], password: Some("right"), hangs_up: 1, ..Rules::default() };
    let server = Scripted::start(rules).await;
    let person = Person::who_says(&[Ok("right")]);
    log_in(&server, server.settings(), &person).await.unwrap();
    assert_eq!(server.seen(|seen| (seen.connections, seen.passwords.len())), (2, 2));
    assert_eq!(person.questions().len(), 1);
}

#[tokio::test]
async fn a_dialogue_of_several_rounds_is_answered() {
    let rules = Rules {
        methods: vec![KeyboardInteractive],
        rounds: vec![&[("Password: ", false)], &[], &[("Colour: ", true), ("Code: ", false)]],
        answers: vec!["secret", "blue", "123456"],
        ..Rules::default()
    };
    let server = Scripted::start(rules).await;
    // The one prompt for a password is answered by the deployment, the others by a person.
    let person = Person::who_says(&[Ok("blue"), Ok("123456")]);
    log_in(&server, with_password(&server, "secret"), &person).await.unwrap();
    let asked: Vec<_> = person.questions().into_iter().map(|question| (question.prompt, question.kind)).collect();
    assert_eq!(asked, [("Colour".to_string(), QuestionKind::Line), ("Code".to_string(), QuestionKind::Secret)]);
    assert_eq!(person.questions()[0].notice, "Please.");

    let message = log_in(&server, server.settings(), &Person::who_says(&[])).await.unwrap_err();
    assert!(message.contains("tried keyboard-interactive"), "{message}");
}

#[tokio::test]
async fn a_key_and_then_a_code() {
    let rules = Rules {
        methods: vec![PublicKey],
        then: vec![KeyboardInteractive],
        rounds: vec![&[("Verification code: ", false)]],
        answers: vec!["123456"],
        ..Rules::default()
    };
    let server = Scripted::start(rules).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("key");
    super::sshd::write_key(&file);
    let settings = HostSettings { key_filename: Some(file.display().to_string()), ..server.settings() };
    let person = Person::who_says(&[Ok("123456")]);
    log_in(&server, settings, &person).await.unwrap();
    assert_eq!(person.questions().len(), 1);
}

async fn open_door() -> Scripted {
    Scripted::start(Rules { methods: vec![Password], password: Some("right"), ..Rules::default() }).await
}

// rows: F-29 F-36
#[tokio::test]
async fn no_lie_of_a_server_becomes_a_success() {
    let server = open_door().await;
    let host = host(with_password(&server, "right"), &pool());
    let status = async |line: &str| {
        let finished = run(&host, piped(line)).await;
        assert_eq!(finished.out(), "output", "{line}");
        finished.status
    };
    assert_eq!(status("status first, then output").await, ExitStatus::Code(3));
    assert_eq!(status("status 256").await, ExitStatus::Code(255));
    assert_eq!(status("huge status").await, ExitStatus::Code(255));
    assert_eq!(status("odd signal").await, ExitStatus::Signal("[2JEVILAND VERY ".trim().into()));
    let silent = ExitStatus::Unknown("the server closed the channel without telling a status".into());
    assert_eq!(status("nothing").await, silent);
    let message = error(host.spawn(piped("refuse"), &reach()).await);
    assert_eq!(message, "odd: the command was not started: the server does not start commands for this user");
}

#[tokio::test]
async fn a_command_that_was_sent_and_never_acknowledged_has_an_unknown_outcome() {
    let server = open_door().await;
    let settings = HostSettings { timeout: Some(Duration::from_millis(300)), ..with_password(&server, "right") };
    let finished = run(&host(settings, &pool()), piped("no answer")).await;
    let expected = "the server did not say within 0.3 s whether it started the command";
    assert_eq!(finished.status, ExitStatus::Unknown(expected.into()));
}

#[tokio::test]
async fn a_command_that_was_sent_is_not_called_off_any_more() {
    let server = open_door().await;
    let settings = HostSettings { timeout: Some(Duration::from_millis(300)), ..with_password(&server, "right") };
    let (host, reach) = (host(settings, &pool()), reach());
    let cancel = reach.cancel.clone();
    let starting = tokio::spawn(async move { host.spawn(piped("no answer"), &reach).await });
    until("the command was sent", || server.seen(|seen| seen.commands == 1)).await;
    cancel.cancel();
    let process = starting.await.unwrap().expect("whoever cancels has a command to end");
    assert!(matches!(finish(process).await.status, ExitStatus::Unknown(_)));
}

#[tokio::test]
async fn a_frozen_server_is_noticed() {
    let server = open_door().await;
    let settings = HostSettings { keepalive: Some(Duration::from_millis(200)), ..with_password(&server, "right") };
    let finished = run(&host(settings, &pool()), piped("freeze")).await;
    assert_eq!(
        finished.status,
        ExitStatus::Unknown(
            "the server does not answer keepalive messages, when the command had just been sent".into()
        )
    );
}

#[tokio::test]
async fn a_server_may_not_open_channels_to_us() {
    let server = open_door().await;
    let host = host(with_password(&server, "right"), &pool());
    let process = host.spawn(piped("open a channel"), &reach()).await.unwrap();
    until("the server's attempt is over", || server.seen(|seen| seen.opened.is_some())).await;
    assert_eq!(server.seen(|seen| seen.opened), Some(false));
    drop(process);
}
