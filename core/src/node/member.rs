//! What a class is made of.

use std::fmt;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::{Class, Position};
use crate::env::{ActionError, Env};
use crate::query::Query;
use crate::value::Value;

/// One member of a class.
#[derive(Clone, Debug)]
pub enum Member {
    /// A plain value (row A-39).
    Value(Value),
    /// Must be overridden before it is read (row A-21); the text says what for.
    Required(Option<String>),
    /// Code that is called (row A-01).
    Action(Action),
    /// Code that is evaluated on read (row A-22).
    Property(Action),
    /// An expression that is evaluated on read (section G).
    Query(Query),
    /// A child node (row A-02).
    Child(Class),
}

/// Code with what decorators said about it.
#[derive(Clone, Debug)]
pub struct Action {
    /// The code.
    pub body: Arc<dyn Body>,
    /// What decorators said.
    pub flags: ActionFlags,
    /// Further names (row E-24).
    pub aliases: Vec<String>,
    /// Documentation, first line is the summary.
    pub doc: Option<String>,
    /// Where it was written.
    pub position: Option<Position>,
}

/// What decorators said about an action.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionFlags {
    /// The shell does not print the result (row E-19).
    pub suppress_result: bool,
    /// Runs once on an array, with all hosts (row E-20).
    pub dont_isolate_yet: bool,
    /// Runs on one cell that is asked for (row E-22).
    pub isolate_one_only: bool,
}

/// The code of an action or property. Front ends implement it: a Lua function, a Rust closure.
///
/// The future may be dropped at any suspension (Ctrl-C); it must not leave anything half-done of its own.
pub trait Body: Send + Sync + fmt::Debug {
    /// Runs the code. `env` is its `self`.
    fn call(&self, env: Env, args: Vec<Value>) -> BoxFuture<'static, Result<Value, ActionError>>;

    /// The parameters, for help and arity messages: `commit`, `[force]`, `...`. `None` when the front end cannot
    /// know.
    fn parameters(&self) -> Option<Vec<String>>;
}
