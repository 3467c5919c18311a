//! Acting on what an inspector found (rows H-08, H-21, H-27).

use std::collections::VecDeque;

use super::{ActionError, Env};
use crate::inspect::{Entry, EntryKind, Inspector, Walk};
use crate::node::{Member, NodeError};
use crate::query::{self, Traced};
use crate::value::Value;

impl Entry<Env> {
    /// Calls an action, evaluates a property or query, reads a value (rows E-26, H-08).
    ///
    /// # Errors
    /// As [`Env::call`] and [`Env::get`]; arguments for anything but an action.
    pub async fn call(&self, args: Vec<Value>) -> Result<Value, ActionError> {
        match self.kind() {
            EntryKind::Action => self.owner().call(self.name(), args).await,
            _ if !args.is_empty() => Err(ActionError::usage(format!("'{}' takes no arguments", self.name()))),
            _ => self.owner().get(self.name()).await,
        }
    }
}

impl Inspector<Env> {
    /// Evaluates a query and tells the value of every part of it (row H-27).
    ///
    /// # Errors
    /// When there is no such query; whatever evaluation raised.
    pub async fn trace_query(&self, name: &str) -> Result<Vec<Traced>, ActionError> {
        match self.query(name)?.member() {
            Some(Member::Query(query)) => query::trace(query, self.subject()).await,
            _ => Err(ActionError::usage(format!("'{name}' is not a query"))),
        }
    }
}

impl Walk<Env> {
    /// Calls an action on every node, once per cell; each call begins when its result is asked for (row H-21).
    pub fn call_action(&self, name: &str, args: Vec<Value>) -> CallEach {
        CallEach { nodes: Box::new(self.iter()), cells: VecDeque::new(), name: name.to_string(), args }
    }
}

/// Calls that have not all been made yet.
pub struct CallEach {
    nodes: Box<dyn Iterator<Item = Result<Env, NodeError>> + Send>,
    cells: VecDeque<Env>,
    name: String,
    args: Vec<Value>,
}

impl CallEach {
    /// Makes the next call; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<Value, ActionError>> {
        while self.cells.is_empty() {
            match self.nodes.next()? {
                Ok(env) => self.cells.extend(env.cells()),
                Err(error) => return Some(Err(error.into())),
            }
        }
        let cell = self.cells.pop_front()?;
        Some(cell.call(&self.name, self.args.clone()).await)
    }
}
