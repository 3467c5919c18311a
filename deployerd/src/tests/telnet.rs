//! Telnet peers as a daemon meets them: silent, hostile, slow, and real ones byte by byte.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::harness::{PATIENCE, TestDaemon};

/// A peer that speaks bytes and reads text.
struct Peer {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Peer {
    async fn new(daemon: &TestDaemon) -> Peer {
        Peer { stream: TcpStream::connect(daemon.telnet).await.unwrap(), read: Vec::new() }
    }

    async fn says(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Reads until this was shown.
    async fn shows(&mut self, text: &str) {
        let reading = async {
            while !String::from_utf8_lossy(&self.read).contains(text) {
                if self.stream.read_buf(&mut self.read).await.unwrap_or(0) == 0 {
                    return false;
                }
            }
            true
        };
        let shown = tokio::time::timeout(PATIENCE, reading).await;
        assert_eq!(shown, Ok(true), "waited for {text:?}; got {:?}", self.read.escape_ascii().to_string());
    }

    /// Reads to the end of the connection.
    async fn closed(&mut self) -> String {
        let reading = async { while self.stream.read_buf(&mut self.read).await.unwrap_or(0) > 0 {} };
        assert!(tokio::time::timeout(PATIENCE, reading).await.is_ok(), "waited for the daemon to close");
        String::from_utf8_lossy(&self.read).into_owned()
    }
}

/// What Debian's telnet answers in a window of 43 lines and 132 columns, as recorded.
pub(super) const REAL: &[u8] = b"\xff\xfd\x01\xff\xfd\x03\xff\xfb\x03\xff\xfd\x00\xff\xfb\x00\xff\xfb\x18\xff\xfb\x1f\
    \xff\xfa\x1f\x00\x84\x00\x2b\xff\xf0\xff\xfa\x18\x00XTERM-256COLOR\xff\xf0";

// rows: R-01 R-03 R-04 R-10
#[tokio::test]
async fn a_client_that_negotiates_has_its_size_and_the_end_of_the_session_ends_the_line() {
    let daemon = TestDaemon::start();
    let mut peer = Peer::new(&daemon).await;
    peer.says(REAL).await;
    peer.shows("> ").await;
    peer.says(b"size\r").await;
    peer.shows("43x132").await;
    peer.says(b"\xff\xfa\x1f\x00\x64\x00\x1e\xff\xf0size\r").await;
    peer.shows("30x100").await;
    daemon.lists("one session with one client", |sessions| sessions.len() == 1 && sessions[0].clients.len() == 1).await;
    peer.says(b"exit 0\r").await;
    peer.closed().await;
    daemon.lists("no session", <[_]>::is_empty).await;
}

// rows: R-04 W-61
#[tokio::test(start_paused = true)]
async fn who_never_negotiates_is_invited_and_has_80_columns() {
    let daemon = TestDaemon::start();
    let mut peer = Peer::new(&daemon).await;
    peer.shows("press Enter to begin").await;
    // What the kernel passes on between two ends takes real time.
    tokio::time::resume();
    assert!(daemon.sessions().await.is_empty(), "a port scanner gets no session");
    peer.says(b"\r\n").await;
    peer.shows("> ").await;
    peer.says(b"size\r\n").await;
    peer.shows("24x80").await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_let_go_after_twenty_seconds() {
    let daemon = TestDaemon::start();
    let begin = tokio::time::Instant::now();
    let said = Peer::new(&daemon).await.closed().await;
    assert!(said.contains("nothing was said within 20 s"), "{said}");
    assert_eq!(begin.elapsed().as_secs(), 20);
}

#[tokio::test]
async fn a_line_that_is_lost_or_left_leaves_the_session() {
    let daemon = TestDaemon::start();
    let mut lost = Peer::new(&daemon).await;
    lost.says(REAL).await;
    lost.shows("> ").await;
    drop(lost);
    daemon.lists("a session without a client", |all| matches!(all, [one] if one.clients.is_empty())).await;
    let mut left = Peer::new(&daemon).await;
    left.says(REAL).await;
    left.shows("> ").await;
    left.says(b"print he\x1cre").await;
    let said = left.closed().await;
    assert!(said.contains("detached from session s2: `deployer connect --session s2` comes back"), "{said}");
    let back = daemon.join("s2", false, super::harness::terminal(43, 132)).await;
    let mut back = back;
    back.shows("> print he").await;
}

#[tokio::test]
async fn a_peer_that_negotiates_for_ever_is_let_go() {
    let daemon = TestDaemon::start();
    let mut peer = Peer::new(&daemon).await;
    peer.says(&b"\xff\xfd\x01\xff\xfe\x01".repeat(600)).await;
    let said = peer.closed().await;
    assert!(said.contains("more than 1000 requests for telnet options"), "{said}");
}

#[tokio::test]
async fn a_thousand_silent_telnet_peers_disturb_nobody_at_the_socket() {
    let daemon = TestDaemon::start();
    let mut silent = Vec::new();
    for _ in 0..1000 {
        silent.push(TcpStream::connect(daemon.telnet).await.unwrap());
    }
    let mut client = daemon.open("s").await;
    client.type_keys("print fine\r").await;
    client.shows("fine>").await;
}

/// Keys without end into a session whose program does not read: what nobody reads is refused, not kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_keys_from_telnet_disturbs_nobody() {
    let daemon = TestDaemon::start();
    let mut typist = Peer::new(&daemon).await;
    typist.says(REAL).await;
    typist.shows("> ").await;
    typist.says(b"deaf\r").await;
    let (_reads, mut writes) = typist.stream.into_split();
    let flood = tokio::spawn(async move {
        let keys = vec![b'x'; 64 * 1024];
        for _ in 0..1600 {
            if writes.write_all(&keys).await.is_err() {
                return;
            }
        }
    });
    let mut calm = daemon.open("calm").await;
    for word in ["one", "two", "three"] {
        calm.type_keys(&format!("print {word}\r")).await;
        calm.shows(&format!("{word}> ")).await;
    }
    flood.abort();
}
