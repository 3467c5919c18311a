//! Watches the keyboard while an action runs: Ctrl-C, type-ahead.

use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::host::{Asker, NoAnswer, Question, QuestionKind};
use crate::terminal::{INTERRUPT, JobTerminal, Terminal, TypeAhead};

/// How a supervised future ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End<T> {
    /// By itself, interrupted or not.
    Itself(T),
    /// The operator would not wait for it any longer.
    Stopped,
}

/// A key that does something while an action runs.
pub(super) struct HotKey {
    /// What terminals send for it.
    pub(super) byte: u8,
    /// Does it; must not wait.
    pub(super) pressed: Box<dyn Fn() + Send + Sync>,
}

/// What surrounds a future that is watched over.
pub(super) struct Around<'a> {
    pub(super) terminal: &'a Arc<dyn Terminal>,
    /// Asks what a second Ctrl-C shall mean.
    pub(super) asker: &'a dyn Asker,
    pub(super) cancel: &'a CancellationToken,
    pub(super) hot: Option<&'a HotKey>,
    /// Where the operator may leave it, its terminal.
    pub(super) job: Option<&'a dyn JobTerminal>,
}

/// Runs a future that cannot be left, see [`watch`].
pub(super) async fn supervise<T>(
    terminal: &Arc<dyn Terminal>,
    asker: &dyn Asker,
    cancel: &CancellationToken,
    future: impl Future<Output = T>,
) -> End<T> {
    let mut typed = TypeAhead::new(terminal.keyboard());
    let around = Around { terminal, asker, cancel, hot: None, job: None };
    tokio::pin!(future);
    watch(&around, &mut typed, future).await.unwrap_or(End::Stopped)
}

/// Runs a future while watching the keyboard; `None` when the operator leaves it. The first Ctrl-C cancels
/// [`Around::cancel`], the polite end; each later one, while the future still goes on, asks whether to stop it at once.
/// Interactive programs hold a newer lease of the keyboard, so their Ctrl-C is theirs. What is typed otherwise is kept
/// for whoever reads next.
pub(super) async fn watch<T>(
    around: &Around<'_>,
    typed: &mut TypeAhead,
    mut future: impl Future<Output = T> + Unpin,
) -> Option<End<T>> {
    let Around { terminal, asker, cancel, hot, job } = around;
    loop {
        tokio::select! {
            biased;
            result = &mut future => return Some(End::Itself(result)),
            () = left(*job) => return None,
            key = typed.noticed(hot.map(|hot| hot.byte)) => if let (true, Some(hot)) = (key != INTERRUPT, hot) {
                (hot.pressed)();
                continue;
            }
        }
        if !cancel.is_cancelled() {
            cancel.cancel();
            notice(terminal, "^C  interrupting; Ctrl-C again to choose what happens to what still runs\n").await;
            continue;
        }
        tokio::select! {
            biased;
            result = &mut future => return Some(End::Itself(result)),
            choice = what_now(*asker, job.is_some()) => match choice {
                Choice::Stop => return Some(End::Stopped),
                Choice::Leave => return None,
                Choice::Wait => {}
            },
        }
    }
}

async fn left(job: Option<&dyn JobTerminal>) {
    match job {
        Some(job) => job.left().await,
        None => std::future::pending().await,
    }
}

enum Choice {
    Stop,
    Leave,
    Wait,
}

async fn what_now(asker: &dyn Asker, can_leave: bool) -> Choice {
    let mut notice = "Something still runs. 'stop' gives up on it now; remote commands are ended in the background. \
                      'wait' goes on waiting for a clean end."
        .to_string();
    let mut options = vec!["stop".to_string(), "wait".to_string()];
    if can_leave {
        notice += " 'leave' lets it end in the background; 'jobs' lists it.";
        options.push("leave".to_string());
    }
    let question = Question {
        label: String::new(),
        notice,
        prompt: String::new(),
        kind: QuestionKind::Choice { options, default: Some("wait".to_string()) },
    };
    match asker.ask(question).await {
        Ok(answer) if answer.0.as_str() == "stop" => Choice::Stop,
        Ok(answer) if answer.0.as_str() == "leave" => Choice::Leave,
        Ok(_) => Choice::Wait,
        // Ctrl-C at this question is an answer too. Where nobody can be asked, somebody yet pressed Ctrl-C twice.
        Err(NoAnswer::Cancelled | NoAnswer::NobodyThere) => Choice::Stop,
    }
}

async fn notice(terminal: &Arc<dyn Terminal>, text: &str) {
    if let Err(error) = terminal.print_talk(text).await {
        tracing::debug!(%error, "a notice could not be shown");
    }
}
