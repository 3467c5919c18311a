//! Recordings of sessions: what their screens were sent, as asciicast v2 (docs/recordings.md). Never what was typed.
//!
//! `cast` is the format, `writer` the one thread that waits for the disk. A session never does: when the disk is too slow
//! or full, bytes are left out, which the recording says, and the screen is drawn anew.

mod cast;
mod news;
mod playback;
mod writer;

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use deployer_core::terminal::Size;
use jiff::Timestamp;
use tokio::sync::watch;

use crate::journal::private_directories;
pub(crate) use news::News;
pub use playback::Playback;

use crate::session::Screen;
use cast::{Cast, Header};
use writer::{Job, Kept};

/// Pieces of output of all sessions that may wait for the disk; each has at most 16 KiB.
const WAITING: usize = 1024;

/// Time between two attempts at a disk that takes nothing: each draws a whole screen.
const AGAIN: Duration = Duration::from_secs(1);

/// Bytes of one recording unless a flag says otherwise.
pub const LIMIT: u64 = 256 * 1024 * 1024;

/// Recordings of one session in the same second.
const NAMESAKES: u32 = 1000;

/// Where a daemon keeps its recordings.
pub struct Recordings {
    place: PathBuf,
    limit: u64,
    queue: SyncSender<Job>,
    last: AtomicU64,
}

impl Recordings {
    /// Keeps recordings in the directory `name` below `directory`, each with at most `limit` bytes.
    ///
    /// # Errors
    /// When the directory cannot be made or others can write to it.
    pub fn open(directory: &Path, name: &str, limit: u64) -> io::Result<Recordings> {
        private_directories(directory)?;
        let place = directory.join(name);
        private_directories(&place)?;
        let (queue, jobs) = sync_channel(WAITING);
        std::thread::Builder::new().name("recordings".to_string()).spawn(move || writer::write(&jobs))?;
        Ok(Recordings { place, limit, queue, last: AtomicU64::new(0) })
    }

    /// Begins the recording of a session.
    ///
    /// # Errors
    /// When its file cannot be made.
    pub(crate) fn begin(&self, session: &str, size: Size, term: &str) -> io::Result<Recording> {
        let now = Timestamp::now();
        let (path, file) = self.file(session, now)?;
        let header = Header { size, term: term.to_string(), title: session.to_string(), at: now.as_second() };
        let cast = Cast::begin(file, &header, self.limit)?;
        let id = self.last.fetch_add(1, Ordering::Relaxed);
        let lost = Arc::<AtomicBool>::default();
        let news = Arc::<watch::Sender<News>>::default();
        let kept = Kept { path: path.clone(), cast, lost: lost.clone(), news: news.clone(), broken: false };
        self.queue
            .try_send(Job::Begin(id, Box::new(kept)))
            .map_err(|_| io::Error::other("the disk is too slow for the recordings there are"))?;
        let (queue, started) = (self.queue.clone(), Instant::now());
        Ok(Recording { id, path, queue, started, size, missing: false, lost, news, not_before: None })
    }

    fn file(&self, session: &str, now: Timestamp) -> io::Result<(PathBuf, File)> {
        let stamp = now.strftime("%Y%m%dT%H%M%SZ");
        for number in 1..=NAMESAKES {
            let more = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.place.join(format!("{session}-{stamp}{more}.cast"));
            match OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(format!("{NAMESAKES} recordings of {session} in one second")))
    }
}

/// The recording of one session; ends when dropped.
pub(crate) struct Recording {
    id: u64,
    path: PathBuf,
    queue: SyncSender<Job>,
    started: Instant,
    size: Size,
    /// Something was left out: what comes next must not build on it.
    missing: bool,
    /// The disk did not take something, says the thread that writes.
    lost: Arc<AtomicBool>,
    /// Told when there is a gap, and when it goes on.
    news: Arc<watch::Sender<News>>,
    /// When to try again after that.
    not_before: Option<Instant>,
}

impl Recording {
    /// Its file.
    pub(crate) fn file(&self) -> &Path {
        &self.path
    }

    /// Follows how it stands.
    pub(crate) fn news(&self) -> watch::Receiver<News> {
        self.news.subscribe()
    }

    /// Takes output that `screen` has taken already. Never waits.
    pub(crate) fn output(&mut self, bytes: &[u8], screen: &dyn Screen) {
        if self.lost.swap(false, Ordering::Relaxed) {
            self.missing = true;
            self.not_before = Some(Instant::now() + AGAIN);
        }
        if self.not_before.is_some_and(|then| Instant::now() < then) {
            return;
        }
        self.not_before = None;
        let piece = match self.missing {
            true => Job::Redrawn(self.id, self.started.elapsed(), self.size, Bytes::from(screen.repaint())),
            false => Job::Output(self.id, self.started.elapsed(), Bytes::copy_from_slice(bytes)),
        };
        self.missing = self.queue.try_send(piece).is_err();
        if self.missing {
            self.not_before = Some(Instant::now() + AGAIN);
            News::Gap("the disk is too slow".to_string()).tell(&self.news);
        }
    }

    /// The terminal has another size.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = size;
        let resized = Job::Resize(self.id, self.started.elapsed(), size);
        self.missing |= self.queue.try_send(resized).is_err();
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // With a full queue the file stays open until the daemon ends; it is whole all the same.
        let _closed_later = self.queue.try_send(Job::End(self.id));
    }
}
