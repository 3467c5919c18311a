//! Questions that come up while connecting, put to the operator who started the run.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::progress::{Step, Steps};
use crate::host::{Answer, Asker, NoAnswer, Question, QuestionKind};

/// The person behind one attempt to connect. No question is ever asked while something is locked or a deadline runs.
pub(super) struct Questions {
    asker: Arc<dyn Asker>,
    label: String,
    /// The run that started the attempt was cancelled; nobody answers any more.
    gone: CancellationToken,
    steps: Steps,
}

impl Questions {
    pub(super) fn new(asker: Arc<dyn Asker>, label: &str, gone: CancellationToken, steps: Steps) -> Questions {
        Questions { asker, label: label.to_string(), gone, steps }
    }

    /// Asks and waits, as long as the person takes.
    pub(super) async fn ask(&self, notice: String, prompt: String, kind: QuestionKind) -> Result<Answer, NoAnswer> {
        let question = Question { label: self.label.clone(), notice, prompt, kind };
        let before = self.steps.send_replace(Step::Ask);
        let answer = tokio::select! {
            answer = self.asker.ask(question) => answer,
            () = self.gone.cancelled() => Err(NoAnswer::Cancelled),
        };
        self.steps.send_replace(before);
        answer
    }
}
