//! Who shares a connection with whom.

use super::*;
use crate::node::HostKeyPolicy;

// rows: F-66 W-56
#[tokio::test]
async fn many_commands_at_once_log_in_once() {
    let sshd = Sshd::start().await;
    let pool = pool();
    // Different definitions of the same host, as two roles or two trees would have them.
    let hosts: Vec<_> = (0..8).map(|_| Arc::new(host(sshd.settings(), &pool))).collect();
    let mut running = tokio::task::JoinSet::new();
    for (index, host) in hosts.into_iter().enumerate() {
        running.spawn(async move { run(&host, piped(&format!("echo {index}"))).await.out().trim().to_string() });
    }
    let mut seen = running.join_all().await;
    seen.sort();
    assert_eq!(seen, (0..8).map(|index| index.to_string()).collect::<Vec<_>>());
    assert_eq!(sshd.logins(), 1, "{}", sshd.log());
    assert_eq!(pool.connections().len(), 1);
}

#[tokio::test]
async fn past_max_sessions_there_is_a_further_connection() {
    let sshd = Sshd::start_with("MaxSessions 10").await;
    let pool = pool();
    let host = Arc::new(host(sshd.settings(), &pool));
    let mut running = tokio::task::JoinSet::new();
    for index in 0..20 {
        let host = host.clone();
        running.spawn(async move {
            let mut process = host.spawn(piped("echo ready; read line; echo $line"), &reach()).await.unwrap();
            read_until(&mut process, "ready").await;
            (index, process)
        });
    }
    let processes = running.join_all().await;
    let connections = pool.connections();
    assert_eq!(connections.iter().map(|connection| connection.channels).sum::<usize>(), 20);
    assert!(connections.iter().all(|connection| connection.channels <= 10), "{connections:?}");
    assert_eq!(sshd.logins(), 2, "{}", sshd.log());
    for (index, process) in processes {
        process.control.input(Bytes::from(format!("line {index}\n"))).await;
        assert_eq!(finish(process).await.out(), format!("line {index}\n"));
    }
}

#[tokio::test]
async fn one_that_is_not_read_does_not_stop_the_others() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    let mut quiet = host.spawn(piped("echo ready; read line; echo \"got $line\""), &reach()).await.unwrap();
    read_until(&mut quiet, "ready").await;
    // Shares the connection, prints without end, and nobody reads it.
    let mut flood = host.spawn(piped("yes"), &reach()).await.unwrap();
    assert_eq!(pool.connections().len(), 1);
    let stalled = || pool.shared.vitals_for_tests().iter().any(|vitals| vitals.stalled());
    until("the connection is held up", stalled).await;
    // Nobody has read anything, so from here on output is dropped.
    until("patience has ended", || !stalled()).await;
    quiet.control.input(bytes("hello\n")).await;
    assert_eq!(finish(quiet).await.out(), "got hello\n");
    // What was dropped is not kept secret.
    read_until(&mut flood, "bytes of output are missing here").await;
}

#[tokio::test]
async fn a_connection_that_died_is_replaced_without_a_word() {
    let mut sshd = Sshd::start().await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    assert_eq!(run(&host, piped("echo one")).await.out(), "one\n");
    sshd.kill_sessions();
    assert_eq!(run(&host, piped("echo two")).await.out(), "two\n");
    sshd.restart().await;
    assert_eq!(run(&host, piped("echo three")).await.out(), "three\n");
    assert_eq!(sshd.logins(), 3, "{}", sshd.log());
}

#[tokio::test]
async fn a_command_whose_connection_died_has_an_unknown_outcome() {
    let sshd = Sshd::start().await;
    let host = host(sshd.settings(), &pool());
    let mut process = host.spawn(piped("echo ready; exec sleep 1000"), &reach()).await.unwrap();
    read_until(&mut process, "ready").await;
    sshd.kill_sessions();
    let finished = finish(process).await;
    let ExitStatus::Unknown(why) = finished.status else { panic!("{finished:?}") };
    assert!(why.starts_with("the server "), "{why}");
}

#[tokio::test]
async fn those_who_wait_are_not_lost_with_the_first() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = Arc::new(host(sshd.settings(), &pool));
    let first = reach();
    let (waiting, also) = (host.clone(), first.clone());
    let cancelled = tokio::spawn(async move { waiting.spawn(piped("echo first"), &also).await });
    tokio::task::yield_now().await;
    let waiting = host.clone();
    let second = tokio::spawn(async move { run(&waiting, piped("echo second")).await });
    tokio::task::yield_now().await;
    first.cancel.cancel();
    assert_eq!(second.await.unwrap().out(), "second\n");
    if let Ok(process) = cancelled.await.unwrap() {
        drop(process);
    }
    assert_eq!(sshd.logins(), 1, "{}", sshd.log());
}

#[tokio::test]
async fn closing_ends_everything() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    let mut process = host.spawn(piped("echo ready; exec sleep 1000"), &reach()).await.unwrap();
    read_until(&mut process, "ready").await;
    let connections = pool.connections();
    assert_eq!((connections.len(), connections[0].channels, connections[0].port), (1, 1, sshd.port));
    pool.close_all().await;
    assert_eq!(pool.connections(), []);
    assert_eq!(finish(process).await.status, ExitStatus::Unknown("the connection was closed here".into()));
    assert_eq!(run(&host, piped("echo again")).await.out(), "again\n");
}

#[tokio::test]
async fn commands_are_stopped_even_when_the_server_has_no_room_for_another_channel() {
    let sshd = Sshd::start_with("MaxSessions 3").await;
    let pool = pool();
    let host = host(sshd.settings(), &pool);
    // A word that no other process of this machine has in its command line.
    let mark = format!("unstoppable-{}-{}", std::process::id(), sshd.port);
    let mut processes = Vec::new();
    for _ in 0..3 {
        let line = format!("trap '' TERM; echo {mark}; while :; do sleep 0.1; done");
        let mut process = host.spawn(piped(&line), &reach()).await.unwrap();
        read_until(&mut process, &mark).await;
        processes.push(process);
    }
    assert!(running_with(&mark) >= 3, "the commands are there to be found");
    drop(processes);
    until("all channels are free", || pool.connections().iter().all(|connection| connection.channels == 0)).await;
    until("no command runs any more", || running_with(&mark) == 0).await;
}

/// How many processes have a word in their command line.
fn running_with(mark: &str) -> usize {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(mark)).count()
}

// rows: F-66
#[tokio::test]
async fn what_nobody_uses_is_closed_what_is_used_is_not_and_the_next_command_dials_again() {
    let sshd = Sshd::start().await;
    let pool = pool();
    let idle = HostSettings { idle_timeout: Some(Duration::from_millis(200)), ..sshd.settings() };
    let used = host(idle.clone(), &pool);
    let mut process = used.spawn(piped("echo ready; read line; echo \"got $line\""), &reach()).await.unwrap();
    read_until(&mut process, "ready").await;
    // Other trust, so another connection; it comes and goes twice while the first one is used and says nothing.
    let unused = host(HostSettings { host_keys: Some(HostKeyPolicy::AcceptNew), ..idle }, &pool);
    for logins in [2, 3] {
        assert_eq!(run(&unused, piped("echo in")).await.out(), "in\n");
        assert_eq!(sshd.logins(), logins);
        until("the one that nobody uses is closed", || pool.connections().len() == 1).await;
    }
    process.control.input(bytes("hello\n")).await;
    assert_eq!(finish(process).await.out(), "got hello\n");
    until("now nobody uses the other one either", || pool.connections().is_empty()).await;
    assert_eq!(sshd.logins(), 3);
}
