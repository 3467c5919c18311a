//! Env: a node together with what it needs to act (terminal, logger, hosts), and how actions run on it.

mod error;
mod outcome;

pub use error::{ActionError, Cause, Frame};
pub use outcome::{CellOutcome, Outcome, ParallelResult};

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::host::{Asker, HostContainer, HostServices, HostsContainer};
use crate::logger::Logger;
use crate::node::{Action, CellKey, Class, Node};
use crate::terminal::Terminal;
use crate::value::Value;

/// What surrounds a run: everything an Env hands down to the Envs reached from it.
#[derive(Clone)]
pub struct RunContext {
    /// Where things show and keys come from.
    pub terminal: Arc<dyn Terminal>,
    /// Who is told what happens.
    pub logger: Logger,
    /// Who answers questions; shared by all isolations of a run.
    pub asker: Arc<dyn Asker>,
    /// Connections.
    pub services: Arc<HostServices>,
    /// Commands are only checked, not run (row E-08).
    pub sandbox: bool,
    /// Ends the run: Ctrl-C, session ended, daemon stopping. Isolations have child tokens.
    pub cancel: CancellationToken,
    /// How many isolations run at once; `None`: all (`--parallel N`).
    pub parallel_limit: Option<usize>,
}

/// A node that can act. Cheap to clone; clones share the same host contexts (row E-04).
#[derive(Clone)]
pub struct Env(Arc<Inner>);

struct Inner {
    // node, context, hosts: model helper
}

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
        self.env.call(&self.name, args).await
    }
}

impl Env {
    /// An Env of its own (row E-01).
    pub fn new(_node: Node, _context: RunContext) -> Env {
        todo!("model helper")
    }

    /// The node.
    pub fn node(&self) -> &Node {
        todo!("model helper")
    }

    /// What surrounds it.
    pub fn context(&self) -> &RunContext {
        todo!("model helper")
    }

    /// `self.hosts` (row E-04).
    pub fn hosts(&self) -> &HostsContainer {
        todo!("model helper")
    }

    /// `self.host`: in a cell or a just-one node (row C-03).
    pub fn host(&self) -> Option<HostContainer> {
        todo!("model helper")
    }

    /// The Env of the node above, with contexts of its own (rows A-15, E-09).
    pub fn parent(&self) -> Option<Env> {
        todo!("model helper")
    }

    /// The Env of a child.
    ///
    /// # Errors
    /// As [`Node::child`].
    pub fn child(&self, _name: &str) -> Result<Env, ActionError> {
        todo!("model helper")
    }

    /// The cells (row C-19).
    pub fn cells(&self) -> Vec<Env> {
        todo!("model helper")
    }

    /// One cell (row C-06).
    ///
    /// # Errors
    /// As [`Node::isolate`].
    pub fn isolate(&self, _key: &CellKey) -> Result<Env, ActionError> {
        todo!("model helper")
    }

    /// A class as a new root with this surrounding (row E-06).
    ///
    /// # Errors
    /// As [`Node::root`].
    pub fn initialize_node(&self, _class: &Class) -> Result<Env, ActionError> {
        todo!("model helper")
    }

    /// What a name means here, without evaluating anything. `None` when there is no such name.
    ///
    /// # Errors
    /// When a child of this name cannot be placed.
    pub fn attribute(&self, _name: &str) -> Result<Option<Attribute>, ActionError> {
        todo!("model helper")
    }

    /// Reads an attribute: values as they are, children as Envs, properties and queries evaluated, per cell on an
    /// array (rows E-07, C-31).
    ///
    /// # Errors
    /// Unknown names, required values that were not overridden (row A-21), whatever evaluation raised.
    pub async fn get(&self, _name: &str) -> Result<Value, ActionError> {
        todo!("model helper")
    }

    /// Calls an action by name (rows C-05..C-12, E-10..E-22).
    ///
    /// # Errors
    /// As [`BoundAction::call`].
    pub async fn call(&self, _name: &str, _args: Vec<Value>) -> Result<Value, ActionError> {
        todo!("model helper")
    }
}

impl PartialEq for Env {
    fn eq(&self, other: &Env) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// `Env(N.M.O)` (row A-29).
impl fmt::Display for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Env({})", self.node())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
