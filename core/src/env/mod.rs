//! Env: a node together with what it needs to act (terminal, logger, hosts), and how actions run on it.
//!
//! `call` runs one action, property or query on one Env; `parallel` runs it on every cell; `one_cell` picks a cell;
//! `calls` knows what is being run around it, so that endless recursion is an error and not an overflow.

mod attribute;
mod call;
mod calls;
mod context;
mod crew;
mod error;
mod gate;
mod inspected;
mod one_cell;
mod outcome;
mod parallel;
mod program;

pub use attribute::{Attribute, BoundAction};
pub use call::Skipped;
pub use context::RunContext;
pub use error::{ActionError, Cause, Ending, Frame};
pub use gate::{Gate, OpenGate};
pub use inspected::CallEach;
pub use outcome::{CellOutcome, Outcome, ParallelResult};

use std::fmt;
use std::sync::{Arc, OnceLock};

use call::Code;
use calls::Calls;

use crate::console::Console;
use crate::host::{HostContainer, HostsContainer, RunIo};
use crate::node::{Action, CellKey, Class, DEFAULT_ACTION, Member, Node, NodeError, Roles};
use crate::value::Value;

/// A node that can act. Cheap to clone; clones share the same host contexts (row E-04).
#[derive(Clone)]
pub struct Env {
    place: Arc<Place>,
    calls: Calls,
}

/// What makes an Env that Env: two Envs of one node are two, each with host contexts of its own.
struct Place {
    node: Node,
    context: RunContext,
    hosts: OnceLock<HostsContainer>,
}

impl Env {
    /// An Env of its own (row E-01).
    pub fn new(node: Node, context: RunContext) -> Env {
        Env::placed(node, context, Calls::default())
    }

    fn placed(node: Node, context: RunContext, calls: Calls) -> Env {
        Env { place: Arc::new(Place { node, context, hosts: OnceLock::new() }), calls }
    }

    /// Another node with the same surrounding and host contexts of its own (row E-09).
    pub(crate) fn at(&self, node: Node) -> Env {
        Env::placed(node, self.context().clone(), self.calls.clone())
    }

    /// The name of the action, property or query that runs with this Env as its `self`.
    pub(crate) fn running(&self) -> Option<&str> {
        self.calls.innermost()
    }

    /// The node.
    pub fn node(&self) -> &Node {
        &self.place.node
    }

    /// What surrounds it.
    pub fn context(&self) -> &RunContext {
        &self.place.context
    }

    /// `self.hosts` (row E-04).
    ///
    /// Whoever may not act on the node sees which hosts it has, and reaches none of them.
    pub fn hosts(&self) -> &HostsContainer {
        self.place.hosts.get_or_init(|| {
            let (node, context) = (self.node(), self.context());
            let io = RunIo { node: node.to_string().into(), ..context.io() };
            match context.gate.admit(node) {
                Ok(()) => HostsContainer::new(node.roles(), io),
                Err(reason) => HostsContainer::forbidden(node, io, &context.gate, &reason),
            }
        })
    }

    /// `self.host`: in a cell or a just-one node (row C-03).
    pub fn host(&self) -> Option<HostContainer> {
        self.node().host()?;
        self.hosts().filter([Roles::HOST]).each().into_iter().next()
    }

    /// `self.console`: questions on the Env's terminal (row E-05).
    pub fn console(&self) -> Arc<Console> {
        Console::new(self.context().terminal.clone())
    }

    /// The Env of the node above, with contexts of its own (rows A-15, E-09).
    pub fn parent(&self) -> Option<Env> {
        self.node().parent().map(|node| self.at(node))
    }

    /// The Env of a child.
    ///
    /// # Errors
    /// As [`Node::child`].
    pub fn child(&self, name: &str) -> Result<Env, ActionError> {
        Ok(self.at(self.node().child(name)?))
    }

    /// The cells (row C-19). An isolated Env gives itself.
    pub fn cells(&self) -> Vec<Env> {
        if self.node().is_isolated() {
            return vec![self.clone()];
        }
        self.node().cells().into_iter().map(|node| self.at(node)).collect()
    }

    /// One cell (row C-06).
    ///
    /// # Errors
    /// As [`Node::isolate`].
    pub fn isolate(&self, key: &CellKey) -> Result<Env, ActionError> {
        Ok(self.at(self.node().isolate(key)?))
    }

    /// A class as a new root with this surrounding (row E-06).
    ///
    /// # Errors
    /// As [`Node::root`].
    pub fn initialize_node(&self, class: &Class) -> Result<Env, ActionError> {
        Ok(self.at(Node::root(class.clone())?))
    }

    /// What a name means here, without evaluating anything. `None` when there is no such name.
    ///
    /// # Errors
    /// When a child of this name cannot be placed.
    pub fn attribute(&self, name: &str) -> Result<Option<Attribute>, ActionError> {
        let Some(member) = self.node().class().member(name) else {
            return Ok(None);
        };
        Ok(Some(match member {
            Member::Value(value) => Attribute::Value(value),
            Member::Required(what_for) => Attribute::Required(what_for),
            Member::Action(action) => Attribute::Action(self.bind(name, action)),
            Member::Property(_) | Member::Query(_) => Attribute::Computed,
            Member::Child(_) => Attribute::Child(self.child(name)?),
        }))
    }

    fn bind(&self, name: &str, action: Action) -> BoundAction {
        BoundAction { name: name.to_string(), action, env: self.clone() }
    }

    /// Reads an attribute: values as they are, children as Envs, actions bound, properties and queries evaluated, per
    /// cell on an array (rows E-07, C-31). `host`, `hosts` and `parent` are there on every node.
    ///
    /// # Errors
    /// Unknown names, required values that were not overridden (row A-21), whatever evaluation raised.
    pub async fn get(&self, name: &str) -> Result<Value, ActionError> {
        let Some(member) = self.node().class().member(name) else {
            return self.built_in(name);
        };
        match member {
            Member::Value(value) => Ok(value),
            Member::Child(_) => Ok(Value::Node(self.child(name)?)),
            Member::Action(action) => Ok(Value::Foreign(Arc::new(self.bind(name, action)))),
            Member::Property(code) => self.compute(name, Code::Property(code)).await,
            Member::Query(query) => self.compute(name, Code::Query(query)).await,
            Member::Required(what_for) => Err(self.required(name, what_for)),
        }
    }

    fn required(&self, name: &str, what_for: Option<String>) -> ActionError {
        ActionError::new(Cause::Required { name: name.to_string(), node: self.node().to_string(), what_for })
    }

    fn unknown(&self, message: String) -> ActionError {
        NodeError { path: self.node().to_string(), message }.into()
    }

    /// What every node has without defining it.
    fn built_in(&self, name: &str) -> Result<Value, ActionError> {
        match name {
            "parent" => Ok(self.parent().map_or(Value::Nil, Value::Node)),
            "hosts" => Ok(Value::List(self.node().roles().all().into_iter().map(Value::Host).collect())),
            "host" if self.node().forks() => {
                let of_cell = |cell: Env| {
                    let host = cell.node().host().cloned().map_or(Value::Nil, Value::Host);
                    (cell, host)
                };
                let entries = self.cells().into_iter().map(of_cell).collect();
                Ok(Value::Parallel(Arc::new(ParallelResult { entries })))
            }
            "host" => match self.node().host() {
                Some(host) => Ok(Value::Host(host.clone())),
                None => Err(self.unknown("has no 'host': only cells of parallel nodes and just-one nodes do".into())),
            },
            _ => Err(self.unknown(format!("no attribute '{name}'"))),
        }
    }

    /// Calls an action by name; calling a child node calls its default action (rows A-23, C-05..C-12, E-10..E-22).
    ///
    /// # Errors
    /// As [`BoundAction::call`].
    pub async fn call(&self, name: &str, args: Vec<Value>) -> Result<Value, ActionError> {
        match self.node().class().member(name) {
            Some(Member::Action(action)) => self.call_action(name, &action, args).await,
            Some(Member::Child(_)) => self.child(name)?.invoke(args).await,
            Some(Member::Required(what_for)) => Err(self.required(name, what_for)),
            Some(Member::Value(value)) => {
                Err(self.unknown(format!("'{name}' is {}, not an action", value.type_name())))
            }
            Some(Member::Property(_)) => Err(self.unknown(format!("'{name}' is a property: read it, do not call it"))),
            Some(Member::Query(_)) => Err(self.unknown(format!("'{name}' is a query: read it, do not call it"))),
            None => Err(self.unknown(format!("no action '{name}'"))),
        }
    }

    /// Calls the default action (row A-23).
    ///
    /// # Errors
    /// When there is none; else as [`BoundAction::call`].
    pub async fn invoke(&self, args: Vec<Value>) -> Result<Value, ActionError> {
        match self.node().class().member(DEFAULT_ACTION) {
            Some(Member::Action(action)) => self.call_action(DEFAULT_ACTION, &action, args).await,
            _ => Err(self.unknown("cannot be called: the node has no default action".to_string())),
        }
    }
}

impl PartialEq for Env {
    fn eq(&self, other: &Env) -> bool {
        Arc::ptr_eq(&self.place, &other.place)
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

#[cfg(test)]
pub(crate) mod tests;
