//! One person's trouble never becomes another's: floods, slow readers, hundreds of terminals, nothing left behind.

use deployer_protocol::FromClient;

use super::harness::{PATIENCE, TestDaemon, terminal};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until everything that went on behind has ended.
async fn leaves<T: PartialEq + std::fmt::Debug>(what: &str, before: T, now: impl Fn() -> T) {
    let waiting = async {
        while now() != before {
            tokio::task::yield_now().await;
        }
    };
    let ended = tokio::time::timeout(PATIENCE, waiting).await;
    assert!(ended.is_ok(), "{what}: {before:?} before, {:?} after", now());
}

// rows: Q-11
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_reader_delays_nobody_and_is_repainted() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    let mut slow = daemon.join("work", false, terminal(24, 80)).await;
    // More than a socket and a megabyte hold; `slow` reads nothing of it.
    client.type_keys("lines 200000\r").await;
    client.shows("199999 coloured line\n> ").await;
    slow.shows("199999 coloured line\n> ").await;
    let mut fresh = daemon.join("work", false, terminal(24, 80)).await;
    fresh.shows("199999 coloured line\n> ").await;
    assert_eq!(slow.looks(), fresh.looks());
    slow.type_keys("print awake\r").await;
    slow.shows("awake> ").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_clients_see_the_same_session() {
    let daemon = TestDaemon::start();
    let mut writer = daemon.open("work").await;
    let mut others = Vec::new();
    for i in 0..100 {
        others.push(daemon.join("work", i % 2 == 0, terminal(24, 80)).await);
    }
    writer.type_keys("lines 1000\r").await;
    writer.shows("999 coloured line\n> ").await;
    for other in &mut others {
        other.shows("999 coloured line\n> ").await;
        assert_eq!(other.looks(), writer.looks());
    }
    // Clients that are killed disturb nobody.
    others.truncate(3);
    writer.type_keys("print still here\r").await;
    writer.shows("still here> ").await;
    others[2].shows("still here> ").await;
    daemon.lists("four clients", |sessions| sessions[0].clients.len() == 4).await;
}

// rows: Q-26 Q-27
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_is_answered_while_sessions_flood() {
    let daemon = TestDaemon::start();
    let mut flooded = Vec::new();
    for i in 0..20 {
        let mut client = daemon.open(&format!("flood{i}")).await;
        client.type_keys("flood\r").await;
        flooded.push(client);
    }
    daemon
        .lists("twenty floods", |sessions| {
            let running = |state: &deployer_protocol::SessionState| format!("{state:?}").contains("root.flood");
            sessions.len() == 20 && sessions.iter().all(|session| running(&session.state))
        })
        .await;
    let mut client = daemon.open("calm").await;
    client.type_keys("print calm\r").await;
    client.shows("calm> ").await;
    daemon.stop.cancel();
    drop((flooded, client));
    daemon.ends().await;
}

// rows: M-06 M-07 Q-19 Q-20 Q-27 W-08
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parallel_action_has_a_terminal_per_isolation_and_its_summary_comes_last() {
    let daemon = TestDaemon::start();
    let mut client = daemon.client().await;
    // Tall enough to show every line of every isolation.
    client.screen.screen_mut().set_size(1000.try_into().unwrap(), 80.try_into().unwrap());
    client.open("work", Some(terminal(1000, 80)), &["parallel", "80"]).await;
    assert_eq!(client.finished().await, 0);
    let contents = client.contents();
    for index in 0..80 {
        for number in 0..10 {
            let line = format!("web{index:<3} | cell {index} line {number}\n");
            assert_eq!(contents.matches(&line).count(), 1, "{line}");
        }
    }
    assert_eq!(contents.matches("| no end of line\n").count(), 80);
    assert!(contents.ends_with("all done"), "{contents}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_isolations_at_once_leave_no_descriptor() {
    let daemon = TestDaemon::start();
    let mut client = daemon.open("work").await;
    client.type_keys("lines 1\r").await;
    client.shows("0 coloured line\n> ").await;
    let before = descriptors();
    client.type_keys("parallel 400\r").await;
    client.shows("all done\n> ").await;
    leaves("descriptors", before, descriptors).await;
}

// rows: W-43
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_have_ended_leave_nothing_behind() {
    let daemon = TestDaemon::start();
    let mut watcher = daemon.client().await;
    let alive = || (descriptors(), tokio::runtime::Handle::current().metrics().num_alive_tasks());
    let before = alive();
    for round in 0..50 {
        let mut client = daemon.open(&format!("s{round}")).await;
        match round % 3 {
            0 => client.type_keys("exit 0\r").await,
            1 => client.send(FromClient::Kill(format!("s{round}"))).await,
            _ => {
                client.detach().await;
                watcher.send(FromClient::Kill(format!("s{round}"))).await;
            }
        }
    }
    daemon.lists("no session", |sessions| sessions.is_empty()).await;
    leaves("descriptors and tasks", before, alive).await;
}
