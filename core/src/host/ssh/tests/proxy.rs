//! A proxy between us and a server that delays, freezes, cuts and takes apart what goes through it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// What happens to what goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Pass,
    /// Every byte by itself.
    Bytewise,
    /// Every piece so much later.
    Slow(Duration),
    /// Nothing goes through any more, and nothing is said.
    Freeze,
    /// Both sides see the end.
    Cut,
    /// We see the end of what the server says; the server still hears us.
    HalfClose,
}

/// The mood of new connections: what comes from the server passes up to a number of bytes, then another mood sets in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) first: Mood,
    pub(super) bytes: usize,
    pub(super) then: Mood,
}

impl Rule {
    pub(super) fn always(mood: Mood) -> Rule {
        Rule { first: mood, bytes: usize::MAX, then: mood }
    }

    pub(super) fn after(bytes: usize, then: Mood) -> Rule {
        Rule { first: Mood::Pass, bytes, then }
    }
}

/// The proxy; it ends with the test.
pub(super) struct Proxy {
    pub(super) port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// The moods of the connections there are.
    moods: Mutex<Vec<watch::Sender<Mood>>>,
    /// Bytes that came from servers and were handed on, in all.
    from_server: AtomicUsize,
}

impl Proxy {
    pub(super) async fn to(server: u16, rule: Rule) -> Proxy {
        let socket = TcpSocket::new_v4().unwrap();
        // Small, so that a freeze is felt soon.
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        tokio::spawn(serve(listener, server, rule, state.clone()));
        Proxy { port, state }
    }

    /// Changes the mood of the connections there are; new ones pass by their rule.
    pub(super) fn now(&self, mood: Mood) {
        for connection in self.state.moods.lock().unwrap().iter() {
            connection.send_replace(mood);
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.state.moods.lock().unwrap().len()
    }

    pub(super) fn handed_on(&self) -> usize {
        self.state.from_server.load(Ordering::Acquire)
    }
}

async fn serve(listener: TcpListener, server: u16, rule: Rule, state: Arc<State>) {
    while let Ok((ours, _)) = listener.accept().await {
        let Ok(theirs) = TcpStream::connect(("127.0.0.1", server)).await else { continue };
        ours.set_nodelay(true).unwrap();
        theirs.set_nodelay(true).unwrap();
        let (mood, moods) = watch::channel(rule.first);
        state.moods.lock().unwrap().push(mood.clone());
        let ((our_read, our_write), (their_read, their_write)) = (ours.into_split(), theirs.into_split());
        let counted = Some((state.clone(), rule, mood));
        tokio::spawn(pump(their_read, our_write, moods.clone(), counted));
        tokio::spawn(pump(our_read, their_write, moods, None));
    }
}

type Counted = Option<(Arc<State>, Rule, watch::Sender<Mood>)>;

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut moods: watch::Receiver<Mood>, counted: Counted) {
    let mut buffer = vec![0; 4096];
    let mut passed = 0;
    loop {
        let mood = *moods.borrow_and_update();
        let downwards = counted.is_some();
        match mood {
            Mood::Cut => return,
            Mood::HalfClose if downwards => {
                let _gone_already = to.shutdown().await;
                // The other direction goes on for as long as this half lives.
                return moods.wait_for(|mood| *mood == Mood::Cut).await.map(drop).unwrap_or_default();
            }
            Mood::Freeze => {
                if moods.changed().await.is_err() {
                    return;
                }
                continue;
            }
            _ => {}
        }
        let left = counted.as_ref().map_or(usize::MAX, |(_, rule, _)| rule.bytes - passed);
        if left == 0
            && let Some((_, rule, mood)) = &counted
            && *mood.borrow() == rule.first
        {
            mood.send_replace(rule.then);
            continue;
        }
        let room = if left == 0 { buffer.len() } else { left.min(buffer.len()) };
        let read = tokio::select! {
            read = from.read(&mut buffer[..room]) => read,
            changed = moods.changed() => {
                if changed.is_err() {
                    return;
                }
                continue;
            }
        };
        let Ok(read @ 1..) = read else {
            let _gone_already = to.shutdown().await;
            return;
        };
        if let Mood::Slow(time) = mood {
            tokio::time::sleep(time).await;
        }
        let pieces = if mood == Mood::Bytewise { 1 } else { read };
        for piece in buffer[..read].chunks(pieces) {
            if to.write_all(piece).await.is_err() {
                return;
            }
        }
        passed = passed.saturating_add(read);
        if let Some((state, ..)) = &counted {
            state.from_server.fetch_add(read, Ordering::AcqRel);
            passed = passed.min(usize::MAX - 1);
        }
    }
}
