//! What the world outside russh knows about one connection.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::ChannelOpenFailure;
use russh::client::DisconnectReason;
use tokio_util::sync::CancellationToken;

use super::failure::printable;

/// Facts about a connection, kept by the handler inside russh, read by everybody else.
#[derive(Debug)]
pub(super) struct Vitals {
    /// Channels the server has open for us.
    open: AtomicUsize,
    /// Those of them, and those being opened, that lead on to another server; MaxSessions does not count them.
    forwards: AtomicUsize,
    /// The most sessions there ever were at once.
    peak: AtomicUsize,
    /// Sessions the server allows; learned when it refuses one.
    limit: AtomicUsize,
    /// Channels whose reader is so slow that the whole connection waits for it.
    stalled: AtomicUsize,
    ended: CancellationToken,
    words: Mutex<Words>,
}

#[derive(Debug, Default)]
struct Words {
    /// Why the connection ended.
    end: Option<String>,
    /// What the server wanted to be read before login.
    banner: String,
    /// Channels that the server would not open, and what it said to the last ones: number, reason, text.
    failures: u64,
    said: VecDeque<(u64, String, String)>,
    /// What both sides agreed on.
    algorithms: String,
}

/// How many failed channels are remembered.
const MAX_SAID: usize = 64;

/// While it lives, one channel of the connection leads on to another server, or is about to.
#[derive(Debug)]
pub(super) struct Forward(Arc<Vitals>);

impl Forward {
    pub(super) fn begin(vitals: &Arc<Vitals>) -> Forward {
        vitals.forwards.fetch_add(1, Ordering::AcqRel);
        Forward(vitals.clone())
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.0.forwards.fetch_sub(1, Ordering::AcqRel);
        self.0.note_peak();
    }
}

impl Vitals {
    pub(super) fn new() -> Vitals {
        Vitals {
            open: AtomicUsize::new(0),
            forwards: AtomicUsize::new(0),
            peak: AtomicUsize::new(0),
            limit: AtomicUsize::new(usize::MAX),
            stalled: AtomicUsize::new(0),
            ended: CancellationToken::new(),
            words: Mutex::default(),
        }
    }

    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    pub(super) fn limit(&self) -> usize {
        self.limit.load(Ordering::Acquire)
    }

    pub(super) fn stalled(&self) -> bool {
        self.stalled.load(Ordering::Acquire) > 0
    }

    pub(super) fn stall(&self) {
        self.stalled.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn flow(&self) {
        self.stalled.fetch_sub(1, Ordering::AcqRel);
    }

    /// Cancelled when the connection is over, for whatever reason.
    pub(super) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Why the connection ended, as far as anybody said.
    pub(super) fn end(&self) -> Option<String> {
        self.words().end.clone()
    }

    /// Says why the connection is about to be ended; the first word counts.
    pub(super) fn ending(&self, why: impl Into<String>) {
        self.words().end.get_or_insert(why.into());
    }

    /// What the server wanted to be read before login.
    pub(super) fn banner(&self) -> String {
        self.words().banner.clone()
    }

    /// What both sides agreed on: key exchange, host key, cipher, code where the cipher has none.
    pub(super) fn algorithms(&self) -> String {
        self.words().algorithms.clone()
    }

    pub(super) fn agreed(&self, algorithms: String) {
        self.words().algorithms = algorithms;
    }

    /// The server has opened a channel.
    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::AcqRel);
        self.note_peak();
    }

    pub(super) fn closed(&self) {
        // A hostile server could close what was never open.
        let _was_zero = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| open.checked_sub(1));
    }

    fn note_peak(&self) {
        let forwards = self.forwards.load(Ordering::Acquire);
        self.peak.fetch_max(self.open().saturating_sub(forwards), Ordering::AcqRel);
    }

    /// The server refused a session: as many as there were is all it allows. Not as many as there are: of those that
    /// ended a moment ago it may not know yet.
    pub(super) fn refused(&self) {
        self.limit.store(self.peak.load(Ordering::Acquire), Ordering::Release);
    }

    /// The server said why it does not open a channel; it does not say which.
    pub(super) fn failed_to_open(&self, reason: &ChannelOpenFailure, said: &str) {
        let mut words = self.words();
        words.failures += 1;
        let number = words.failures;
        words.said.push_back((number, format!("{reason:?}"), printable(said, 200)));
        if words.said.len() > MAX_SAID {
            words.said.pop_front();
        }
    }

    /// How many channels the server would not open.
    pub(super) fn failures_so_far(&self) -> u64 {
        self.words().failures
    }

    /// What the server said to a channel that was asked for after so many failures and failed for this reason. `None`
    /// when it said different things meanwhile, so that nobody knows which was meant.
    pub(super) fn why_failed(&self, since: u64, reason: &ChannelOpenFailure) -> Option<String> {
        let words = self.words();
        if words.said.front().is_none_or(|(first, ..)| *first > since + 1) {
            return None;
        }
        let reason = format!("{reason:?}");
        let mut meant = words.said.iter().filter(|(number, why, _)| *number > since && *why == reason);
        let (.., first) = meant.next()?;
        meant.all(|(.., said)| said == first).then(|| first.clone())
    }

    pub(super) fn banner_line(&self, text: &str) {
        let mut words = self.words();
        let room = 4096_usize.saturating_sub(words.banner.len());
        words.banner.push_str(&printable(text, room / 4));
    }

    fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a login ends that leaves nothing to try.
pub(super) const NO_METHOD_LEFT: &str = "the server allows no further way to log in";

/// Why russh gave a connection up, in words.
pub(super) fn describe_end(reason: &DisconnectReason<russh::Error>) -> String {
    match reason {
        DisconnectReason::ReceivedDisconnect(said) => {
            format!("the server closed the connection: {}", printable(&said.message, 200))
        }
        DisconnectReason::Error(error) => describe(error),
    }
}

/// An error of russh in words that fit into a sentence.
pub(super) fn describe(error: &russh::Error) -> String {
    match error {
        russh::Error::HUP | russh::Error::Disconnect | russh::Error::SendError | russh::Error::RecvError => {
            "the server closed the connection".into()
        }
        russh::Error::IO(error) => describe_io(error),
        russh::Error::KeepaliveTimeout => "the server does not answer keepalive messages".into(),
        russh::Error::NoAuthMethod => NO_METHOD_LEFT.into(),
        russh::Error::Version => "the server does not speak SSH 2".into(),
        other => {
            let text = printable(&other.to_string(), 300);
            let mut characters = text.chars();
            characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
        }
    }
}

/// An input or output error in words, without the number.
pub(super) fn describe_io(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused".into(),
        ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => "the server reset the connection".into(),
        ErrorKind::UnexpectedEof => "the server closed the connection".into(),
        ErrorKind::HostUnreachable => "no route to host".into(),
        ErrorKind::NetworkUnreachable => "network unreachable".into(),
        ErrorKind::TimedOut => "no answer".into(),
        _ => error.to_string(),
    }
}
