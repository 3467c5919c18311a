//! Months in short: sessions and clients by the hundred, and nothing left of them. `DEPLOYER_SOAK` says how many
//! sessions; 10,000 take some minutes.

use deployer_protocol::FromClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{PATIENCE, TestDaemon, terminal};

fn sessions() -> usize {
    std::env::var("DEPLOYER_SOAK").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Descriptors, tasks and threads of this process, which is daemon and clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Held {
    descriptors: usize,
    tasks: usize,
}

fn held() -> Held {
    let descriptors = std::fs::read_dir("/proc/self/fd").unwrap().count();
    Held { descriptors, tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks() }
}

/// A line of `/proc/self/status`: resident memory in KiB, or the number of threads.
fn status(name: &str) -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_matches([':', '\t', ' ', 'k', 'B']).parse().unwrap()
}

async fn back_to(before: Held) {
    let waiting = async {
        while held() > before {
            tokio::task::yield_now().await;
        }
    };
    let back = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(back.is_ok(), "{before:?} before, {:?} after", held());
}

/// One session, in one of the ways that there are to begin and to end one.
async fn one(daemon: &TestDaemon, number: usize) {
    let name = format!("s{number}");
    match number % 4 {
        0 => {
            let mut client = daemon.open(&name).await;
            client.type_keys("lines 50\rexit 0\r").await;
            client.finished().await;
        }
        1 => {
            let mut client = daemon.open(&name).await;
            client.type_keys("lines 50\r").await;
            // Cut off in mid-frame, as by kill -9.
            client.frames.get_mut().write_all(&[0, 0, 1]).await.unwrap();
            drop(client);
            daemon.client().await.send(FromClient::Kill(name)).await;
        }
        2 => {
            let mut client = daemon.open(&name).await;
            let watcher = daemon.join(&name, true, terminal(10, 40)).await;
            client.send(FromClient::Kill(name)).await;
            client.finished().await;
            drop(watcher);
        }
        _ => {
            let mut peer = TcpStream::connect(daemon.telnet).await.unwrap();
            peer.write_all(super::telnet::REAL).await.unwrap();
            peer.write_all(b"size\rexit 0\r").await.unwrap();
            let mut read = Vec::new();
            peer.read_to_end(&mut read).await.unwrap();
            assert!(String::from_utf8_lossy(&read).contains("43x132"), "{}", read.escape_ascii());
        }
    }
}

// rows: Q-27 W-43
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_sessions_come_and_go_and_leave_nothing() {
    let daemon = TestDaemon::start();
    // What is made once is made.
    for number in 0..20 {
        one(&daemon, number).await;
    }
    daemon.lists("no session", <[_]>::is_empty).await;
    let (before, memory, threads) = (held(), status("VmRSS"), status("Threads"));
    for number in 0..sessions() {
        one(&daemon, number).await;
    }
    daemon.lists("no session", <[_]>::is_empty).await;
    back_to(before).await;
    // Threads for blocking calls come and go: one more or less is no leak.
    assert!(status("Threads") <= threads + 2, "{threads} threads before, {} after", status("Threads"));
    let grown = status("VmRSS").saturating_sub(memory);
    assert!(grown < memory / 20 + 4096, "{memory} KiB before, {grown} KiB more after");
}

/// Figure 2: of many clients on many sessions some die at random, the others notice nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_clients_die_and_the_others_notice_nothing() {
    let daemon = TestDaemon::start();
    // It listens when it answers: from then on it holds what it always holds.
    assert!(daemon.sessions().await.is_empty());
    let before = held();
    let mut clients = Vec::new();
    for session in 0..10 {
        let name = format!("s{session}");
        let first = daemon.open(&name).await;
        clients.push((session, first));
        for number in 0..4 {
            clients.push((session, daemon.join(&name, number == 0, terminal(24, 80)).await));
        }
    }
    // A fixed sequence that looks random.
    let mut random: usize = 12345;
    for _ in 0..35 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let victim = (random >> 33) % clients.len();
        let (_, mut client) = clients.swap_remove(victim);
        client.frames.get_mut().write_all(&[0, 0, 0, 9, 0]).await.unwrap();
    }
    for (session, client) in &mut clients {
        let mut other = daemon.client().await;
        other.send(FromClient::Join(super::harness::join(&format!("s{session}")))).await;
        other.type_keys(&format!("print alive{session}\r")).await;
        client.shows(&format!("alive{session}")).await;
    }
    daemon.lists("ten sessions", |sessions| sessions.len() == 10).await;
    drop(clients);
    for session in 0..10 {
        daemon.client().await.send(FromClient::Kill(format!("s{session}"))).await;
    }
    daemon.lists("no session", <[_]>::is_empty).await;
    back_to(before).await;
}
