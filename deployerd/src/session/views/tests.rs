//! The view of a session, on a real PTY, with isolations that are tasks of the test.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::options::Options;
use deployer_core::terminal::{Announced, KeyboardHub, Size, Terminal};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Front, Screen, Views};
use crate::session::pty::{self, Master};
use crate::session::terminal::{Port, PtyTerminal};

const SIZE: Size = Size { rows: 24, cols: 80 };
/// How long a fact may take before a test gives up; nothing is measured by it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A session's terminal and what it shows.
struct Session {
    terminal: Arc<dyn Terminal>,
    keys: KeyboardHub,
    master: Master,
    shown: vt100::Parser,
}

impl Session {
    fn new() -> Session {
        let (master, slave) = pty::open(SIZE).unwrap();
        let (port, front, keys) = (Arc::new(Port::new(slave)), Arc::<Front>::default(), KeyboardHub::new());
        let size = watch::Sender::new(SIZE).subscribe();
        let screen = Screen {
            port: port.clone(),
            front: front.clone(),
            keys: keys.clone(),
            size: size.clone(),
            colour: true,
            behind: None,
        };
        let terminal = PtyTerminal {
            port,
            front,
            options: Options::of_daemon(),
            views: Views::start(&Handle::current(), screen),
            keys: keys.clone(),
            served_on: Handle::current(),
            size,
            term: "xterm".to_string(),
            colour: true,
            interactive: true,
            windows: None,
            finished: None,
            behind: None,
        };
        let shown = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        Session { terminal: Arc::new(terminal), keys, master, shown }
    }

    async fn begin(&self, title: &str, labels: &[String]) -> Arc<Announced> {
        Announced::begin(&self.terminal, title.to_string(), labels.to_vec(), CancellationToken::new()).await
    }

    /// Reads until the screen shows a fact.
    async fn wait_for(&mut self, fact: &str, holds: impl Fn(&vt100::Screen) -> bool) {
        let mut buffer = vec![0; 65536];
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !holds(self.shown.screen()) {
            let read = tokio::time::timeout_at(deadline, self.master.read(&mut buffer)).await;
            let read = if tokio::time::Instant::now() < deadline { read } else { return self.missing(fact) };
            let Ok(Ok(count @ 1..)) = read else { return self.missing(fact) };
            self.shown.process(&buffer[..count]);
        }
    }

    fn missing(&self, fact: &str) {
        panic!("no {fact} on:\n{}", self.shown.screen().contents());
    }

    async fn shows(&mut self, text: &str) {
        self.wait_for(text, |screen| screen.contents().contains(text)).await;
    }
}

fn labels(name: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{name}{number}")).collect()
}

/// Isolations that print without end, as `yes` does.
async fn flood(run: &Arc<Announced>, count: usize) -> tokio::task::JoinSet<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..count {
        let terminal = run.open(index).await.unwrap();
        tasks.spawn(async move {
            let line = format!("yes from {index}\r\n").repeat(100);
            while terminal.write(line.as_bytes()).await.is_ok() {}
        });
    }
    tasks
}

// rows: W-55
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_answered_while_two_hundred_hosts_flood() {
    let mut session = Session::new();
    let run = session.begin("web.flood", &labels("w", 200)).await;
    let mut tasks = flood(&run, 200).await;
    session.shows("200 hosts: 200 running").await;
    // The first Enter may unfold a line that stands for several, the second one opens it.
    session.keys.push(Bytes::from_static(b"G\r\r")).await;
    session.shows("Ctrl-G: back").await;
    session.keys.push(Bytes::from_static(b"\x07\x03")).await;
    session.shows("s: stop all hosts").await;
    tasks.shutdown().await;
    drop(run);
    session.wait_for("what was there before", |screen| !screen.alternate_screen()).await;
}

// rows: Q-28 W-30
#[tokio::test]
async fn two_runs_at_once_and_one_within_another_share_the_view() {
    let mut session = Session::new();
    session.terminal.print("the prompt was here\n").await.unwrap();
    let web = session.begin("web.go", &labels("web", 2)).await;
    let db = session.begin("db.go", &labels("db", 1)).await;
    let (web1, web2, db1) = (web.open(0).await.unwrap(), web.open(1).await.unwrap(), db.open(0).await.unwrap());
    let cancel = CancellationToken::new();
    let inner = Announced::begin(&web1, "app.go".to_string(), labels("app", 2), cancel).await;
    let app1 = inner.open(0).await.unwrap();
    for (terminal, text) in [(&web1, "one"), (&web2, "two"), (&db1, "three"), (&app1, "four")] {
        terminal.print(&format!("{text}\n")).await.unwrap();
    }
    session.shows("and 2 more  5 hosts: 4 running, 1 queued").await;
    for text in ["web1", "web2", "db1", "web1/app1", "web1/app2", "one", "two", "three", "four"] {
        session.shows(text).await;
    }
    // What the session itself prints meanwhile waits, its last line is news.
    session.terminal.print("a notice\n").await.unwrap();
    session.shows("a notice").await;
    app1.finish().await.unwrap();
    inner.ended(0, "ok", Duration::ZERO);
    inner.finish().await;
    for (run, index, terminal) in [(&web, 0, &web1), (&web, 1, &web2), (&db, 0, &db1)] {
        terminal.finish().await.unwrap();
        run.ended(index, "ok", Duration::ZERO);
    }
    tokio::join!(web.finish(), db.finish());
    session.terminal.print("the summary\n").await.unwrap();
    session.shows("the summary").await;
    let contents = session.shown.screen().contents();
    let at = |text: &str| contents.find(text).unwrap_or_else(|| panic!("no {text:?} in:\n{contents}"));
    assert!(!session.shown.screen().alternate_screen());
    assert!(at("the prompt was here") < at("a notice") && at("a notice") < at("web1 | one"), "{contents}");
    assert!(at("web1 | one") < at("web1 | web1/app1 | four") && at("db1 | three") < at("the summary"), "{contents}");
}

// rows: Q-21
#[tokio::test]
async fn with_keep_panes_open_the_view_stays_until_it_is_closed() {
    let mut session = Session::new();
    let options = Options::of_daemon();
    options.set("keep-panes-open", "on").unwrap();
    options.set("parallel-view", "fold").unwrap();
    let (master, slave) = pty::open(SIZE).unwrap();
    let port = Arc::new(Port::new(slave));
    let front = Arc::<Front>::default();
    let size = watch::Sender::new(SIZE).subscribe();
    let screen = Screen {
        port: port.clone(),
        front: front.clone(),
        keys: session.keys.clone(),
        size: size.clone(),
        colour: false,
        behind: None,
    };
    let views = Views::start(&Handle::current(), screen);
    let keys = session.keys.clone();
    let (term, colour, interactive) = ("xterm".to_string(), false, true);
    session.terminal = Arc::new(PtyTerminal {
        port,
        front,
        options,
        views,
        keys,
        served_on: Handle::current(),
        size,
        term,
        colour,
        interactive,
        windows: None,
        finished: None,
        behind: None,
    });
    session.master = master;
    let run = session.begin("web.go", &labels("web", 2)).await;
    let terminals = [run.open(0).await.unwrap(), run.open(1).await.unwrap()];
    for terminal in &terminals {
        terminal.print("hello\n").await.unwrap();
    }
    session.shows("running  2: web[1-2]").await;
    for (index, terminal) in terminals.iter().enumerate() {
        terminal.finish().await.unwrap();
        run.ended(index, "ok", Duration::ZERO);
    }
    let closing = tokio::spawn(async move { run.finish().await });
    session.shows("all have ended").await;
    assert!(!closing.is_finished() && session.shown.screen().alternate_screen());
    session.keys.push(Bytes::from_static(b"q")).await;
    closing.await.unwrap();
    session.shows("2 hosts, the same output: web[1-2]").await;
}
