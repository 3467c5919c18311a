//! The journal: who did what, where, and what came of it, as JSON lines, one file a day (design 7, docs/journal.md).
//!
//! `entry` says what a line holds, `file` keeps the files of one directory, `writer` is the thread between. Nobody
//! waits for the disk unless the policy is strict and an action wants to begin.

mod entry;
mod file;
mod listener;
#[cfg(test)]
mod tests;
mod writer;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

pub(crate) use entry::{About, Entry, What, text};
pub(crate) use file::private_directories;
pub(crate) use listener::JournalListener;

use writer::Job;

/// Lines that may wait for the disk.
const WAITING: usize = 4096;

/// How long an action waits for its line to be on the disk when the policy is strict.
const STRICT_LIMIT: Duration = Duration::from_secs(5);

/// How long the last lines may take when the daemon ends.
const LAST_LINES: Duration = Duration::from_secs(2);

/// What happens when the journal cannot be written: the disk is full, or slower than what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenFull {
    /// Nothing runs without its line on the disk.
    Strict,
    /// Work goes on; the lines that are missing are counted, and the count is written at the next chance.
    #[default]
    BestEffort,
}

/// The journal of one daemon.
pub struct Journal {
    queue: Option<SyncSender<Job>>,
    when_full: WhenFull,
    state: Arc<State>,
    place: PathBuf,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What the writer and those who write share.
#[derive(Default)]
struct State {
    /// Lines that were dropped and not told of yet.
    lost: AtomicU64,
    /// The last attempt to write failed.
    broken: AtomicBool,
    /// Nothing is taken any more.
    closed: AtomicBool,
}

impl Journal {
    /// A daemon that keeps no journal.
    pub fn none() -> Arc<Journal> {
        Arc::new(Journal {
            queue: None,
            when_full: WhenFull::BestEffort,
            state: Arc::default(),
            place: PathBuf::new(),
            writer: Mutex::default(),
        })
    }

    /// Opens the journal in a directory of its own below `directory`, named `name`; a torn last line is cut off. When
    /// another daemon of this name writes there, the directory is `name-2` and so on.
    ///
    /// # Errors
    /// When the directory cannot be made, belongs to somebody else, or others can read it.
    pub fn open(directory: &Path, name: &str, when_full: WhenFull) -> io::Result<Arc<Journal>> {
        let files = file::Files::open(directory, name)?;
        let place = files.place().to_path_buf();
        let (queue, jobs) = sync_channel(WAITING);
        let state = Arc::<State>::default();
        let shared = state.clone();
        let thread = std::thread::Builder::new().name("journal".to_string());
        let writer = thread.spawn(move || writer::write(files, &jobs, &shared))?;
        Ok(Arc::new(Journal { queue: Some(queue), when_full, state, place, writer: Mutex::new(Some(writer)) }))
    }

    /// The directory of its files; empty without a journal.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Writes a line some time soon. Never waits: when too many wait already, it is counted as lost.
    pub(crate) fn write(&self, entry: Entry) {
        self.hand_over(Job::Line(Box::new(entry), None));
    }

    /// Writes the line without which something must not begin. Strict: when it is on the disk; otherwise at once.
    ///
    /// # Errors
    /// A sentence, when the policy is strict and the line cannot be written.
    pub(crate) async fn permits(&self, entry: Entry) -> Result<(), String> {
        if self.when_full == WhenFull::BestEffort || self.queue.is_none() {
            self.write(entry);
            return Ok(());
        }
        let (done, written) = oneshot::channel();
        self.hand_over(Job::Line(Box::new(entry), Some(done)));
        match tokio::time::timeout(STRICT_LIMIT, written).await {
            Ok(Ok(Ok(()))) => Ok(()),
            Ok(Ok(Err(why))) => Err(self.refusal(&why)),
            Ok(Err(_)) => Err(self.refusal("too many lines wait for the disk")),
            Err(_) => Err(self.refusal(&format!("the disk did not take the line within {} s", STRICT_LIMIT.as_secs()))),
        }
    }

    fn refusal(&self, why: &str) -> String {
        format!(
            "nothing is run without a journal, and it cannot be written: {why}; make room in {}",
            self.place.display()
        )
    }

    fn hand_over(&self, job: Job) {
        let Some(queue) = &self.queue else { return };
        let closed = self.state.closed.load(Ordering::Relaxed);
        if closed || matches!(queue.try_send(job), Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits, for at most two seconds, until all lines are written. Nothing can be written afterwards.
    pub(crate) fn close(&self) {
        let Some(queue) = &self.queue else { return };
        self.state.closed.store(true, Ordering::Relaxed);
        let (done, closed) = sync_channel(1);
        if queue.send(Job::Close(done)).is_ok() {
            let _late = closed.recv_timeout(LAST_LINES);
        }
        // A thread that hangs on a dead disk is not waited for.
        drop(self.writer.lock().unwrap_or_else(PoisonError::into_inner).take());
        let lost = self.state.lost.load(Ordering::Relaxed);
        if lost > 0 {
            tracing::error!(lost, place = %self.place.display(), "lines of the journal are missing at its end");
        }
    }
}
