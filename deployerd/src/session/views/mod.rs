//! What operators see of a parallel action: tiles or folded lines of the session's own terminal, drawn here, so that
//! everybody who is attached sees the same (rows, W-30, W-55 with design 5).
//!
//! One task per action draws (`actor`); what it knows is a value without input or output (`stage`).

mod actor;
mod cells;
mod draw;
mod front;
mod held;
mod isolation;
mod keys;
mod layout;
mod names;
mod painter;
mod pane;
mod stage;
#[cfg(test)]
mod tests;
mod transcript;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use deployer_core::terminal::{KeyboardHub, ParallelRun, PromptLine, Size};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use front::Front;
pub(crate) use held::Held;
pub(crate) use isolation::{Inherited, open};

use super::behind::Behind;
use super::terminal::Port;

/// Events that may wait; isolations that print faster than they are read wait with theirs.
const INBOX: usize = 32;

/// Which isolation, within one session. Later ones have higher numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PaneId(u64);

/// The way to the task that shows the parallel runs of an action, or of what runs in a session without one.
#[derive(Clone)]
pub(crate) struct Views {
    inbox: mpsc::Sender<Event>,
    output: mpsc::Sender<Output>,
    /// The runs that are shown. Locked to look, never across an await.
    shown: Arc<Mutex<Vec<Weak<ParallelRun>>>>,
}

/// How the operator wants to see runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wish {
    /// Lines even where tiles would fit.
    pub(crate) folded: bool,
    /// Stay until a key says to go when all has ended (row Q-21).
    pub(crate) keep_open: bool,
}

/// What a view is shown on.
pub(crate) struct Screen {
    /// Where bytes go.
    pub(crate) port: Arc<Port>,
    /// Who else writes there.
    pub(crate) front: Arc<Front>,
    /// The session's keyboard.
    pub(crate) keys: KeyboardHub,
    /// The session's size.
    pub(crate) size: watch::Receiver<Size>,
    /// Whether colours are wanted.
    pub(crate) colour: bool,
    /// For an action that can be left: whether it was.
    pub(crate) behind: Option<Arc<Behind>>,
}

/// What the task is told.
enum Event {
    /// A run begins, within an isolation of another run or not.
    Begin(Arc<ParallelRun>, Option<PaneId>, Wish),
    /// Its isolation of this index begins.
    Open { run: Arc<ParallelRun>, index: usize, reply: oneshot::Sender<Opened> },
    /// Isolations have begun or ended.
    Changed,
    /// A run is over; answered with what it has shown when the terminal is free for it.
    End(Arc<ParallelRun>, oneshot::Sender<String>),
    /// A run is over and nobody asks what it has shown: it was dropped.
    Dropped(Arc<ParallelRun>),
}

/// An isolation has printed. On a way of its own: a flood does not delay what else happens.
struct Output(PaneId, Bytes);

/// An isolation's side of its place in the view.
pub(crate) struct Opened {
    id: PaneId,
    keys: KeyboardHub,
    prompt: Arc<PromptLine>,
    size: watch::Receiver<Size>,
    /// How many bytes of its output are in the view.
    seen: watch::Receiver<u64>,
}

impl Views {
    /// Starts the task, where it runs beside what it shows; it ends when nobody can tell it anything any more.
    pub(crate) fn start(workers: &Handle, screen: Screen) -> Views {
        let ((inbox, events), (output, printed)) = (mpsc::channel(INBOX), mpsc::channel(INBOX));
        workers.spawn(actor::run(screen, events, printed));
        Views { inbox, output, shown: Arc::default() }
    }

    /// A run begins. Where it ends without saying so, its view ends too.
    pub(crate) async fn begin(&self, run: &Arc<ParallelRun>, within: Option<PaneId>, wish: Wish) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::downgrade(run));
        self.tell(Event::Begin(run.clone(), within, wish)).await;
        let (this, run, mut states) = (self.clone(), run.clone(), run.states());
        tokio::spawn(async move {
            while states.changed().await.is_ok() {
                this.tell(Event::Changed).await;
            }
            this.tell(Event::Dropped(run)).await;
        });
    }

    /// Whether a run is shown here.
    pub(crate) fn shows(&self, run: &Arc<ParallelRun>) -> bool {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.retain(|run| run.strong_count() > 0);
        shown.iter().any(|shown| std::ptr::addr_eq(shown.as_ptr(), Arc::as_ptr(run)))
    }

    /// A run is over: what it has shown, as text with `\n` line ends, once the terminal is free.
    pub(crate) async fn end(&self, run: &Arc<ParallelRun>) -> String {
        let (reply, shown) = oneshot::channel();
        self.tell(Event::End(run.clone(), reply)).await;
        // The task is gone with its session: nobody can be shown anything.
        shown.await.unwrap_or_default()
    }

    async fn tell(&self, event: Event) {
        if self.inbox.send(event).await.is_err() {
            tracing::debug!("the view of a session has ended before its runs");
        }
    }
}
