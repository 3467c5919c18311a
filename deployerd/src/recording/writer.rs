//! The thread that writes all recordings of a daemon.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::Size;

use super::cast::Cast;

/// Asked of the thread; numbers tell recordings apart.
pub(super) enum Job {
    Begin(u64, PathBuf, Box<Cast<File>>),
    Output(u64, Duration, Bytes),
    Redrawn(u64, Duration, Bytes),
    Resize(u64, Duration, Size),
    End(u64),
}

/// Writes until nobody is left who records. A recording that cannot be written ends, which the log says.
pub(super) fn write(jobs: &Receiver<Job>) {
    let mut casts: HashMap<u64, (PathBuf, Box<Cast<File>>)> = HashMap::new();
    while let Ok(job) = jobs.recv() {
        let (id, written) = match job {
            Job::Begin(id, path, cast) => {
                casts.insert(id, (path, cast));
                continue;
            }
            Job::End(id) => {
                casts.remove(&id);
                continue;
            }
            Job::Output(id, at, bytes) => (id, with(&mut casts, id, |cast| cast.output(at, &bytes))),
            Job::Redrawn(id, at, bytes) => (id, with(&mut casts, id, |cast| cast.redrawn(at, &bytes))),
            Job::Resize(id, at, size) => (id, with(&mut casts, id, |cast| cast.resize(at, size))),
        };
        if let Err(error) = written
            && let Some((path, _)) = casts.remove(&id)
        {
            tracing::error!(file = %path.display(), %error, "the recording of a session has ended: it cannot be written");
        }
    }
}

fn with(
    casts: &mut HashMap<u64, (PathBuf, Box<Cast<File>>)>,
    id: u64,
    write: impl FnOnce(&mut Cast<File>) -> io::Result<()>,
) -> io::Result<()> {
    casts.get_mut(&id).map_or(Ok(()), |(_, cast)| write(cast))
}
