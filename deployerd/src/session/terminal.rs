//! The terminal that a session's shell has: the slave side of its kernel PTY.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use deployer_core::options::{Options, ParallelView};
use deployer_core::terminal::{
    AuxiliaryRequest, JobTerminal, Keyboard, KeyboardHub, Kind, ParallelRun, Size, Terminal,
};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use crate::windows::{Finished, SessionWindows};

use super::auxiliary;
use super::behind::Behind;
use super::pty::Slave;
use super::views::{self, Front, Inherited, Views, Wish};

/// Writes to a PTY slave and counts. The kernel hands bytes on a little later; whoever reads the master can wait for
/// as many as were written.
pub(crate) struct Port {
    slave: Slave,
    /// One write at a time, so that lines and sequences of several isolations do not mix.
    turn: Semaphore,
    written: AtomicU64,
}

impl Port {
    pub(crate) fn new(slave: Slave) -> Port {
        Port { slave, turn: Semaphore::new(1), written: AtomicU64::new(0) }
    }

    /// Writes all bytes; those of a write that was cancelled half-way are counted as far as they went.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _turn = self.turn.acquire().await;
        self.put(bytes).await
    }

    /// The same for bytes that depend on what was written before: they are made when it is their turn.
    pub(crate) async fn write_made(&self, make: impl FnOnce() -> Vec<u8>) -> io::Result<()> {
        let _turn = self.turn.acquire().await;
        self.put(&make()).await
    }

    async fn put(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let count = self.slave.write(bytes).await?;
            self.written.fetch_add(count as u64, Ordering::SeqCst);
            bytes = &bytes[count..];
        }
        Ok(())
    }

    /// How many bytes were written.
    pub(crate) fn written(&self) -> u64 {
        self.written.load(Ordering::SeqCst)
    }
}

/// A session's terminal. Cheap to clone.
#[derive(Clone)]
pub(crate) struct PtyTerminal {
    /// Where output goes.
    pub(crate) port: Arc<Port>,
    /// What becomes of it while a view covers the terminal.
    pub(crate) front: Arc<Front>,
    /// What the operator has chosen.
    pub(crate) options: Arc<Options>,
    /// Who shows parallel runs.
    pub(crate) views: Views,
    /// What is typed.
    pub(crate) keys: KeyboardHub,
    /// Where clients are served.
    pub(crate) served_on: Handle,
    /// Its size.
    pub(crate) size: watch::Receiver<Size>,
    /// The value of TERM.
    pub(crate) term: String,
    /// Whether whoever opened the session wants colours.
    pub(crate) colour: bool,
    /// Whether questions may be asked.
    pub(crate) interactive: bool,
    /// Windows for isolations; `None` where there are none.
    pub(crate) windows: Option<Arc<SessionWindows>>,
    /// Told when the isolation that runs here is finished.
    pub(crate) finished: Option<Arc<Finished>>,
    /// For an action that can be left: whether it was.
    pub(crate) behind: Option<Arc<Behind>>,
}

impl PtyTerminal {
    /// How a parallel run is to be shown in a view; `None` for another way. Views need somebody at the keyboard, and a
    /// terminal that can move its cursor.
    fn wish(&self) -> Option<Wish> {
        let folded = match self.options.parallel_view() {
            ParallelView::Tiled => false,
            ParallelView::Fold => true,
            ParallelView::Lines | ParallelView::Windows => return None,
        };
        let possible = self.interactive && !matches!(self.term.as_str(), "" | "dumb");
        possible.then(|| Wish { folded, keep_open: self.options.keep_panes_open() })
    }
}

impl PtyTerminal {
    /// Writes bytes that may have to wait behind what is in front.
    async fn made(
        &self,
        bytes: Vec<u8>,
        behind: impl FnOnce(&Behind, Vec<u8>) -> Option<Vec<u8>> + Send,
        front: impl FnOnce(&Front, Vec<u8>) -> Vec<u8> + Send,
    ) -> io::Result<()> {
        let make = || {
            let bytes = match &self.behind {
                Some(place) => behind(place, bytes),
                None => Some(bytes),
            };
            bytes.map(|bytes| front(&self.front, bytes)).unwrap_or_default()
        };
        self.port.write_made(make).await
    }
}

#[async_trait]
impl JobTerminal for PtyTerminal {
    async fn put_behind(&self) {
        let Some(behind) = &self.behind else { return };
        self.keys.park(true);
        let written = self.port.write_made(|| {
            behind.go();
            self.front.uncover()
        });
        if let Err(error) = written.await {
            tracing::debug!(%error, "the terminal of an action that is left has gone away");
        }
    }

    async fn bring_front(&self) {
        let Some(behind) = &self.behind else { return };
        let written = self.port.write_made(|| {
            let (held, drawn) = behind.come();
            let mut bytes = self.front.output(held);
            if !drawn.is_empty() {
                bytes.extend(self.front.draw(drawn));
            }
            bytes
        });
        if let Err(error) = written.await {
            tracing::debug!(%error, "what an action has printed in the background could not be shown");
        }
        self.keys.park(false);
    }

    async fn left(&self) {
        match &self.behind {
            Some(behind) => behind.left().await,
            None => std::future::pending().await,
        }
    }

    fn asks(&self) -> watch::Receiver<bool> {
        match &self.behind {
            Some(behind) => behind.asks(),
            None => watch::channel(false).1,
        }
    }
}

#[async_trait]
impl Terminal for PtyTerminal {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.made(bytes.to_vec(), Behind::output, Front::output).await
    }

    async fn write_prompt(&self, drawn: Option<&[u8]>) -> io::Result<()> {
        self.made(drawn.unwrap_or_default().to_vec(), Behind::draw, Front::draw).await
    }

    fn abandon_prompt(&self) {
        if !self.behind.as_ref().is_some_and(|behind| behind.abandon()) {
            self.front.abandon();
        }
    }

    fn job(&self) -> Option<Arc<dyn JobTerminal>> {
        // What a window shows is no session: there is no prompt to go back to.
        if !self.interactive || self.finished.is_some() {
            return None;
        }
        let (keys, behind) = (self.keys.branch(), Arc::new(Behind::new()));
        let views = Views::start(
            &Handle::current(),
            views::Screen {
                port: self.port.clone(),
                front: self.front.clone(),
                keys: keys.clone(),
                size: self.size.clone(),
                colour: self.colour,
                behind: Some(behind.clone()),
            },
        );
        Some(Arc::new(PtyTerminal { keys, views, behind: Some(behind), ..self.clone() }))
    }

    fn colour(&self) -> bool {
        self.colour
    }

    fn kind(&self) -> Kind {
        Kind::Tty
    }

    fn size(&self) -> watch::Receiver<Size> {
        let mut size = self.size.clone();
        // Only what changes from now on is news to whoever asks.
        size.mark_unchanged();
        size
    }

    fn term(&self) -> String {
        self.term.clone()
    }

    fn served_on(&self) -> Option<Handle> {
        Some(self.served_on.clone())
    }

    fn interactive(&self) -> bool {
        self.interactive
    }

    fn keyboard(&self) -> Keyboard {
        self.keys.lease()
    }

    async fn finish(&self) -> io::Result<()> {
        if let Some(finished) = &self.finished {
            finished.0.cancel();
        }
        Ok(())
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        if let Some(windows) = &self.windows
            && windows.session.options.parallel_view() == ParallelView::Windows
            && let Some(terminal) = windows.isolation(&request, self).await
        {
            return Ok(terminal);
        }
        match &request.run {
            Some(run) if self.views.shows(run) => {
                let inherited = Inherited { term: self.term.clone(), colour: self.colour };
                views::open(&self.views, &inherited, run, request.index).await
            }
            _ => Ok(auxiliary::open(Arc::new(self.clone()), &request)),
        }
    }

    async fn parallel_begins(&self, run: &Arc<ParallelRun>) {
        if let Some(wish) = self.wish() {
            self.views.begin(run, None, wish).await;
        }
    }

    async fn parallel_ends(&self, run: &Arc<ParallelRun>) {
        if !self.views.shows(run) {
            return;
        }
        let shown = self.views.end(run).await;
        if let Err(error) = self.print(&shown).await {
            tracing::debug!(%error, "what a run has shown could not be told");
        }
    }
}
