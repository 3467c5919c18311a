//! One file from one host to another: streamed, never whole in memory (row W-52).

use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::fault::{Fault, Problem};
use super::meter::Meter;
use super::replace::{Plan, Remains, Replacement};
use super::system::{Attributes, FileSystem, ReadFile, WriteFile};

/// How often a meter is looked at while nothing arrives.
const LOOK: Duration = Duration::from_millis(500);

/// A file, and the host it is on.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) files: Arc<dyn FileSystem>,
    pub(crate) path: PathBuf,
}

/// Which end of a transfer failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    From,
    To,
}

/// A transfer that came to nothing.
pub(crate) struct Failure {
    pub(crate) end: End,
    pub(crate) path: PathBuf,
    pub(crate) fault: Fault,
    pub(crate) notes: Vec<String>,
    /// A temporary that could not be removed.
    pub(crate) left: Option<PathBuf>,
}

impl Failure {
    pub(crate) fn new(end: End, path: &Path, fault: Fault) -> Failure {
        Failure { end, path: path.to_path_buf(), fault, notes: Vec::new(), left: None }
    }

    fn with(self, remains: Remains) -> Failure {
        Failure { notes: vec![remains.note.to_string()], left: remains.left, ..self }
    }
}

/// How a file is copied.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct How {
    pub(crate) plan: Plan,
    /// Permissions and times exactly as they are there.
    pub(crate) preserve: bool,
    /// On the disk before it takes the name.
    pub(crate) sync: bool,
}

/// Copies a file; gives its size.
pub(crate) async fn copy(
    from: &Place,
    to: &Place,
    how: How,
    meter: &mut Meter,
    cancel: &CancellationToken,
) -> Result<u64, Failure> {
    let reading = |fault| Failure::new(End::From, &from.path, fault);
    let reader = unless(cancel, from.files.read(&from.path)).await.map_err(reading)?;
    copy_open(reader, from, to, how, meter, cancel).await
}

/// The same for a file that is open already.
pub(crate) async fn copy_open(
    mut reader: Box<dyn ReadFile>,
    from: &Place,
    to: &Place,
    how: How,
    meter: &mut Meter,
    cancel: &CancellationToken,
) -> Result<u64, Failure> {
    let reading = |fault| Failure::new(End::From, &from.path, fault);
    let writing = |fault| Failure::new(End::To, &to.path, fault);
    let stat = reader.stat().clone();
    let plan = Plan { mode: how.plan.mode.or(Some(stat.mode & 0o777)), ..how.plan };
    // Not given up half-way: it would leave a temporary that nobody knows of.
    let mut replacement = Replacement::begin(to.files.clone(), &to.path, plan).await.map_err(writing)?;
    let copied = unless_ended(cancel, &mut *reader, &mut replacement, meter).await;
    let exact = match how.preserve {
        true => {
            Attributes { mode: Some(stat.mode), times: Some((stat.accessed, stat.modified)), ..Attributes::default() }
        }
        false => Attributes::default(),
    };
    let finished = match copied {
        Ok(copied) => {
            unless(cancel, replacement.finish(how.sync, exact)).await.map(|()| copied).map_err(|f| (End::To, f))
        }
        Err(failed) => Err(failed),
    };
    match finished {
        Ok(copied) => Ok(copied),
        Err((end, fault)) => {
            let failure = if end == End::From { reading(fault) } else { writing(fault) };
            Err(failure.with(replacement.abandon().await))
        }
    }
}

async fn unless_ended(
    cancel: &CancellationToken,
    reader: &mut dyn ReadFile,
    replacement: &mut Replacement,
    meter: &mut Meter,
) -> Result<u64, (End, Fault)> {
    let writer = replacement.writer().map_err(|fault| (End::To, fault))?;
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err((End::To, Fault::of(Problem::Interrupted))),
        pumped = pump(reader, &mut **writer, meter) => pumped,
    }
}

/// The outcome, unless the run is cancelled first.
pub(crate) async fn unless<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Fault::of(Problem::Interrupted)),
        outcome = work => outcome,
    }
}

/// Moves everything. What is empty space in a file with holes is left out.
async fn pump(reader: &mut dyn ReadFile, writer: &mut dyn WriteFile, meter: &mut Meter) -> Result<u64, (End, Fault)> {
    let sparse = reader.sparse();
    let (mut copied, mut hole_at_end) = (0, false);
    let mut look = pin!(sleep(LOOK));
    loop {
        let bytes = watched(reader.read(), look.as_mut(), meter).await.map_err(|fault| (End::From, fault))?;
        if bytes.is_empty() {
            break;
        }
        let length = bytes.len() as u64;
        copied += length;
        hole_at_end = sparse && is_empty(&bytes);
        if hole_at_end {
            writer.skip(length);
        } else {
            watched(writer.write(bytes), look.as_mut(), meter).await.map_err(|fault| (End::To, fault))?;
        }
        meter.advance(length).await;
    }
    let ended = async {
        if hole_at_end {
            writer.set(Attributes { size: Some(copied), ..Attributes::default() }).await?;
        }
        writer.flush().await
    };
    watched(ended, look, meter).await.map_err(|fault| (End::To, fault))?;
    Ok(copied)
}

/// Whether there is nothing but zeros.
fn is_empty(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// Waits, and lets the meter show that nothing moves. One timer serves all waits of a transfer: setting one for each wakes
/// another thread each time.
async fn watched<T>(work: impl Future<Output = T>, mut look: Pin<&mut Sleep>, meter: &mut Meter) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            outcome = &mut work => return outcome,
            () = look.as_mut() => {
                meter.look().await;
                look.as_mut().reset(Instant::now() + LOOK);
            }
        }
    }
}
