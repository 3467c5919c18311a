//! What leaves an action when it fails: the cause and the chain of actions around it.

use std::fmt;
use std::sync::Arc;

use super::{CellOutcome, Outcome};
use crate::host::files::Problem;
use crate::host::{ExitStatus, HostError, NoAnswer, RunError, RunFailure};
use crate::node::{ClassError, NodeError, Position};
use crate::value::Value;

/// An error that left an action (the `ActionException` of the original, rows E-10, K-13). Cheap to clone.
#[derive(Clone, Debug)]
pub struct ActionError {
    /// What happened.
    pub cause: Arc<Cause>,
    /// Through which actions it went, the innermost first (row E-11: each action once).
    pub chain: Vec<Frame>,
    /// Where in the action's code it was raised, when the front end knows; the action's frame takes it over.
    pub position: Option<Position>,
}

/// One action that an error went through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Dotted path of the node.
    pub node: String,
    /// Name of the action.
    pub action: String,
    /// Where in the action, or where the action was written.
    pub position: Option<Position>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Cause {
    /// A command failed or could not run.
    Run(RunError),
    /// Cells of a parallel call failed; all outcomes, in host order (row C-12 with design 8).
    Parallel(Vec<CellOutcome>),
    /// A required value was not overridden (row A-21).
    Required {
        /// Name of the value.
        name: String,
        /// Dotted path of the node.
        node: String,
        /// What it is for.
        what_for: Option<String>,
    },
    /// No such attribute, action, child or cell.
    Unknown(NodeError),
    /// A class was defined wrongly while running.
    Class(ClassError),
    /// A query failed (row G-17).
    Query {
        /// The expression as it prints.
        query: String,
        /// Where it was written.
        position: Option<Position>,
        /// Why.
        inner: Box<ActionError>,
    },
    /// Code of a script raised an error.
    Script {
        /// The message, position first when known.
        message: String,
        /// The Lua traceback, for the log.
        traceback: Option<String>,
        /// The value that was raised, when it was not text.
        value: Option<Value>,
    },
    /// A question that an action asked has no answer (row K-15).
    NoInput {
        /// The question.
        question: String,
        /// Why.
        why: NoAnswer,
    },
    /// Whoever is behind the run may not act there; a sentence.
    Forbidden(String),
    /// Ctrl-C, or the session or daemon ended.
    Interrupted,
    /// Wrong use: arguments, types.
    Usage(String),
}

/// The kinds of bad ends, in rising order of what outweighs what when several cells end badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// No host was reached, nothing else went wrong.
    Unreachable,
    /// Something failed.
    Failed,
    /// Not permitted.
    Forbidden,
    /// What became of a command is not known: somebody has to look.
    Unknown,
    /// Stopped by the operator or with the session.
    Interrupted,
}

fn run_ending(error: &RunError) -> Ending {
    match error {
        RunError::Failed(failure) if matches!(failure.status, ExitStatus::Unknown(_)) => Ending::Unknown,
        RunError::Interrupted { .. } | RunError::Host(HostError::Interrupted { .. }) => Ending::Interrupted,
        RunError::Host(HostError::Connect(_)) => Ending::Unreachable,
        RunError::Host(HostError::Forbidden { .. }) => Ending::Forbidden,
        RunError::Several(outcomes) => {
            outcomes.iter().filter_map(|o| o.result.as_ref().err()).map(run_ending).max().unwrap_or(Ending::Failed)
        }
        RunError::File(error) => match error.fault.problem {
            Problem::Interrupted => Ending::Interrupted,
            _ => Ending::Failed,
        },
        RunError::Failed(_)
        | RunError::Usage { .. }
        | RunError::Host(HostError::Refused { .. } | HostError::NoFiles { .. }) => Ending::Failed,
    }
}

impl ActionError {
    /// An error that has not left any action yet.
    pub fn new(cause: Cause) -> ActionError {
        ActionError { cause: Arc::new(cause), chain: Vec::new(), position: None }
    }

    /// The same error, raised there: the line of the call in a script.
    pub fn raised_at(self, position: Option<Position>) -> ActionError {
        ActionError { position, ..self }
    }

    /// Wrong use.
    pub fn usage(message: impl Into<String>) -> ActionError {
        ActionError::new(Cause::Usage(message.into()))
    }

    /// The command that failed, when that is what happened: the `ExecCommandFailed` of the original (row E-12).
    pub fn run_failure(&self) -> Option<&RunFailure> {
        match &*self.cause {
            Cause::Run(RunError::Failed(failure)) => Some(failure),
            _ => None,
        }
    }

    /// The same error, having left one more action.
    pub fn through(mut self, frame: Frame) -> ActionError {
        self.chain.push(frame);
        self
    }

    /// Whether it was an interruption rather than a failure.
    pub fn is_interrupted(&self) -> bool {
        self.ending() == Ending::Interrupted
    }

    /// Whether an action was left with it, or with what it is made of: then it is in the log already (row E-11).
    pub(crate) fn was_logged(&self) -> bool {
        !self.chain.is_empty()
            || match &*self.cause {
                Cause::Parallel(_) => true,
                Cause::Query { inner, .. } => inner.was_logged(),
                _ => false,
            }
    }

    /// Which kind of bad end it is. Of several cells the one that matters most to the caller.
    pub fn ending(&self) -> Ending {
        match &*self.cause {
            Cause::Interrupted | Cause::NoInput { why: NoAnswer::Cancelled, .. } => Ending::Interrupted,
            Cause::Run(error) => run_ending(error),
            Cause::Forbidden(_) => Ending::Forbidden,
            Cause::Query { inner, .. } => inner.ending(),
            Cause::Parallel(outcomes) => {
                let endings = outcomes.iter().filter_map(|cell| match &cell.outcome {
                    Outcome::Ok(_) | Outcome::Skipped => None,
                    Outcome::NotStarted => Some(Ending::Interrupted),
                    Outcome::Failed(error) => Some(error.ending()),
                    // What ended a cell is known even when its error says less.
                    Outcome::Interrupted(_) => Some(Ending::Interrupted),
                });
                endings.max().unwrap_or(Ending::Failed)
            }
            _ => Ending::Failed,
        }
    }

    /// Status of a program that ends with this error: 1 failed, 3 only unreachable hosts, 6 not
    /// permitted, 7 outcome unknown on some
    /// host, 130 interrupted.
    pub fn exit_code(&self) -> i32 {
        match self.ending() {
            Ending::Unreachable => 3,
            Ending::Failed => 1,
            Ending::Forbidden => 6,
            Ending::Unknown => 7,
            Ending::Interrupted => 130,
        }
    }
}

impl From<RunError> for ActionError {
    fn from(error: RunError) -> ActionError {
        ActionError::new(Cause::Run(error))
    }
}

impl From<HostError> for ActionError {
    fn from(error: HostError) -> ActionError {
        RunError::from(error).into()
    }
}

impl From<ClassError> for ActionError {
    fn from(error: ClassError) -> ActionError {
        ActionError::new(Cause::Class(error))
    }
}

/// What the code of a program could not do here, such as reading a file.
impl From<std::io::Error> for ActionError {
    fn from(error: std::io::Error) -> ActionError {
        ActionError::usage(error.to_string())
    }
}

impl From<NodeError> for ActionError {
    fn from(error: NodeError) -> ActionError {
        ActionError::new(Cause::Unknown(error))
    }
}

/// One line: what happened. The chain is shown by the logger.
impl fmt::Display for ActionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.cause {
            Cause::Run(error) => write!(f, "{error}"),
            Cause::Parallel(outcomes) => summary(outcomes, f),
            Cause::Required { name, node, what_for } => {
                write!(f, "{node}: required value '{name}' is not set")?;
                match what_for {
                    Some(text) => write!(f, " ({text})"),
                    None => Ok(()),
                }
            }
            Cause::Unknown(error) => write!(f, "{error}"),
            Cause::Class(error) => write!(f, "{error}"),
            Cause::Query { query, position, inner } => {
                write!(f, "query {query} failed")?;
                if let Some(position) = position {
                    write!(f, " ({position})")?;
                }
                write!(f, ": {inner}")
            }
            Cause::Script { message, .. } => f.write_str(message),
            Cause::NoInput { question, why } => write!(f, "no answer to '{question}': {why}"),
            Cause::Forbidden(why) => write!(f, "not permitted: {why}"),
            Cause::Interrupted => f.write_str("interrupted"),
            Cause::Usage(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ActionError {}

/// `failed on 2 of 3: web1, web2`; the reason too when there is only one to give.
fn summary(outcomes: &[CellOutcome], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let bad: Vec<&CellOutcome> = outcomes.iter().filter(|cell| !cell.outcome.is_ok()).collect();
    let mut separator = "";
    for word in ["failed", "interrupted", "not started"] {
        let labels: Vec<&str> =
            bad.iter().filter(|cell| cell.outcome.word() == word).map(|cell| cell.label.as_str()).collect();
        if !labels.is_empty() {
            write!(f, "{separator}{word} on {} of {}: {}", labels.len(), outcomes.len(), labels.join(", "))?;
            separator = "; ";
        }
    }
    match bad.as_slice() {
        [CellOutcome { outcome: Outcome::Failed(error), .. }] => write!(f, " ({error})"),
        _ => Ok(()),
    }
}
