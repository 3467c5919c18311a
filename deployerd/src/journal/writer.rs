//! The thread that writes. A line is with the kernel at once, where many come within a millisecond or two, and on the
//! disk within a second; a strict one before the action that it is about begins.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::file::Files;
use super::{About, Entry, State, What, entry};

/// Longest time that a line may be with the kernel and not on the disk.
const SYNC: Duration = Duration::from_secs(1);

/// Where lines come close upon each other, this long is waited for more: waking up for each would cost those who
/// write them more than the lines do.
const PAUSE: Duration = Duration::from_millis(1);

/// Lines that are written together.
const TOGETHER: usize = 256;

/// Asked of the thread.
pub(super) enum Job {
    /// Write; the answer, if one is wanted, comes when it is on the disk.
    Line(Box<Entry>, Option<oneshot::Sender<Result<(), String>>>),
    /// All was said: answer when it is on the disk, and end.
    Close(SyncSender<()>),
}

/// Writes until it is told to end or nobody is left who could say anything.
pub(super) fn write(files: Files, jobs: &Receiver<Job>, state: &State) {
    let mut writer = Writer { files, state, unsynced: None };
    writer.tell_of_repair();
    let mut ahead = None;
    loop {
        let job = match (ahead.take(), writer.unsynced) {
            (Some(job), _) => Ok(job),
            (None, None) => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            (None, Some(since)) => jobs.recv_timeout(SYNC.saturating_sub(since.elapsed())),
        };
        match job {
            Ok(Job::Line(entry, None)) => {
                let mut entries = vec![*entry];
                ahead = take_more(&mut entries, jobs);
                writer.lines(&entries);
                if entries.len() > 1 && ahead.is_none() {
                    std::thread::sleep(PAUSE);
                }
            }
            Ok(Job::Line(entry, Some(done))) => {
                let written = writer.line(&entry).and_then(|()| writer.sync());
                writer.note(&written);
                // Who asked may have given up.
                let _nobody_waits = done.send(written.map_err(|error| error.to_string()));
            }
            Ok(Job::Close(done)) => {
                writer.tell_of_lost();
                let synced = writer.sync();
                writer.note(&synced);
                // Whoever opens the directory next finds it unlocked.
                drop(writer);
                let _nobody_waits = done.send(());
                return;
            }
            Err(RecvTimeoutError::Timeout) => {
                let synced = writer.sync();
                writer.note(&synced);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Takes the lines that wait already; what else was met ends them.
fn take_more(entries: &mut Vec<Entry>, jobs: &Receiver<Job>) -> Option<Job> {
    while entries.len() < TOGETHER {
        match jobs.try_recv() {
            Ok(Job::Line(entry, None)) if entry.day() == entries[0].day() => entries.push(*entry),
            Ok(other) => return Some(other),
            Err(_) => return None,
        }
    }
    None
}

struct Writer<'a> {
    files: Files,
    state: &'a State,
    /// Since when something is with the kernel only.
    unsynced: Option<Instant>,
}

impl Writer<'_> {
    /// Lines that are missing are told of first, so that the numbers of lines have no unexplained gap.
    fn line(&mut self, entry: &Entry) -> io::Result<()> {
        self.tell_of_lost();
        let written = self.append(entry);
        if written.is_err() {
            self.state.lost.fetch_add(1, Ordering::Relaxed);
        }
        written
    }

    /// Lines of one day: together, or one by one where that fails, so that as many as possible are kept.
    fn lines(&mut self, entries: &[Entry]) {
        self.tell_of_lost();
        let together = match entries {
            [_] => false,
            entries => self.append_all(entries).is_ok(),
        };
        if together {
            return self.note(&Ok(()));
        }
        for entry in entries {
            let written = self.line(entry);
            self.note(&written);
        }
    }

    fn append_all(&mut self, entries: &[Entry]) -> io::Result<()> {
        let mut lines = Vec::new();
        for (number, entry) in (self.files.next..).zip(entries) {
            lines.extend(entry::line(number, entry)?);
        }
        self.files.append(entries[0].time, &lines)?;
        self.files.next += entries.len() as u64;
        self.unsynced.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let line = entry::line(self.files.next, entry)?;
        self.files.append(entry.time, &line)?;
        self.files.next += 1;
        self.unsynced.get_or_insert_with(Instant::now);
        Ok(())
    }

    fn tell_of_lost(&mut self) {
        let lines = self.state.lost.swap(0, Ordering::Relaxed);
        if lines > 0 && self.append(&Entry::now(About::daemon(), What::Lost { lines })).is_err() {
            self.state.lost.fetch_add(lines, Ordering::Relaxed);
        }
    }

    fn tell_of_repair(&mut self) {
        let Some((file, bytes)) = self.files.repaired.take() else { return };
        let written = self.line(&Entry::now(About::daemon(), What::Repaired { file, bytes }));
        self.note(&written);
    }

    fn sync(&mut self) -> io::Result<()> {
        self.unsynced = None;
        self.files.sync()
    }

    /// The log says when the journal stops being written, and when it goes on; not once a line.
    fn note(&self, written: &io::Result<()>) {
        let before = self.state.broken.swap(written.is_err(), Ordering::Relaxed);
        match (before, written) {
            (false, Err(error)) => {
                tracing::error!(place = %self.files.place().display(), %error, "the journal cannot be written");
            }
            (true, Ok(())) => tracing::warn!(place = %self.files.place().display(), "the journal is written again"),
            _ => {}
        }
    }
}
