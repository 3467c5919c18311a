//! Hosts reached through a program.

use std::path::PathBuf;

use super::*;
use crate::node::ProxySetting;

fn by(sshd: &Sshd, command: &str) -> HostSettings {
    HostSettings { proxy: Some(ProxySetting::Command(command.into())), ..sshd.settings() }
}

/// A program that passes bytes on to the server, with bash's own means.
fn pipe_to(sshd: &Sshd) -> String {
    let script = sshd.path("pass-on");
    let text = "#!/bin/bash\necho $$ > \"$3\"\nexec 3<>\"/dev/tcp/$1/$2\"\ncat <&3 & cat >&3\nkill $!\n";
    std::fs::write(&script, text).unwrap();
    format!("bash {} %h %p {}", script.display(), sshd.path("pid").display())
}

fn process(sshd: &Sshd) -> PathBuf {
    let pid = std::fs::read_to_string(sshd.path("pid")).unwrap();
    PathBuf::from(format!("/proc/{}", pid.trim()))
}

// rows: W-40
#[tokio::test]
async fn a_program_is_the_way_and_ends_with_the_connection() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(by(&sshd, &pipe_to(&sshd)), &pool);
    assert_eq!(run(&host, piped("echo one")).await.out(), "one\n");
    assert_eq!(run(&host, piped("echo two")).await.out(), "two\n");
    assert_eq!(sshd.logins(), 1);
    assert_eq!(pool.connections()[0].via.as_deref(), Some("a proxy command"));
    let program = process(&sshd);
    assert!(program.exists());
    pool.close_all().await;
    until("the program has ended", || !program.exists()).await;
}

#[tokio::test]
async fn what_a_program_says_is_in_the_error() {
    let sshd = Sshd::start().await;
    let message =
        error(host(by(&sshd, "sh -c 'echo no way to %h >&2; exit 3'"), &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("the proxy command ended (status 3): no way to 127.0.0.1"), "{message}");
    let message = error(host(by(&sshd, "/nonexistent/program"), &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("/nonexistent/program: "), "{message}");
}

#[tokio::test]
async fn a_program_that_says_nothing_costs_one_limit() {
    let sshd = Sshd::start().await;
    let command =
        format!("sh -c 'echo waiting for the line >&2; echo $$ > {}; exec sleep 1000'", sshd.path("pid").display());
    let settings = HostSettings { timeout: Some(Duration::from_millis(500)), ..by(&sshd, &command) };
    let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
    let expected = "SSH greeting: no answer within 0.5 s; the proxy command says: waiting for the line";
    assert!(message.contains(expected), "{message}");
    let program = process(&sshd);
    until("the program has ended", || !program.exists()).await;
}

#[tokio::test]
async fn a_name_that_a_shell_would_take_apart_is_refused() {
    let sshd = Sshd::start().await;
    for (address, user) in [("web;reboot", "anna"), ("-oX", "anna"), ("$(id)", "anna"), ("web1", "a;b"), ("web1", "-l")]
    {
        let settings = HostSettings {
            address: Some(address.into()),
            username: Some(user.into()),
            ..by(&sshd, "sh -c 'echo started >&2' %h %r")
        };
        let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
        assert!(message.contains("cannot be used as a") && !message.contains("started"), "{message}");
    }
}

#[tokio::test]
async fn straight_means_straight_whatever_the_configuration_says() {
    let sshd = Sshd::start().await;
    let config = sshd.path("config");
    std::fs::write(&config, "ProxyCommand /nonexistent/program").unwrap();
    let settings = HostSettings { config_filename: Some(config.display().to_string()), ..sshd.settings() };
    let message = error(host(settings.clone(), &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("/nonexistent/program"), "{message}");
    let straight = HostSettings { proxy: Some(ProxySetting::Direct), ..settings };
    assert_eq!(run(&host(straight, &pool()), piped("echo in")).await.out(), "in\n");
}
