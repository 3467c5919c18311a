//! Questions to the operator who started a run: passwords, host keys, choices.

use std::fmt;
use std::sync::{Arc, Weak};

use async_trait::async_trait;
use zeroize::Zeroizing;

/// A question and to whom it belongs.
#[derive(Clone, Debug)]
pub struct Question {
    /// Which host (and which hop) asks; shown in front, so that an answer never goes to the wrong one.
    pub label: String,
    /// Text above the prompt, may have several lines; empty when the prompt says it all.
    pub notice: String,
    /// The prompt itself, without colon; may be empty for a choice, whose options then are the question.
    pub prompt: String,
    /// What kind of answer is wanted.
    pub kind: QuestionKind,
}

/// What kind of answer a question wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuestionKind {
    /// Not echoed, never logged.
    Secret,
    /// One line.
    Line,
    /// Yes or no, typed in full; no default.
    Confirm,
    /// One of these words.
    Choice {
        /// The words to choose from; the beginning of one is answer enough when no other begins so.
        options: Vec<String>,
        /// Taken on Enter, and when nobody is there.
        default: Option<String>,
    },
}

/// An answer. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Answer(pub Zeroizing<String>);

impl Answer {
    /// Whether a [`QuestionKind::Confirm`] was answered with yes.
    pub fn is_yes(&self) -> bool {
        self.0.as_str() == "yes"
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Answer(..)")
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// No person at this terminal, or `--non-interactive`.
    #[error("nobody is there to answer")]
    NobodyThere,
    /// The person pressed Ctrl-C, or the terminal went away.
    #[error("the question was cancelled")]
    Cancelled,
}

/// Somebody who can be asked, and told.
#[async_trait]
pub trait Asker: Send + Sync {
    /// Asks; one question at a time is shown, others wait their turn.
    ///
    /// # Errors
    /// [`NoAnswer`] when nobody is there or the person gave up.
    async fn ask(&self, question: Question) -> Result<Answer, NoAnswer>;

    /// Tells what a long wait is for: one line, no answer (row F-67). Where nobody listens it goes nowhere.
    async fn tell(&self, _line: &str) {}

    /// Whether a person is there. Questions that only a person can decide are not even shown otherwise; those with a
    /// default are answered with it.
    fn attended(&self) -> bool {
        true
    }

    /// Whose questions these are. `None`: somebody who is asked nowhere else.
    fn operator(&self) -> Option<Operator> {
        None
    }
}

/// Whose runs they are, when one person is asked on several terminals: each action and each isolation may have one. What is
/// kept for an operator, such as a helper shell, is kept by this. Equal to its clones only.
#[derive(Clone, Debug, Default)]
pub struct Operator(Arc<()>);

impl Operator {
    /// To know later whether anything of theirs is still there.
    pub(crate) fn downgrade(&self) -> Weak<()> {
        Arc::downgrade(&self.0)
    }
}

/// For runs without a person: every question stays unanswered.
#[derive(Clone, Copy, Debug)]
pub struct NobodyToAsk;

#[async_trait]
impl Asker for NobodyToAsk {
    async fn ask(&self, _: Question) -> Result<Answer, NoAnswer> {
        Err(NoAnswer::NobodyThere)
    }

    fn attended(&self) -> bool {
        false
    }
}
