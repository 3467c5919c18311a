//! One SFTP channel: requests out, answers in, each to whoever asked (row W-51).

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use russh::{ChannelMsg, ChannelReadHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::assembly::Assembly;
use super::greeting::{Abilities, greet};
use super::packet::{self, Reply, Request};
use crate::host::files::{Answer, Fault, Problem};
use crate::host::ssh::channel::{WriteHalf, close};
use crate::host::ssh::pool::Lease;

/// Requests on their way to the channel; whoever has more waits.
const QUEUE: usize = 64;
/// How long a channel stays open that nobody uses.
const IDLE: Duration = Duration::from_secs(60);
/// How long a server may keep completely silent while something is asked of it.
const SILENCE: Duration = Duration::from_secs(120);
/// One SFTP channel.
pub(in crate::host::ssh) struct Session {
    outgoing: mpsc::Sender<[Bytes; 2]>,
    state: Mutex<State>,
    /// Counts answers, to tell a slow server from a silent one.
    heard: AtomicU64,
    pub(super) abilities: Abilities,
}

struct State {
    waiting: HashMap<u32, oneshot::Sender<Reply>>,
    next: u32,
    users: usize,
    idle_since: Instant,
    /// Why it is over.
    ended: Option<String>,
}

/// An answer on its way.
pub(super) struct Pending {
    answer: oneshot::Receiver<Reply>,
    session: Arc<Session>,
}

/// The right to ask; the channel stays open while there is one.
pub(super) struct User(pub(super) Arc<Session>);

impl Session {
    /// Greets the server and starts the tasks that serve the channel.
    ///
    /// # Errors
    /// What the server does wrong.
    pub(in crate::host::ssh) async fn begin(
        lease: Lease,
        (mut read, write): (ChannelReadHalf, WriteHalf),
        limit: Duration,
    ) -> Result<Arc<Session>, String> {
        let mut incoming = Assembly::default();
        let greeting = timeout(limit, greet(&mut read, &write, &mut incoming)).await;
        let greeting = greeting.unwrap_or_else(|_| Err("its file server does not greet".to_string()));
        let abilities = match greeting {
            Ok(abilities) => abilities,
            Err(why) => {
                close(&mut read, &write).await;
                return Err(why);
            }
        };
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let state = State { waiting: HashMap::new(), next: 10, users: 0, idle_since: Instant::now(), ended: None };
        let session = Arc::new(Session { outgoing, state: Mutex::new(state), heard: AtomicU64::new(0), abilities });
        tokio::spawn(serve(session.clone(), lease, (read, write), queue, incoming));
        Ok(session)
    }

    /// The right to ask, while the channel is open.
    pub(super) fn enter(self: &Arc<Session>) -> Option<User> {
        let mut state = self.lock();
        if state.ended.is_some() {
            return None;
        }
        state.users += 1;
        Some(User(self.clone()))
    }

    /// Sends a request; `data` follows it as it is.
    ///
    /// # Errors
    /// When the channel is over.
    pub(super) async fn ask(
        self: &Arc<Session>,
        kind: u8,
        fill: impl FnOnce(Request) -> Request + Send,
        data: Bytes,
    ) -> Answer<Pending> {
        let (id, answer) = self.register()?;
        let request = fill(Request::new(kind, id)).finish(data.len());
        if self.outgoing.send([request, data]).await.is_err() {
            return Err(self.fault());
        }
        Ok(Pending { answer, session: self.clone() })
    }

    /// Sends a request whose answer nobody wants, from where nothing can be awaited.
    pub(super) fn tell(self: &Arc<Session>, kind: u8, fill: impl FnOnce(Request) -> Request) {
        let Ok((id, _)) = self.register() else { return };
        let request = fill(Request::new(kind, id)).finish(0);
        if let Err(mpsc::error::TrySendError::Full(request)) = self.outgoing.try_send([request, Bytes::new()]) {
            let outgoing = self.outgoing.clone();
            tokio::spawn(async move {
                // An error means that the channel is over, and everything open on it with it.
                let _over = outgoing.send(request).await;
            });
        }
    }

    fn register(&self) -> Answer<(u32, oneshot::Receiver<Reply>)> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if state.ended.is_some() {
            drop(state);
            return Err(self.fault());
        }
        let id = state.next;
        state.next = state.next.wrapping_add(1);
        state.waiting.insert(id, sender);
        Ok((id, receiver))
    }

    fn fault(&self) -> Fault {
        let why = self.lock().ended.clone();
        Fault::new(Problem::Lost, why.unwrap_or_else(|| "the connection was lost".to_string()))
    }

    /// Whether nobody has used it for long; then nobody can any more.
    fn retire(&self) -> bool {
        let mut state = self.lock();
        let idle = state.users == 0 && state.waiting.is_empty() && state.idle_since.elapsed() >= IDLE;
        if idle {
            state.ended.get_or_insert_with(|| "nobody used it".to_string());
        }
        idle
    }

    fn end(&self, why: String) {
        let waiting = {
            let mut state = self.lock();
            state.ended.get_or_insert(why);
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }

    fn answered(&self, id: u32, reply: Reply) {
        self.heard.fetch_add(1, Ordering::Relaxed);
        if let Some(asker) = self.lock().waiting.remove(&id) {
            let _nobody_waits = asker.send(reply);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for User {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.users -= 1;
        state.idle_since = Instant::now();
    }
}

impl Pending {
    /// The answer, when it is there already.
    pub(super) fn ready(&mut self) -> Option<Answer<Reply>> {
        match self.answer.try_recv() {
            Ok(reply) => Some(judged(reply)),
            Err(oneshot::error::TryRecvError::Empty) => None,
            Err(oneshot::error::TryRecvError::Closed) => Some(Err(self.session.fault())),
        }
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// A refusal is one; and when the connection is lost or the server stays silent.
    pub(super) async fn wait(mut self) -> Answer<Reply> {
        loop {
            let heard = self.session.heard.load(Ordering::Relaxed);
            match timeout(SILENCE, &mut self.answer).await {
                Ok(Ok(reply)) => return judged(reply),
                Ok(Err(_)) => return Err(self.session.fault()),
                Err(_) if self.session.heard.load(Ordering::Relaxed) != heard => {}
                Err(_) => {
                    let silence = SILENCE.as_secs();
                    return Err(Fault::new(Problem::Lost, format!("the file server has been silent for {silence} s")));
                }
            }
        }
    }
}

fn judged(reply: Reply) -> Answer<Reply> {
    match reply {
        Reply::Failed(fault) => Err(fault),
        reply => Ok(reply),
    }
}

/// Serves the channel until it is over. Requests and answers in one task: both are woken by the same packets, and two tasks
/// would be run by two threads that wake each other.
async fn serve(
    session: Arc<Session>,
    lease: Lease,
    (mut read, write): (ChannelReadHalf, WriteHalf),
    queue: mpsc::Receiver<[Bytes; 2]>,
    incoming: Assembly,
) {
    let why = tokio::select! {
        biased;
        why = take(&session, &lease, &mut read, incoming) => why,
        never = send(queue, &write) => match never {},
    };
    session.end(why);
    close(&mut read, &write).await;
}

/// Writes requests to the channel. Waits where the server's window is closed, and nowhere else.
async fn send(mut queue: mpsc::Receiver<[Bytes; 2]>, write: &WriteHalf) -> Infallible {
    while let Some(parts) = queue.recv().await {
        for part in parts {
            if !part.is_empty() && write.data_bytes(part).await.is_err() {
                // The connection is gone; whoever takes the answers finds out why.
                return std::future::pending().await;
            }
        }
    }
    std::future::pending().await
}

/// Takes answers as they come, whoever waits for them, so that the connection is never held up. Gives the reason of the end.
async fn take(session: &Session, lease: &Lease, read: &mut ChannelReadHalf, mut incoming: Assembly) -> String {
    let mut look = tokio::time::interval(IDLE / 4);
    loop {
        tokio::select! {
            received = read.wait() => match received {
                Some(ChannelMsg::Data { data }) => {
                    incoming.put(data);
                    if let Err(why) = answers(session, &mut incoming) {
                        return why;
                    }
                }
                None | Some(ChannelMsg::Close | ChannelMsg::Eof) => return gone(lease).await,
                Some(_) => {}
            },
            _ = look.tick() => if session.retire() {
                return "nobody used it".to_string();
            },
        }
    }
}

fn answers(session: &Session, incoming: &mut Assembly) -> Result<(), String> {
    while let Some(message) = incoming.next()? {
        match packet::reply(message) {
            Ok((id, reply)) => session.answered(id, reply),
            Err(packet::Malformed) => return Err("its file server sends what is no SFTP".to_string()),
        }
    }
    Ok(())
}

async fn gone(lease: &Lease) -> String {
    match lease.connection.is_dead() {
        true => lease.connection.last_words().await,
        false => "the file server ended".to_string(),
    }
}
