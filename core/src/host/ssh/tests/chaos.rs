//! Lines that are slow, freeze and break, between us and a real sshd: what is said about a command is true.

use super::hostile::count_panics;
use super::proxy::{Mood, Proxy, Rule};
use super::scripted::{Rules, Scripted};
use super::*;
use crate::node::Secret;

/// A host behind a proxy.
async fn behind(sshd: &Sshd, rule: Rule) -> (Proxy, HostSettings) {
    let proxy = Proxy::to(sshd.port, rule).await;
    let settings = HostSettings {
        port: Some(proxy.port),
        host_keys: Some(crate::node::HostKeyPolicy::AcceptNew),
        timeout: Some(Duration::from_secs(10)),
        ..sshd.settings()
    };
    (proxy, settings)
}

/// A command that tells that it runs and never ends.
async fn endless(host: &SshHost) -> Process {
    let mut process = host.spawn(piped("echo ready; exec sleep 1000"), &reach()).await.unwrap();
    read_until(&mut process, "ready").await;
    process
}

fn unknown(finished: Finished) -> String {
    match finished.status {
        ExitStatus::Unknown(why) => why,
        status => panic!("nobody can know that it was {status:?}"),
    }
}

#[tokio::test]
async fn single_bytes_and_delays_change_nothing() {
    let sshd = Sshd::start().await;
    for mood in [Mood::Bytewise, Mood::Slow(Duration::from_millis(10))] {
        let (_proxy, settings) = behind(&sshd, Rule::always(mood)).await;
        let finished = run(&host(settings, &pool()), piped("seq 1 2000; echo done >&2; exit 3")).await;
        let expected: String = (1..=2000).map(|number| format!("{number}\n")).collect();
        assert_eq!((finished.out(), finished.err.as_slice()), (expected.as_str(), &b"done\n"[..]));
        assert_eq!(finished.status, ExitStatus::Code(3));
    }
}

// rows: F-36
#[tokio::test]
async fn a_line_that_breaks_under_a_command_leaves_its_outcome_unknown() {
    let sshd = Sshd::start().await;
    for (mood, why) in [
        (Mood::Cut, "the server "),
        (Mood::HalfClose, "the server closed the connection"),
        (Mood::Freeze, "the server does not answer keepalive messages"),
    ] {
        let (proxy, settings) = behind(&sshd, Rule::always(Mood::Pass)).await;
        let settings = HostSettings { keepalive: Some(Duration::from_millis(200)), ..settings };
        let host = host(settings, &pool());
        let process = endless(&host).await;
        proxy.now(mood);
        let told = unknown(finish(process).await);
        assert!(told.starts_with(why), "{mood:?}: {told}");
        assert_eq!(proxy.connections(), 1, "it must not be run again");
    }
}

#[tokio::test]
async fn a_line_that_breaks_while_nobody_uses_it_is_replaced_without_a_word() {
    let sshd = Sshd::start().await;
    for mood in [Mood::Cut, Mood::HalfClose, Mood::Freeze] {
        let (proxy, settings) = behind(&sshd, Rule::always(Mood::Pass)).await;
        // No keepalive: the dead connection is found by whoever wants to use it.
        let settings =
            HostSettings { keepalive: Some(Duration::ZERO), timeout: Some(Duration::from_secs(2)), ..settings };
        let host = host(settings, &pool());
        assert_eq!(run(&host, piped("echo one")).await.out(), "one\n");
        proxy.now(mood);
        assert_eq!(run(&host, piped("echo two")).await.out(), "two\n", "{mood:?}");
        assert_eq!(proxy.connections(), 2, "{mood:?}");
    }
}

#[tokio::test]
async fn the_watchdog_ends_what_is_stuck_below_its_own_timers() {
    let sshd = Sshd::start().await;
    let (proxy, settings) = behind(&sshd, Rule::always(Mood::Pass)).await;
    let settings = HostSettings { keepalive: Some(Duration::from_millis(300)), ..settings };
    let pool = pool();
    let host = host(settings, &pool);
    let mut processes = Vec::new();
    for _ in 0..8 {
        let mut process = host.spawn(piped("echo ready; cat >/dev/null"), &reach()).await.unwrap();
        read_until(&mut process, "ready").await;
        processes.push(process);
    }
    // More than the line holds: russh waits in the middle of a write, where its keepalive cannot count.
    proxy.now(Mood::Freeze);
    let block = Bytes::from(vec![b'x'; 64 * 1024]);
    let mut feeding = tokio::task::JoinSet::new();
    for process in &processes {
        let (control, block) = (process.control.clone(), block.clone());
        feeding.spawn(async move {
            for _ in 0..128 {
                control.input(block.clone()).await;
            }
        });
    }
    for process in processes {
        let told = unknown(finish(process).await);
        assert_eq!(told, "the server has been silent for too long");
    }
    feeding.abort_all();
    assert_eq!(pool.connections(), []);
}

#[tokio::test]
async fn a_handshake_that_is_cut_at_any_byte_is_told_with_host_and_step() {
    cut_everywhere(Mood::Cut, 1).await;
}

#[tokio::test]
async fn a_handshake_that_freezes_is_told_with_host_and_step() {
    cut_everywhere(Mood::Freeze, 23).await;
}

/// Lets every `stride`-th number of bytes of a server through, and then the mood sets in.
async fn cut_everywhere(mood: Mood, stride: usize) {
    let rules =
        Rules { methods: vec![russh::MethodKind::Password], password: Some("right"), short: true, ..Rules::default() };
    let server = Scripted::start(rules).await;
    let settings = HostSettings {
        password: Some(Secret::new("right")),
        timeout: Some(Duration::from_secs(1)),
        keepalive: Some(Duration::from_millis(300)),
        ..server.settings()
    };
    let whole = Proxy::to(server.port, Rule::always(Mood::Pass)).await;
    let pass = HostSettings { port: Some(whole.port), ..settings.clone() };
    assert_eq!(run(&host(pass, &pool()), piped("hello")).await.out(), "output");
    let length = whole.handed_on();
    assert!(length > 500, "{length}");
    let panics = count_panics();
    let mut trying = tokio::task::JoinSet::new();
    let turns = Arc::new(tokio::sync::Semaphore::new(24));
    for bytes in (0..length).step_by(stride) {
        let (settings, turns, port) = (settings.clone(), turns.clone(), server.port);
        trying.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let proxy = Proxy::to(port, Rule::after(bytes, mood)).await;
            let settings = HostSettings { port: Some(proxy.port), ..settings };
            let host = host(settings, &pool());
            let started =
                within(&format!("an outcome after {bytes} bytes"), host.spawn(piped("hello"), &reach())).await;
            let told = match started {
                Err(error) => error.to_string(),
                Ok(process) => match finish(process).await.status {
                    ExitStatus::Unknown(why) => format!("unknown: {why}"),
                    status => panic!("after {bytes} of {length} bytes: {status:?}"),
                },
            };
            (proxy.port, bytes, told)
        });
    }
    let mut steps = std::collections::BTreeSet::new();
    while let Some(tried) = trying.join_next().await {
        let (port, bytes, told) = tried.unwrap();
        let step = match told.strip_prefix(&format!("odd: cannot connect to anna@127.0.0.1:{port}: ")) {
            Some(reason) => reason.split(':').next().unwrap().to_string(),
            None => told.split(':').next().unwrap().to_string(),
        };
        let known = ["SSH greeting", "key exchange", "authentication", "login", "channel", "unknown", "odd"];
        assert!(known.contains(&step.as_str()), "after {bytes} of {length} bytes: {told}");
        assert!(told.len() < 500 && !told.chars().any(|c| c.is_control() && c != '\n'), "{told:?}");
        steps.insert(step);
    }
    for step in ["SSH greeting", "key exchange", "authentication", "unknown"] {
        assert!(steps.contains(step), "{step} is not in {steps:?}");
    }
    assert_eq!(panics.load(std::sync::atomic::Ordering::Acquire), 0, "nothing may panic");
}
