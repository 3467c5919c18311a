//! One action in a task of its own, so that it goes on when the operator looks elsewhere.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinError;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::{Done, Performance};
use crate::env::Gate;
use crate::shell::act::{Surroundings, stopped};
use crate::shell::supervise::{Around, End, HotKey, watch};
use crate::terminal::{JobTerminal, Terminal, TypeAhead};

/// An action under way, or ended and not looked at.
pub(in crate::shell) struct Job {
    /// Dotted path and name.
    pub(super) title: String,
    pub(super) begun: Instant,
    /// Its number, once it was left.
    pub(super) number: Option<usize>,
    pub(super) cancel: CancellationToken,
    /// Its exit status and how long it took, once it has ended.
    pub(super) over: watch::Receiver<Option<(i32, Duration)>>,
    around: Surroundings,
    gate: Arc<dyn Gate>,
    typed: TypeAhead,
    task: AbortOnDropHandle<io::Result<Done>>,
}

impl Job {
    pub(in crate::shell) fn begin(
        title: String,
        performance: Performance,
        cancel: CancellationToken,
        around: Surroundings,
    ) -> Job {
        let begun = Instant::now();
        let gate = performance.env.context().gate.clone();
        let (ended, over) = watch::channel(None);
        // The lease of whoever watches is older than those of what is watched.
        let mut typed = TypeAhead::new(around.terminal.keyboard());
        typed.put_aside();
        let task = AbortOnDropHandle::new(tokio::spawn(async move {
            let done = performance.run().await;
            ended.send_replace(done.as_ref().ok().map(|done| (done.status, begun.elapsed())));
            done
        }));
        Job { title, begun, number: None, cancel, over, around, gate, typed, task }
    }

    /// Where it can be left, its terminal.
    pub(super) fn terminal(&self) -> Option<&Arc<dyn JobTerminal>> {
        self.around.job.as_ref()
    }

    /// Watches over it in the foreground; `None` when the operator leaves it.
    pub(in crate::shell) async fn watch(&mut self, hot: Option<&HotKey>) -> Option<End<io::Result<Done>>> {
        let around = Around {
            terminal: &self.around.terminal,
            asker: &*self.around.asker,
            cancel: &self.cancel,
            hot,
            job: self.around.job.as_deref(),
        };
        match watch(&around, &mut self.typed, &mut self.task).await? {
            End::Itself(done) => Some(End::Itself(done.unwrap_or_else(crashed))),
            End::Stopped => Some(End::Stopped),
        }
    }

    /// Gives up on it now.
    ///
    /// # Errors
    /// When the terminal went away.
    pub(in crate::shell) async fn stop(mut self) -> io::Result<Done> {
        self.task.abort();
        if let Ok(done) = (&mut self.task).await {
            return done;
        }
        self.around.screen.fresh_line().await?;
        Ok(Done { status: stopped(&self.around.logger).await, subshell: None })
    }

    /// Leaves it.
    ///
    /// # Errors
    /// When the terminal went away.
    pub(in crate::shell) async fn put_behind(&mut self) -> io::Result<()> {
        self.around.screen.fresh_line().await?;
        self.typed.give_back();
        if let Some(terminal) = self.terminal() {
            terminal.put_behind().await;
        }
        self.gate.goes_behind();
        Ok(())
    }

    /// Whether the operator may come back to it; the keyboard is its own from then on.
    ///
    /// # Errors
    /// A sentence: it stays in the background.
    pub(super) fn comes_back(&self) -> Result<(), String> {
        self.gate.comes_back()
    }

    /// Comes back to it.
    pub(in crate::shell) async fn bring_front(&self) {
        if let Some(terminal) = self.terminal() {
            terminal.bring_front().await;
        }
    }

    /// Waits until its task has ended.
    pub(super) async fn finished(&mut self) {
        if let Err(error) = (&mut self.task).await {
            tracing::error!(title = self.title, %error, "an action in the background crashed");
        }
    }
}

/// A bug of ours ends the session, as when the shell itself had run the action.
fn crashed(error: JoinError) -> io::Result<Done> {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Err(io::Error::other(error)),
    }
}
