//! Watches the keyboard while an action runs: Ctrl-C, type-ahead.

use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::host::{Asker, NoAnswer, Question, QuestionKind};
use crate::terminal::{INTERRUPT, Terminal, TypeAhead};

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

/// Runs a future while watching the keyboard. The first Ctrl-C cancels `cancel`, the polite end; each later one, while
/// the future still goes on, asks whether to stop it at once. Interactive programs hold a newer lease of the keyboard,
/// so their Ctrl-C is theirs. What is typed otherwise is kept for whoever reads next.
pub(super) async fn supervise<T>(
    terminal: &Arc<dyn Terminal>,
    asker: &dyn Asker,
    cancel: &CancellationToken,
    hot: Option<&HotKey>,
    future: impl Future<Output = T>,
) -> End<T> {
    let mut typed = TypeAhead::new(terminal.keyboard());
    tokio::pin!(future);
    loop {
        tokio::select! {
            biased;
            result = &mut future => return End::Itself(result),
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
            result = &mut future => return End::Itself(result),
            stop = wants_to_stop(asker) => if stop {
                return End::Stopped;
            },
        }
    }
}

async fn wants_to_stop(asker: &dyn Asker) -> bool {
    let question = Question {
        label: String::new(),
        notice: "Something still runs. 'stop' gives up on it now; remote commands are ended in the background. \
                 'wait' goes on waiting for a clean end."
            .to_string(),
        prompt: String::new(),
        kind: QuestionKind::Choice {
            options: vec!["stop".to_string(), "wait".to_string()],
            default: Some("wait".to_string()),
        },
    };
    match asker.ask(question).await {
        Ok(answer) => answer.0.as_str() == "stop",
        // Ctrl-C at this question is an answer too.
        Err(NoAnswer::Cancelled) => true,
        // Nobody can be asked at this terminal, yet somebody pressed Ctrl-C twice.
        Err(NoAnswer::NobodyThere) => true,
    }
}

async fn notice(terminal: &Arc<dyn Terminal>, text: &str) {
    if let Err(error) = terminal.print_talk(text).await {
        tracing::debug!(%error, "a notice could not be shown");
    }
}
