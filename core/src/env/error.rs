//! What leaves an action when it fails: the cause and the chain of actions around it.

use std::fmt;
use std::sync::Arc;

use super::CellOutcome;
use crate::host::RunError;
use crate::node::{ClassError, NodeError, Position};
use crate::value::Value;

/// An error that left an action (the `ActionException` of the original, rows E-10, K-13). Cheap to clone.
#[derive(Clone, Debug)]
pub struct ActionError {
    /// What happened.
    pub cause: Arc<Cause>,
    /// Through which actions it went, the innermost first (row E-11: each action once).
    pub chain: Vec<Frame>,
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
    /// Ctrl-C, or the session or daemon ended.
    Interrupted,
    /// Wrong use: arguments, types.
    Usage(String),
}

impl ActionError {
    /// An error that has not left any action yet.
    pub fn new(cause: Cause) -> ActionError {
        ActionError { cause: Arc::new(cause), chain: Vec::new() }
    }

    /// Wrong use.
    pub fn usage(message: impl Into<String>) -> ActionError {
        ActionError::new(Cause::Usage(message.into()))
    }

    /// The same error, having left one more action.
    pub fn through(mut self, frame: Frame) -> ActionError {
        self.chain.push(frame);
        self
    }

    /// Whether it was an interruption rather than a failure.
    pub fn is_interrupted(&self) -> bool {
        match &*self.cause {
            Cause::Interrupted | Cause::Run(RunError::Interrupted { .. }) => true,
            Cause::Query { inner, .. } => inner.is_interrupted(),
            _ => false,
        }
    }
}

impl From<RunError> for ActionError {
    fn from(error: RunError) -> ActionError {
        ActionError::new(Cause::Run(error))
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
            Cause::Parallel(outcomes) => {
                let failed: Vec<&str> =
                    outcomes.iter().filter(|o| !o.outcome.is_ok()).map(|o| o.label.as_str()).collect();
                write!(f, "failed on {} of {}: {}", failed.len(), outcomes.len(), failed.join(", "))
            }
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
            Cause::Interrupted => f.write_str("interrupted"),
            Cause::Usage(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ActionError {}
