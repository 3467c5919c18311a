//! What a name means on an Env.

use std::fmt;

use super::{ActionError, Env};
use crate::node::Action;
use crate::value::{Foreign, Value};

/// What a name means on an Env (row E-07).
#[derive(Clone, Debug)]
pub enum Attribute {
    /// A plain value.
    Value(Value),
    /// A child node.
    Child(Env),
    /// An action, bound to this Env.
    Action(BoundAction),
    /// A property or query: evaluate it with [`Env::get`].
    Computed,
    /// Must be overridden first.
    Required(Option<String>),
}

/// An action together with the Env it will run on.
#[derive(Clone, Debug)]
pub struct BoundAction {
    /// Name it was asked for by.
    pub name: String,
    /// Its definition.
    pub action: Action,
    /// Its `self`.
    pub env: Env,
}

impl BoundAction {
    /// Runs it (rows C-05..C-12, E-10..E-22).
    ///
    /// # Errors
    /// Whatever left the action, with the chain of actions; one error with all outcomes for a parallel call.
    pub async fn call(&self, args: Vec<Value>) -> Result<Value, ActionError> {
        self.env.call_action(&self.name, &self.action, args).await
    }
}

/// `<Env.Action N.M.name>` (row A-29).
impl fmt::Display for BoundAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Env.Action {}.{}>", self.env.node(), self.name)
    }
}

/// An action that is read instead of called is a value (row G-21).
impl Foreign for BoundAction {
    fn describe(&self) -> String {
        self.to_string()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}
