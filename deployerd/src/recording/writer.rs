//! The thread that writes all recordings of a daemon.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::Size;

use tokio::sync::watch;

use super::News;
use super::cast::Cast;

/// Asked of the thread; numbers tell recordings apart.
pub(super) enum Job {
    Begin(u64, Box<Kept>),
    Output(u64, Duration, Bytes),
    Redrawn(u64, Duration, Size, Bytes),
    Resize(u64, Duration, Size),
    End(u64),
}

/// One recording.
pub(super) struct Kept {
    pub(super) path: PathBuf,
    pub(super) cast: Cast<File>,
    /// Shared with the session, which then sends the whole screen some time.
    pub(super) lost: Arc<AtomicBool>,
    /// Those who are attached hear of it.
    pub(super) news: Arc<watch::Sender<News>>,
    /// Something could not be written: what comes next must not build on it, until the screen is drawn anew.
    pub(super) broken: bool,
}

impl Kept {
    /// Does a job, unless it builds on what is missing.
    fn take(&mut self, job: Job) {
        let redraws = matches!(job, Job::Redrawn(..));
        let written = match job {
            Job::Redrawn(_, at, size, bytes) => self.cast.redrawn(at, size, &bytes),
            _ if self.broken => return,
            Job::Output(_, at, bytes) => self.cast.output(at, &bytes),
            Job::Resize(_, at, size) => self.cast.resize(at, size),
            Job::Begin(..) | Job::End(_) => Ok(()),
        };
        self.note(&written);
        match (&written, self.cast.limit_reached()) {
            (Err(error), _) => News::Gap(error.to_string()).tell(&self.news),
            (Ok(()), Some(limit)) => News::Ended(limit).tell(&self.news),
            (Ok(()), None) if redraws => News::Written.tell(&self.news),
            (Ok(()), None) => {}
        }
    }

    /// The log says when a gap begins and when it ends; not once a line.
    fn note(&mut self, written: &io::Result<()>) {
        let before = std::mem::replace(&mut self.broken, written.is_err());
        let file = self.path.display();
        match written {
            Err(error) => {
                if !before {
                    tracing::error!(%file, %error, "the recording of a session cannot be written: it has a gap from here on");
                }
                self.lost.store(true, Ordering::Relaxed);
            }
            Ok(()) if before => tracing::warn!(%file, "the recording of a session is written again"),
            Ok(()) => {}
        }
    }
}

/// Writes until nobody is left who records.
pub(super) fn write(jobs: &Receiver<Job>) {
    let mut recordings: HashMap<u64, Box<Kept>> = HashMap::new();
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Begin(id, kept) => drop(recordings.insert(id, kept)),
            Job::End(id) => drop(recordings.remove(&id)),
            Job::Output(id, ..) | Job::Redrawn(id, ..) | Job::Resize(id, ..) => {
                if let Some(kept) = recordings.get_mut(&id) {
                    kept.take(job);
                }
            }
        }
    }
}
