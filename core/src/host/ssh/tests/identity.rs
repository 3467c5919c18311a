//! Logging in.

use std::process::{Child, Command, Stdio};

use super::sshd::{write_key, write_private};
use super::*;
use crate::host::QuestionKind;
use crate::node::Secret;

// rows: F-68
#[tokio::test]
async fn a_refusal_says_what_was_tried_and_what_the_server_wants() {
    let sshd = Sshd::start().await;
    let stranger = sshd.path("stranger");
    write_key(&stranger);
    let settings = HostSettings { key_filename: Some(stranger.display().to_string()), ..sshd.settings() };
    let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
    let expected = format!("permission denied; tried key {}; the server allows publickey", stranger.display());
    assert!(message.contains(&expected), "{message}");

    let missing = HostSettings { key_filename: Some("/nonexistent/key".into()), ..sshd.settings() };
    let message = error(host(missing, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("key file /nonexistent/key does not exist"), "{message}");

    let nothing = HostSettings { key_filename: None, ..sshd.settings() };
    let message = error(host(nothing, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("no key was found"), "{message}");
}

// rows: F-62
#[tokio::test]
async fn the_text_of_a_key_is_enough() {
    let sshd = Sshd::start().await;
    let text = std::fs::read_to_string(sshd.path("user_key")).unwrap();
    let settings = HostSettings { key_filename: None, key: Some(Secret::new(text)), ..sshd.settings() };
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
}

fn locked(sshd: &Sshd) -> HostSettings {
    let key = russh::keys::load_secret_key(sshd.path("user_key"), None).unwrap();
    let file = sshd.path("locked_key");
    write_private(&file, &key.encrypt(&mut russh::keys::key::safe_rng(), "open sesame").unwrap());
    HostSettings { key_filename: Some(file.display().to_string()), ..sshd.settings() }
}

#[tokio::test]
async fn an_encrypted_key_asks_once_for_as_long_as_the_host_is_in_use() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(locked(&sshd), &pool);
    let person = Person::who_says(&[Ok("open sesame")]);
    for word in ["one", "two"] {
        let process = host.spawn(piped(&format!("echo {word}")), &person.reach()).await.unwrap();
        assert_eq!(finish(process).await.out(), format!("{word}\n"));
        sshd.kill_sessions();
    }
    let questions = person.questions();
    assert_eq!((questions.len(), &questions[0].kind), (1, &QuestionKind::Secret));
    assert!(questions[0].prompt.contains("locked_key"), "{questions:?}");
    assert_eq!(sshd.logins(), 2);
}

#[tokio::test]
async fn the_passphrase_of_the_deployment_is_used_without_asking() {
    let sshd = Sshd::start().await;
    let right = HostSettings { key_password: Some(Secret::new("open sesame")), ..locked(&sshd) };
    assert_eq!(run(&host(right.clone(), &pool()), piped("echo in")).await.out(), "in\n");
    let wrong = HostSettings { key_password: Some(Secret::new("open barley")), ..right };
    let message = error(host(wrong, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("wrong passphrase") && !message.contains("barley"), "{message}");
}

#[tokio::test]
async fn nobody_is_asked_to_unlock_a_key_the_server_does_not_want() {
    let sshd = Sshd::start().await;
    let settings = locked(&sshd);
    write_key(&sshd.path("other"));
    std::fs::copy(sshd.path("other.pub"), sshd.path("authorized_keys")).unwrap();
    let person = Person::who_says(&[Ok("open sesame")]);
    let message = error(host(settings, &pool()).spawn(piped("true"), &person.reach()).await);
    assert!(message.contains("permission denied; tried key"), "{message}");
    assert_eq!(person.questions().len(), 0);
}

/// An agent with one key in it.
pub(super) struct TestAgent {
    child: Child,
    pub(super) socket: std::path::PathBuf,
}

impl TestAgent {
    pub(super) async fn holding(sshd: &Sshd, key: &str) -> TestAgent {
        let socket = sshd.path("agent.sock");
        let child = Command::new("ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .expect("these tests need ssh-agent: apt-get install openssh-client");
        until("the agent listens", || socket.exists()).await;
        let agent = TestAgent { child, socket };
        agent.add(&sshd.path(key));
        agent
    }

    /// Adds a key, and the certificate beside it.
    pub(super) fn add(&self, key: &std::path::Path) {
        let mut adding = Command::new("ssh-add");
        adding.arg(key).env("SSH_AUTH_SOCK", &self.socket).stderr(Stdio::null());
        assert!(adding.status().unwrap().success());
    }
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

// rows: F-62
#[tokio::test]
async fn keys_of_the_agent_are_tried() {
    let sshd = Sshd::start().await;
    let agent = TestAgent::holding(&sshd, "user_key").await;
    let options = SshOptions { agent: Some(agent.socket.clone()), home: Some("/nonexistent".into()) };
    let settings = HostSettings { key_filename: None, ..sshd.settings() };
    assert_eq!(run(&host(settings.clone(), &SshPool::new(options)), piped("echo in")).await.out(), "in\n");
    // An encrypted file of which the agent holds the key needs no passphrase.
    let options = SshOptions { agent: Some(agent.socket.clone()), home: Some("/nonexistent".into()) };
    assert_eq!(run(&host(locked(&sshd), &SshPool::new(options)), piped("echo in")).await.out(), "in\n");
    // Without the agent there is nothing.
    let options = SshOptions { agent: Some("/nonexistent/agent".into()), home: Some("/nonexistent".into()) };
    let message = error(host(settings, &SshPool::new(options)).spawn(piped("true"), &reach()).await);
    assert!(message.contains("agent /nonexistent/agent ("), "{message}");
}

// rows: F-62 F-63 W-40
#[tokio::test]
async fn the_ssh_configuration_is_enough() {
    let sshd = Sshd::start().await;
    let HostSettings { known_hosts: Some(known), .. } = sshd.settings() else { panic!("known hosts") };
    let config = sshd.path("config");
    std::fs::write(
        &config,
        format!(
            "Host db\n HostName 127.0.0.1\n Port {}\n User root\n IdentityFile {}\n UserKnownHostsFile {}\n",
            sshd.port,
            sshd.path("user_key").display(),
            known[0]
        ),
    )
    .unwrap();
    let settings = HostSettings {
        slug: "db".into(),
        config_filename: Some(config.display().to_string()),
        ..HostSettings::default()
    };
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
}

#[tokio::test]
async fn two_proofs_are_given_where_two_are_wanted() {
    let sshd = Sshd::start_with("AuthenticationMethods publickey,publickey").await;
    write_key(&sshd.path("second"));
    let keys = ["user_key.pub", "second.pub"].map(|name| std::fs::read_to_string(sshd.path(name)).unwrap()).join("\n");
    std::fs::write(sshd.path("authorized_keys"), keys).unwrap();
    let agent = TestAgent::holding(&sshd, "second").await;
    let options = SshOptions { agent: Some(agent.socket.clone()), home: Some("/nonexistent".into()) };
    assert_eq!(run(&host(sshd.settings(), &SshPool::new(options)), piped("echo in")).await.out(), "in\n");
}
