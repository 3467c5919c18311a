//! Classes that break a rule.

use crate::node::Position;

/// A class that breaks a rule; says where and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{message}", .position.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct ClassError {
    /// Where the offending thing was written.
    pub position: Option<Position>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl ClassError {
    pub(in crate::node) fn new(position: Option<&Position>, message: impl Into<String>) -> ClassError {
        ClassError { position: position.cloned(), message: message.into() }
    }
}
