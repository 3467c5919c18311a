//! The terminal of one isolation that a view shows: a kernel PTY made by the daemon and claimed by nobody else, with a
//! keyboard of its own (rows M-06, M-07, Q-19, Q-28, W-08 with design 5).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use deployer_core::terminal::{AuxiliaryRequest, Keyboard, Kind, ParallelRun, Size, Terminal};
use tokio::sync::{oneshot, watch};

use super::{Event, Opened, Output, PaneId, Views, Wish};
use crate::session::pty::{self, Master};
use crate::session::terminal::Port;

/// What an isolation takes over from the session's terminal.
#[derive(Clone)]
pub(crate) struct Inherited {
    /// The value of TERM.
    pub(crate) term: String,
    /// Whether colours are wanted.
    pub(crate) colour: bool,
}

/// A terminal for an isolation of a run that has begun on `views`.
///
/// # Errors
/// When the system has no PTY, or the run is over.
pub(crate) async fn open(
    views: &Views,
    inherited: &Inherited,
    run: &Arc<ParallelRun>,
    index: usize,
) -> io::Result<Arc<dyn Terminal>> {
    let (reply, opened) = oneshot::channel();
    views.tell(Event::Open { run: run.clone(), index, reply }).await;
    let opened = opened.await.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the run is over"))?;
    let (master, slave) = pty::open(*opened.size.borrow())?;
    tokio::spawn(pump(master, views.clone(), opened.id, opened.size.clone()));
    let label = run.labels.get(index).cloned().unwrap_or_default();
    let port = Mutex::new(Some(Arc::new(Port::new(slave))));
    Ok(Arc::new(Isolation {
        views: views.clone(),
        inherited: inherited.clone(),
        place: opened,
        label,
        port,
        mid_line: AtomicBool::new(false),
    }))
}

struct Isolation {
    views: Views,
    inherited: Inherited,
    place: Opened,
    label: String,
    /// Gone when the isolation has ended; with it the last descriptor of the slave, which ends the pump.
    port: Mutex<Option<Arc<Port>>>,
    /// The last line was not ended.
    mid_line: AtomicBool,
}

/// Tells the view what arrives on the master until the slave is closed.
async fn pump(master: Master, views: Views, id: PaneId, mut size: watch::Receiver<Size>) {
    let mut buffer = vec![0; 4096];
    let mut sized = true;
    loop {
        tokio::select! {
            read = master.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { return };
                if views.output.send(Output(id, Bytes::copy_from_slice(&buffer[..count]))).await.is_err() {
                    return;
                }
            }
            changed = size.changed(), if sized => {
                sized = changed.is_ok();
                let now: Size = *size.borrow_and_update();
                if let Err(error) = master.resize(now) {
                    tracing::debug!(%error, "an isolation's terminal keeps its size");
                }
            }
        }
    }
}

impl Isolation {
    fn port(&self) -> io::Result<Arc<Port>> {
        let port = self.port.lock().unwrap_or_else(PoisonError::into_inner).clone();
        port.ok_or_else(|| io::Error::new(io::ErrorKind::BrokenPipe, "the isolation has ended"))
    }

    /// Waits until the view knows everything that was written.
    async fn shown(&self) {
        if let Ok(port) = self.port() {
            // An error means that the view has ended: nobody is left to show anything to.
            let mut seen = self.place.seen.clone();
            let _all_shown = seen.wait_for(|seen| *seen >= port.written()).await;
        }
    }
}

#[async_trait]
impl Terminal for Isolation {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(last) = bytes.iter().rfind(|byte| **byte >= b' ' || **byte == b'\n') {
            self.mid_line.store(*last != b'\n', Ordering::Relaxed);
        }
        self.port()?.write_made(|| self.place.prompt.around(bytes.to_vec())).await
    }

    async fn write_prompt(&self, drawn: Option<&[u8]>) -> io::Result<()> {
        self.mid_line.store(false, Ordering::Relaxed);
        self.port()?.write_made(|| self.place.prompt.draw(drawn.unwrap_or_default().to_vec())).await
    }

    fn abandon_prompt(&self) {
        self.place.prompt.abandon();
    }

    fn kind(&self) -> Kind {
        Kind::Tty
    }

    fn size(&self) -> watch::Receiver<Size> {
        let mut size = self.place.size.clone();
        // Only what changes from now on is news to whoever asks.
        size.mark_unchanged();
        size
    }

    fn term(&self) -> String {
        self.inherited.term.clone()
    }

    fn label(&self) -> Option<&str> {
        Some(&self.label)
    }

    fn colour(&self) -> bool {
        self.inherited.colour
    }

    fn interactive(&self) -> bool {
        true
    }

    fn keyboard(&self) -> Keyboard {
        self.place.keys.lease()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        match &request.run {
            Some(run) => open(&self.views, &self.inherited, run, request.index).await,
            None => Err(io::Error::new(io::ErrorKind::Unsupported, "the parallel run was not announced")),
        }
    }

    async fn parallel_begins(&self, run: &Arc<ParallelRun>) {
        self.views.begin(run, Some(self.place.id), Wish::default()).await;
    }

    async fn parallel_ends(&self, run: &Arc<ParallelRun>) {
        let shown = self.views.end(run).await;
        if let Err(error) = self.print(&shown).await {
            tracing::debug!(%error, "what a run within an isolation has shown could not be told");
        }
    }

    /// A program line without end is ended first, so that nothing stands behind it.
    async fn fresh_line(&self) -> io::Result<()> {
        match self.mid_line.swap(false, Ordering::Relaxed) {
            true => self.port()?.write(b"\x1b[m\r\n").await,
            false => Ok(()),
        }
    }

    /// Returns when the view knows everything that was written.
    async fn finish(&self) -> io::Result<()> {
        self.shown().await;
        self.port.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(())
    }
}
