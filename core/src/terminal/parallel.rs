//! One parallel run as those know it who show it: who takes part, and what became of each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use unicode_width::UnicodeWidthStr;

use super::{AuxiliaryRequest, Terminal};

/// A parallel run, announced to the terminal it shows on before its isolations open theirs.
#[derive(Debug)]
pub struct ParallelRun {
    /// What runs, for people: `web.deploy`.
    pub title: String,
    /// Labels of the isolations, in host order.
    pub labels: Vec<String>,
    /// Asks everything that still runs to end; whoever shows the run may use it when the operator wants that.
    pub cancel: CancellationToken,
    label_width: usize,
    states: watch::Receiver<Vec<CellState>>,
}

/// Where one isolation stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CellState {
    /// It has not begun: it waits for its turn.
    Queued,
    /// It runs since then.
    Running(Instant),
    /// It has ended.
    Ended {
        /// The word of the summary: `ok`, `failed`, `skipped`, `interrupted`, `not started`.
        word: &'static str,
        /// How long it took.
        elapsed: Duration,
    },
}

impl ParallelRun {
    /// The states of all isolations, in host order; the sender is gone when the run is over.
    pub fn states(&self) -> watch::Receiver<Vec<CellState>> {
        self.states.clone()
    }

    /// Width of the widest label, columns.
    pub fn label_width(&self) -> usize {
        self.label_width
    }
}

/// The side that runs: tells the terminal that a run begins, how it goes, and that it is over, also when it is dropped.
pub struct Announced {
    run: Arc<ParallelRun>,
    states: watch::Sender<Vec<CellState>>,
    terminal: Arc<dyn Terminal>,
}

impl Announced {
    /// Announces a run on `terminal`.
    pub async fn begin(
        terminal: &Arc<dyn Terminal>,
        title: String,
        labels: Vec<String>,
        cancel: CancellationToken,
    ) -> Arc<Announced> {
        let (sender, states) = watch::channel(vec![CellState::Queued; labels.len()]);
        let label_width = labels.iter().map(|label| label.width()).max().unwrap_or(0);
        let run = Arc::new(ParallelRun { title, labels, cancel, label_width, states });
        terminal.parallel_begins(&run).await;
        Arc::new(Announced { run, states: sender, terminal: terminal.clone() })
    }

    /// Opens the terminal of an isolation, which begins with that.
    ///
    /// # Errors
    /// When the terminal cannot open another one.
    pub async fn open(&self, index: usize) -> io::Result<Arc<dyn Terminal>> {
        let label = self.run.labels.get(index).cloned().unwrap_or_default();
        let request =
            AuxiliaryRequest { label, label_width: self.run.label_width(), index, run: Some(self.run.clone()) };
        let terminal = self.terminal.auxiliary(request).await?;
        self.set(index, CellState::Running(Instant::now()));
        Ok(terminal)
    }

    /// An isolation has ended. What it showed is shown by now.
    pub fn ended(&self, index: usize, word: &'static str, elapsed: Duration) {
        self.set(index, CellState::Ended { word, elapsed });
    }

    fn set(&self, index: usize, state: CellState) {
        self.states.send_modify(|states| {
            if let Some(slot) = states.get_mut(index) {
                *slot = state;
            }
        });
    }

    /// All have ended: returns when the terminal shows again what it showed before, so that a summary can follow.
    pub async fn finish(&self) {
        self.terminal.parallel_ends(&self.run).await;
    }
}
