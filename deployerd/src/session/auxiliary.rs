//! Auxiliary terminals: one kernel PTY per isolation of a parallel run, made by the daemon, claimed by nobody else
//! (rows M-06, M-07, Q-19, W-08 with design 5).
//!
//! What an isolation prints is read from the master and appears as whole, labelled lines in the session's terminal.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use deployer_core::terminal::lines::LinesTerminal;
use deployer_core::terminal::{AuxiliaryRequest, Keyboard, Kind, Size, Terminal};
use tokio::sync::watch;

use super::pty::{self, Master};
use super::terminal::Port;

/// A terminal for one isolation, shown on `parent`. Without a PTY (the system has no more) lines go there directly.
pub(crate) fn open(parent: Arc<dyn Terminal>, request: &AuxiliaryRequest) -> Arc<dyn Terminal> {
    let lines = LinesTerminal::new(parent.clone(), request);
    let size = *lines.size().borrow();
    let (master, slave) = match pty::open(size) {
        Ok(pair) => pair,
        Err(error) => {
            tracing::warn!(label = request.label, %error, "no PTY for an isolation: its lines are shown without one");
            return lines;
        }
    };
    let (shown, seen) = watch::channel(0);
    tokio::spawn(pump(master, lines.clone(), shown));
    let port = Mutex::new(Some(Arc::new(Port::new(slave))));
    Arc::new(Auxiliary { parent, lines, port, seen })
}

struct Auxiliary {
    parent: Arc<dyn Terminal>,
    lines: Arc<LinesTerminal>,
    /// Gone when the isolation has ended; with it the last descriptor of the slave, which ends the pump.
    port: Mutex<Option<Arc<Port>>>,
    /// How many bytes the pump has shown.
    seen: watch::Receiver<u64>,
}

impl Auxiliary {
    fn port(&self) -> Option<Arc<Port>> {
        self.port.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until everything written is in the session's terminal.
    async fn shown(&self) {
        if let Some(port) = self.port() {
            // An error means that the pump has ended: nobody is left to show anything to.
            let mut seen = self.seen.clone();
            let _all_shown = seen.wait_for(|seen| *seen >= port.written()).await;
        }
    }

    fn close(&self) {
        self.port.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

/// Shows what arrives on the master until the slave is closed.
async fn pump(master: Master, lines: Arc<LinesTerminal>, shown: watch::Sender<u64>) {
    let mut size = lines.size();
    let mut buffer = vec![0; 4096];
    loop {
        tokio::select! {
            read = master.read(&mut buffer) => {
                let Ok(count @ 1..) = read else { break };
                if lines.write(&buffer[..count]).await.is_err() {
                    // The session is gone: nobody can see it any more.
                    return;
                }
                shown.send_modify(|shown| *shown += count as u64);
            }
            Ok(()) = size.changed() => {
                let now: Size = *size.borrow_and_update();
                if let Err(error) = master.resize(now) {
                    tracing::debug!(%error, "an isolation's terminal keeps its size");
                }
            }
        }
    }
    if let Err(error) = lines.finish().await {
        tracing::debug!(%error, "the last line of an isolation has nobody to see it");
    }
}

#[async_trait]
impl Terminal for Auxiliary {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self.port() {
            Some(port) => port.write(bytes).await,
            None => Err(io::Error::new(io::ErrorKind::BrokenPipe, "the isolation has ended")),
        }
    }

    fn kind(&self) -> Kind {
        Kind::Tty
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.lines.size()
    }

    fn term(&self) -> String {
        self.lines.term()
    }

    fn label(&self) -> Option<&str> {
        self.lines.label()
    }

    fn colour(&self) -> bool {
        self.lines.colour()
    }

    fn interactive(&self) -> bool {
        false
    }

    fn keyboard(&self) -> Keyboard {
        self.lines.keyboard()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        Ok(open(self.parent.clone(), &request))
    }

    /// A program line without end is shown first, so that nothing stands behind it.
    async fn fresh_line(&self) -> io::Result<()> {
        self.shown().await;
        self.lines.fresh_line().await
    }

    /// Returns when everything written is in the session's terminal, so that a summary comes after it.
    async fn finish(&self) -> io::Result<()> {
        self.shown().await;
        self.lines.finish().await?;
        self.close();
        Ok(())
    }
}
