//! What a class is made of.

use std::fmt;
use std::future::Future;
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

/// The name under which a node keeps its default action: calling the node calls it (row A-23).
pub const DEFAULT_ACTION: &str = "__call";

impl Action {
    /// An action without decorations.
    pub fn new(body: Arc<dyn Body>) -> Action {
        Action { body, flags: ActionFlags::default(), aliases: Vec::new(), doc: None, position: None }
    }

    /// An action that is a Rust closure, written where this is called.
    #[track_caller]
    pub fn from_fn<F, R>(code: F) -> Action
    where
        F: Fn(Env, Vec<Value>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Value, ActionError>> + Send + 'static,
    {
        Action { position: Some(Position::caller()), ..Action::new(body_fn(code)) }
    }

    /// The same with one more name (row E-24).
    pub fn alias(mut self, name: &str) -> Action {
        self.aliases.push(name.to_string());
        self
    }

    /// The same with documentation.
    pub fn doc(mut self, doc: &str) -> Action {
        self.doc = Some(doc.to_string());
        self
    }

    /// The same; the shell does not print its result (row E-19).
    pub fn suppress_result(mut self) -> Action {
        self.flags.suppress_result = true;
        self
    }

    /// The same; runs once on an array, with all hosts (row E-20).
    pub fn dont_isolate_yet(mut self) -> Action {
        self.flags.dont_isolate_yet = true;
        self
    }

    /// The same; runs on one cell that is asked for (row E-22).
    pub fn isolate_one_only(mut self) -> Action {
        self.flags.isolate_one_only = true;
        self
    }
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

    /// Whether calls of it run one piece at a time, whatever the number of threads: a parallel call then takes the cells
    /// by turns, in one task. Where this is false each cell has a task.
    fn by_turns(&self) -> bool {
        false
    }

    /// The same code with other names for its parameters; `None` where the code has names already.
    fn named(&self, names: &[&str]) -> Option<Arc<dyn Body>> {
        let _ = names;
        None
    }
}

/// Code from a Rust closure: `body_fn(|env, args| async move { ... })`.
pub fn body_fn<F, R>(code: F) -> Arc<dyn Body>
where
    F: Fn(Env, Vec<Value>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, ActionError>> + Send + 'static,
{
    Arc::new(Closure(code))
}

struct Closure<F>(F);

impl<F> fmt::Debug for Closure<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure")
    }
}

impl<F, R> Body for Closure<F>
where
    F: Fn(Env, Vec<Value>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Value, ActionError>> + Send + 'static,
{
    fn call(&self, env: Env, args: Vec<Value>) -> BoxFuture<'static, Result<Value, ActionError>> {
        Box::pin((self.0)(env, args))
    }

    fn parameters(&self) -> Option<Vec<String>> {
        None
    }
}
