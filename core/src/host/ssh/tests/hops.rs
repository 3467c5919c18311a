//! Hosts behind other hosts.

use super::*;
use crate::host::{ConnectError, QuestionKind};
use crate::node::{HostKeyPolicy, JumpHost, ProxySetting};

/// A server as a hop with settings of its own.
fn hop(sshd: &Sshd, slug: &str) -> JumpHost {
    JumpHost::Host(definition(HostSettings { slug: slug.into(), ..sshd.settings() }))
}

fn behind(sshd: &Sshd, hops: Vec<JumpHost>) -> HostSettings {
    HostSettings { proxy: Some(ProxySetting::Jump(hops)), ..sshd.settings() }
}

async fn refusal(settings: HostSettings) -> ConnectError {
    refusal_in(settings, &pool()).await
}

async fn refusal_in(settings: HostSettings, pool: &Arc<SshPool>) -> ConnectError {
    match host(settings, pool).spawn(piped("true"), &reach()).await {
        Err(HostError::Connect(error)) => error,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it must not start"),
    }
}

/// A host with these blocks in its ssh configuration, and one block for each server.
fn configured(slug: &str, blocks: &str, servers: &[(&str, &Sshd)]) -> (tempfile::TempDir, HostSettings) {
    let directory = tempfile::tempdir().unwrap();
    let mut text = blocks.to_string();
    for (name, sshd) in servers {
        text.push_str(&format!(
            "Host {name}\n HostName 127.0.0.1\n Port {}\n IdentityFile {}\n UserKnownHostsFile {}\n",
            sshd.port,
            sshd.path("user_key").display(),
            sshd.settings().known_hosts.unwrap()[0],
        ));
    }
    text.push_str("Host *\n StrictHostKeyChecking yes\n");
    let config = directory.path().join("config");
    std::fs::write(&config, text).unwrap();
    let settings = HostSettings {
        slug: slug.into(),
        config_filename: Some(config.display().to_string()),
        ..HostSettings::default()
    };
    (directory, settings)
}

// rows: F-66 W-40
#[tokio::test]
async fn a_chain_of_three_servers() {
    let (first, second, last) = (Sshd::start().await, Sshd::start().await, Sshd::start().await);
    let pool = pool();
    let host = host(behind(&last, vec![hop(&first, "first"), hop(&second, "second")]), &pool);
    assert_eq!(run(&host, piped("echo $SSH_CONNECTION | cut -d' ' -f4")).await.out().trim(), last.port.to_string());
    assert_eq!([first.logins(), second.logins(), last.logins()], [1, 1, 1]);
    let mut seen: Vec<_> = pool.connections().into_iter().map(|c| (c.port, c.hops, c.via)).collect();
    let mut expected = vec![
        (first.port, 1, None),
        (second.port, 1, Some("127.0.0.1".to_string())),
        (last.port, 0, Some("127.0.0.1, 127.0.0.1".to_string())),
    ];
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    pool.close_all().await;
    assert_eq!(pool.connections(), []);
}

// rows: F-63 W-40
#[tokio::test]
async fn the_ssh_configuration_leads_through_hosts_with_settings_of_their_own() {
    let (bastion, inner, web) = (Sshd::start().await, Sshd::start().await, Sshd::start().await);
    // The first hop's own ProxyJump counts, as with ssh; that of the others does not.
    let blocks = "Host web\n ProxyJump inner\nHost inner\n ProxyJump bastion\nHost bastion\n ProxyJump none\n\
                  Host *\n ProxyJump nowhere.invalid\n";
    let (_directory, settings) = configured("web", blocks, &[("web", &web), ("inner", &inner), ("bastion", &bastion)]);
    let pool = pool();
    assert_eq!(run(&host(settings, &pool), piped("echo in")).await.out(), "in\n");
    assert_eq!([bastion.logins(), inner.logins(), web.logins()], [1, 1, 1]);
    let way = pool.connections().into_iter().find(|connection| connection.port == web.port).unwrap().via;
    assert_eq!(way.as_deref(), Some("bastion, inner"));
}

// rows: F-66 W-56
#[tokio::test]
async fn hosts_behind_one_bastion_log_in_to_it_once() {
    // It allows one session, but a way on to another host is none.
    let bastion = Sshd::start_with("MaxSessions 1").await;
    let others: String = (2..=12).map(|last| format!("ListenAddress 127.0.0.{last}\n")).collect();
    let farm = Sshd::start_with(&others).await;
    let pool = pool();
    let mut running = tokio::task::JoinSet::new();
    for last in 1..=12 {
        let settings = HostSettings {
            address: Some(format!("127.0.0.{last}")),
            host_keys: Some(HostKeyPolicy::AcceptNew),
            ..behind(&farm, vec![hop(&bastion, "bastion")])
        };
        let host = host(settings, &pool);
        running.spawn(async move { run(&host, piped("echo in")).await.out().to_string() });
    }
    assert_eq!(running.join_all().await, vec!["in\n"; 12]);
    assert_eq!((bastion.logins(), farm.logins()), (1, 12), "{}", bastion.log());
    // A command on the bastion itself still has its session.
    let settings = HostSettings { slug: "bastion".into(), ..bastion.settings() };
    assert_eq!(run(&host(settings, &pool), piped("echo bastion")).await.out(), "bastion\n");
    assert_eq!(bastion.logins(), 1);
}

// rows: F-68
#[tokio::test]
async fn a_wrong_key_at_the_second_hop_ends_the_way_there() {
    let (first, second, last) = (Sshd::start().await, Sshd::start().await, Sshd::start().await);
    let settings = behind(&last, vec![hop(&first, "first"), hop(&second, "second")]);
    second.know(&first.path("host_key.pub"));
    let error = refusal(settings).await;
    let expected = format!("hop 2 of 2, {}@127.0.0.1:{}: host key: it has changed", error.user, second.port);
    assert!(error.reason.starts_with(&expected), "{error}");
    assert!(error.hint.unwrap().contains("ssh-keygen"));
    assert_eq!((first.logins(), second.logins(), last.logins()), (1, 0, 0));
}

// rows: F-68
#[tokio::test]
async fn a_dead_hop_is_named() {
    let (first, second, last) = (Sshd::start().await, Sshd::start().await, Sshd::start().await);
    let (dead, settings) = (second.port, behind(&last, vec![hop(&first, "first"), hop(&second, "second")]));
    drop(second);
    let error = refusal(settings).await;
    let expected = format!(
        "web1: cannot connect to {0}@127.0.0.1:{1}: hop 2 of 2, {0}@127.0.0.1:{dead}: connect from 127.0.0.1: connection refused",
        error.user, last.port
    );
    assert!(error.to_string().starts_with(&expected), "{error}");
    let (user, first, last) = (&error.user, first.port, last.port);
    let by_hand =
        format!("try it by hand: ssh -J {user}@127.0.0.1:{first},{user}@127.0.0.1:{dead} -p {last} {user}@127.0.0.1");
    assert_eq!(error.hint, Some(by_hand));
}

#[tokio::test]
async fn a_dead_host_behind_a_good_hop_is_its_own_trouble() {
    let (bastion, web) = (Sshd::start().await, Sshd::start().await);
    let (pool, hops) = (pool(), vec![hop(&bastion, "bastion")]);
    let dead = HostSettings { port: Some(sshd::free_port()), ..behind(&web, hops.clone()) };
    let error = refusal_in(dead, &pool).await;
    assert_eq!(error.reason, "connect from 127.0.0.1: connection refused");
    // Nothing answers there, not even with a refusal.
    let silent = HostSettings {
        address: Some("192.0.2.1".into()),
        timeout: Some(Duration::from_millis(500)),
        ..behind(&web, hops.clone())
    };
    let message = refusal_in(silent, &pool).await.reason;
    assert!(message.starts_with("connect from 127.0.0.1: "), "{message}");
    assert_eq!(run(&host(behind(&web, hops), &pool), piped("echo in")).await.out(), "in\n");
    assert_eq!(bastion.logins(), 1, "{}", bastion.log());
}

#[tokio::test]
async fn a_hop_that_passes_nothing_on_says_so() {
    let (bastion, web) = (Sshd::start_with("AllowTcpForwarding no").await, Sshd::start().await);
    let error = refusal(behind(&web, vec![hop(&bastion, "bastion")])).await;
    assert!(error.reason.ends_with("the hop does not pass connections on"), "{error}");
    assert!(error.hint.unwrap().contains("AllowTcpForwarding"));
}

#[tokio::test]
async fn a_circle_is_found_and_shown() {
    let blocks = "Host web bastion\n HostName %h.example.org\n User anna\nHost *\n ProxyJump bastion\n";
    let (_directory, settings) = configured("web", blocks, &[]);
    let error = refusal(settings).await;
    let (web, bastion) = ("web (anna@web.example.org:22)", "bastion (anna@bastion.example.org:22)");
    assert_eq!(error.reason, format!("the way leads in a circle: {web} <- {bastion} <- {bastion}"));
    assert!(error.hint.unwrap().contains("give bastion a Host block of its own with `ProxyJump none`"));
}

#[tokio::test]
async fn a_way_without_end_is_refused() {
    let (_directory, settings) = configured("web", "Host *\n ProxyJump %h-gate\n", &[]);
    assert!(refusal(settings).await.reason.starts_with("the way is too long: "));
}

#[tokio::test]
async fn questions_say_which_hop_asks() {
    let (bastion, web) = (Sshd::start().await, Sshd::start().await);
    let stranger = HostSettings {
        slug: "bastion".into(),
        host_keys: Some(HostKeyPolicy::Ask),
        known_hosts: Some(vec![bastion.path("empty").display().to_string()]),
        ..bastion.settings()
    };
    let settings = behind(&web, vec![JumpHost::Host(definition(stranger))]);
    let person = Person::who_says(&[Ok("yes")]);
    let process = host(settings, &pool()).spawn(piped("echo in"), &person.reach()).await.unwrap();
    assert_eq!(finish(process).await.out(), "in\n");
    let questions = person.questions();
    assert_eq!((questions.len(), &questions[0].kind), (1, &QuestionKind::Confirm));
    assert_eq!(questions[0].label, "127.0.0.1 (hop 1 of 1 to web1)");
}

#[tokio::test]
async fn a_hop_that_dies_takes_its_hosts_with_it_and_is_replaced() {
    let (bastion, web) = (Sshd::start().await, Sshd::start().await);
    let pool = pool();
    let host = host(behind(&web, vec![hop(&bastion, "bastion")]), &pool);
    let mut process = host.spawn(piped("echo ready; exec sleep 1000"), &reach()).await.unwrap();
    read_until(&mut process, "ready").await;
    bastion.kill_sessions();
    let ExitStatus::Unknown(why) = finish(process).await.status else { panic!("the end was not seen") };
    assert!(why.starts_with("hop 127.0.0.1: the server "), "{why}");
    assert_eq!(run(&host, piped("echo again")).await.out(), "again\n");
    assert_eq!(bastion.logins(), 2);
}

/// As many dials at once as a server with stock settings would drop most of.
#[tokio::test]
async fn a_server_with_stock_settings_is_not_overrun() {
    let sshd = Sshd::start_with("MaxStartups 10:30:100").await;
    let pool = pool();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..40 {
        let mut settings = sshd.settings();
        // Other trust: another connection.
        settings.known_hosts.as_mut().unwrap().push(format!("/nonexistent/{number}"));
        let host = host(settings, &pool);
        running.spawn(async move { run(&host, piped("echo in")).await.out().to_string() });
    }
    assert_eq!(running.join_all().await, vec!["in\n"; 40]);
    assert_eq!(sshd.logins(), 40);
}

/// Somebody else's logins fill the server up; ours are turned away now and then, and come back.
#[tokio::test]
async fn a_server_that_others_have_filled_takes_us_in_the_end() {
    let sshd = Sshd::start_with("MaxStartups 3:100:3\nLoginGraceTime 2").await;
    let others: Vec<_> =
        futures_util::future::join_all((0..3).map(|_| tokio::net::TcpStream::connect(("127.0.0.1", sshd.port)))).await;
    let turned_away = || sshd.log().contains("past MaxStartups") || sshd.log().contains("drop connection");
    assert_eq!(run(&host(sshd.settings(), &pool()), piped("echo in")).await.out(), "in\n");
    assert!(turned_away(), "{}", sshd.log());
    drop(others);
}

/// A server that is reached and says nothing, behind a hop that is quick: only the wait for the former is told.
// rows: F-67
#[tokio::test]
async fn a_slow_connection_says_what_it_waits_for() {
    let bastion = Sshd::start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let settings = HostSettings { port: Some(port), ..behind(&bastion, vec![hop(&bastion, "bastion")]) };
    let (person, pool) = (Person::who_says(&[]), pool());
    let (waiting, reach) = (host(settings, &pool), person.reach());
    let attempt = tokio::spawn(async move { waiting.spawn(piped("true"), &reach).await });
    let told = || person.told.lock().unwrap().clone();
    until("somebody is told", || !told().is_empty()).await;
    let lines = told();
    assert!(
        lines[0].starts_with("web1: connecting to ") && lines[0].contains(&format!("127.0.0.1:{port}: connected, ")),
        "{lines:?}"
    );
    assert_eq!(lines.len(), 1, "{lines:?}");
    // A quick one says nothing.
    assert_eq!(run(&host(bastion.settings(), &pool), piped("echo in")).await.out(), "in\n");
    assert_eq!(told().len(), 1);
    attempt.abort();
}
