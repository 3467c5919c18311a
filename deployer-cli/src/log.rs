//! Where log lines go: standard error, or a file. Never in the way of what is logged.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::color::When;
use crate::failure::Failure;

/// Lines that may wait for a slow disk or a terminal that was stopped with Ctrl-S; more are counted and dropped.
const WAITING_LINES: usize = 4096;

/// How long the last lines may take at the end.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);
/// How often it is tried whether a full queue has room for the sign of the end.
const FLUSH_STEP: Duration = Duration::from_millis(1);

/// Logs `info` and above unless `$DEPLOYER_LOG` (or `$RUST_LOG`) says otherwise, to `file` (appended, readable by its
/// owner only) or to standard error. The log is complete when the returned guard has been dropped.
///
/// # Errors
/// Exit status 2: the file cannot be written, the filter cannot be understood.
pub(crate) fn start(file: Option<&Path>, color: When) -> Result<Flush, Failure> {
    let target: Box<dyn Write + Send> = match file {
        Some(path) => Box::new(open(path)?),
        None => Box::new(io::stderr()),
    };
    let ansi = file.is_none() && color.on(&io::stderr());
    let (lines, flush) =
        Lines::start(target).map_err(|error| Failure::other(format!("cannot start the log: {error}")))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter()?)
        .with_ansi(ansi)
        .with_writer(lines)
        .try_init()
        .map_err(|error| Failure::other(format!("cannot start the log: {error}")))?;
    Ok(flush)
}

fn open(path: &Path) -> Result<File, Failure> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path).map_err(|error| {
        Failure::usage(format!("cannot write the log {}: {error}; choose another file for --log", path.display()))
    })
}

fn filter() -> Result<EnvFilter, Failure> {
    for name in ["DEPLOYER_LOG", "RUST_LOG"] {
        if let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) {
            return EnvFilter::try_new(&value).map_err(|error| {
                Failure::usage(format!(
                    "${name} is not a log filter: {error}; write it like info or deployer_core=debug,warn"
                ))
            });
        }
    }
    Ok(EnvFilter::new("info"))
}

/// The front end: one line per write, handed to a thread.
#[derive(Clone, Debug)]
struct Lines {
    queue: SyncSender<Vec<u8>>,
    dropped: Arc<AtomicU64>,
}

/// Waits for the last lines when dropped.
#[derive(Debug)]
pub(crate) struct Flush {
    queue: SyncSender<Vec<u8>>,
    done: Receiver<()>,
}

impl Lines {
    fn start(mut target: Box<dyn Write + Send>) -> io::Result<(Lines, Flush)> {
        let (queue, lines) = mpsc::sync_channel::<Vec<u8>>(WAITING_LINES);
        let (finished, done) = mpsc::sync_channel(1);
        let dropped = Arc::new(AtomicU64::new(0));
        let counter = dropped.clone();
        std::thread::Builder::new().name("log".to_string()).spawn(move || {
            // An empty line is the sign of the end. A log that cannot be written has nobody to complain to.
            while let Some(line) = lines.recv().ok().filter(|line| !line.is_empty()) {
                let missing = counter.swap(0, Ordering::Relaxed);
                if missing > 0 {
                    let _ = writeln!(target, "({missing} lines of the log were dropped: it was too slow)");
                }
                let _ = target.write_all(&line);
            }
            let _ = target.flush();
            let _ = finished.send(());
        })?;
        Ok((Lines { queue: queue.clone(), dropped }, Flush { queue, done }))
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if !line.is_empty()
            && let Err(TrySendError::Full(_)) = self.queue.try_send(line.to_vec())
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        self.clone()
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let limit = Instant::now() + FLUSH_LIMIT;
        // A full queue is one that is being written: what is in it must not be lost.
        while let Err(TrySendError::Full(_)) = self.queue.try_send(Vec::new()) {
            if Instant::now() >= limit {
                return;
            }
            std::thread::sleep(FLUSH_STEP);
        }
        let _ = self.done.recv_timeout(limit.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_arrive_in_order_before_the_guard_is_gone() {
        let shared = Shared::default();
        let (mut lines, flush) = Lines::start(Box::new(shared.clone())).unwrap();
        for number in 0..100 {
            lines.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        drop(flush);
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(shared.0.lock().unwrap().clone()).unwrap(), expected);
    }

    #[test]
    fn a_stuck_log_holds_nobody_up_and_tells_what_is_missing() {
        let shared = Shared::default();
        let stuck = shared.clone();
        let guard = stuck.0.lock().unwrap();
        let (mut lines, flush) = Lines::start(Box::new(shared.clone())).unwrap();
        // One line may be in the hands of the thread.
        for _ in 0..WAITING_LINES + 11 {
            lines.write_all(b"line\n").unwrap();
        }
        assert!(lines.dropped.load(Ordering::Relaxed) >= 10);
        drop(guard);
        while lines.dropped.load(Ordering::Relaxed) > 0 {
            lines.write_all(b"later\n").unwrap();
            std::thread::yield_now();
        }
        drop(flush);
        let text = String::from_utf8(shared.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("lines of the log were dropped"), "{text}");
    }
}
