//! Looking at a tree without acting: members, paths, cells, walks, filters (section H).
//!
//! Nothing here evaluates anything, and a look-up by name touches that name only. What needs to run (calling what was
//! found) is in `env::inspected`.

mod entry;
mod filter;
#[cfg(test)]
mod tests;
mod walk;

pub use entry::{Entry, EntryKind};
pub use filter::{Filter, Test};
pub use walk::{Nodes, Walk};

use std::fmt;

use crate::env::Env;
use crate::node::{Cell, CellKey, Class, DEFAULT_ACTION, Group, Kind, Member, Node, NodeError};

/// What can be inspected: a [`Node`], or an [`Env`], whose neighbours are Envs again (row H-01).
pub trait Subject: Clone {
    /// The node itself.
    fn node(&self) -> &Node;
    /// Another node of the tree, wrapped as this one is.
    fn wrap(&self, node: Node) -> Self;
}

impl Subject for Node {
    fn node(&self) -> &Node {
        self
    }

    fn wrap(&self, node: Node) -> Node {
        node
    }
}

impl Subject for Env {
    fn node(&self) -> &Node {
        self.node()
    }

    fn wrap(&self, node: Node) -> Env {
        self.at(node)
    }
}

/// Which members are wanted: private ones start with an underscore (row A-37).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those that do not start with an underscore.
    Public,
}

impl Scope {
    fn has(self, name: &str) -> bool {
        self == Scope::All || !name.starts_with('_')
    }
}

/// Names of the framework's own: the default action, what keeps a deployment file loaded.
fn is_hidden(name: &str) -> bool {
    name.starts_with("__")
}

/// How cells are named in what an inspector gives (row C-33).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStyle {
    /// By number, from 0.
    Index,
    /// By host.
    Host,
    /// By slug.
    Slug,
}

impl KeyStyle {
    fn key(self, cell: &Cell) -> CellKey {
        match self {
            KeyStyle::Index => CellKey::Index(cell.index),
            KeyStyle::Host => CellKey::Host(cell.host.clone()),
            KeyStyle::Slug => CellKey::Slug(cell.host.slug().to_string()),
        }
    }
}

/// Looks at one node.
#[derive(Clone)]
pub struct Inspector<S> {
    subject: S,
}

impl<S: Subject> Inspector<S> {
    /// Looks at this node or Env.
    pub fn new(subject: &S) -> Inspector<S> {
        Inspector { subject: subject.clone() }
    }

    /// What is looked at.
    pub fn subject(&self) -> &S {
        &self.subject
    }

    fn node(&self) -> &Node {
        self.subject.node()
    }

    fn class(&self) -> &Class {
        self.node().class()
    }

    /// Names and classes of the children in definition order, without placing them (row H-02).
    pub fn children(&self, scope: Scope) -> Vec<(String, Class)> {
        self.class().children().into_iter().filter(|(name, _)| scope.has(name)).collect()
    }

    /// The children in definition order (row H-02).
    ///
    /// # Errors
    /// When one of them cannot be placed, such as just-one without exactly one host.
    pub fn child_nodes(&self, scope: Scope) -> Result<Vec<S>, NodeError> {
        self.children(scope).iter().map(|(name, _)| self.child_node(name)).collect()
    }

    /// One child (row H-03).
    ///
    /// # Errors
    /// As [`Node::child`].
    pub fn child_node(&self, name: &str) -> Result<S, NodeError> {
        Ok(self.subject.wrap(self.node().child(name)?))
    }

    /// Whether there is a direct child of this name (row H-03).
    pub fn has_child_node(&self, name: &str) -> bool {
        matches!(self.class().member(name), Some(Member::Child(_)))
    }

    /// Everything that is not a child, in definition order, names with two leading underscores left out: what
    /// `--inspect` lists.
    pub fn entries(&self, scope: Scope) -> Vec<Entry<S>> {
        let entry = |(name, member): (String, Member)| Entry::new(&self.subject, &name, member);
        let mut entries: Vec<Entry<S>> = self
            .class()
            .members()
            .into_iter()
            .filter(|(name, _)| scope.has(name) && !is_hidden(name))
            .filter_map(entry)
            .collect();
        if self.class().kind() != Kind::Normal {
            entries.insert(0, Entry::host(&self.subject));
        }
        entries
    }

    fn of_kind(&self, kind: EntryKind, scope: Scope) -> Vec<Entry<S>> {
        let mut entries = self.entries(scope);
        entries.retain(|entry| entry.is(kind));
        entries
    }

    fn one_of_kind(&self, kind: EntryKind, name: &str) -> Result<Entry<S>, NodeError> {
        let found = match name {
            "host" if self.class().kind() != Kind::Normal => Some(Entry::host(&self.subject)),
            name => self.class().member(name).and_then(|member| Entry::new(&self.subject, name, member)),
        };
        found
            .filter(|entry| entry.is(kind))
            .ok_or_else(|| NodeError { path: self.node().to_string(), message: format!("no {} '{name}'", kind.word()) })
    }

    /// The actions in definition order, aliases included, names with two leading underscores left out (row H-04 with
    /// design 8).
    pub fn actions(&self, scope: Scope) -> Vec<Entry<S>> {
        self.of_kind(EntryKind::Action, scope)
    }

    /// One action (row H-05).
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn action(&self, name: &str) -> Result<Entry<S>, NodeError> {
        self.one_of_kind(EntryKind::Action, name)
    }

    /// Whether there is an action of this name (row H-05).
    pub fn has_action(&self, name: &str) -> bool {
        matches!(self.class().member(name), Some(Member::Action(_)))
    }

    /// The properties in definition order; required ones, and `host` on parallel nodes, are among them (row H-06).
    pub fn properties(&self, scope: Scope) -> Vec<Entry<S>> {
        self.of_kind(EntryKind::Property, scope)
    }

    /// One property (row H-06).
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn property(&self, name: &str) -> Result<Entry<S>, NodeError> {
        self.one_of_kind(EntryKind::Property, name)
    }

    /// Whether there is a property of this name (row H-06).
    pub fn has_property(&self, name: &str) -> bool {
        self.property(name).is_ok()
    }

    /// The queries in definition order (row H-07).
    pub fn queries(&self, scope: Scope) -> Vec<Entry<S>> {
        self.of_kind(EntryKind::Query, scope)
    }

    /// One query (row H-07).
    ///
    /// # Errors
    /// When there is none of this name.
    pub fn query(&self, name: &str) -> Result<Entry<S>, NodeError> {
        self.one_of_kind(EntryKind::Query, name)
    }

    /// Whether there is a query of this name (row H-07).
    pub fn has_query(&self, name: &str) -> bool {
        matches!(self.class().member(name), Some(Member::Query(_)))
    }

    /// Whether the shell keeps the result of an action to itself (row H-09).
    ///
    /// # Errors
    /// When there is no such action.
    pub fn suppress_result_for_action(&self, name: &str) -> Result<bool, NodeError> {
        Ok(self.action(name)?.suppress_result())
    }

    /// Names from the root down, without cells (row H-10).
    pub fn path(&self) -> Vec<String> {
        self.path_nodes().iter().map(|step| step.node().name().to_string()).collect()
    }

    /// Nodes from the root down (row H-10).
    pub fn path_nodes(&self) -> Vec<S> {
        let mut path: Vec<S> = self.node().ancestry().map(|node| self.subject.wrap(node.clone())).collect();
        path.reverse();
        path
    }

    /// Attribute name in the parent, class name for a root (row H-11).
    pub fn name(&self) -> &str {
        self.node().name()
    }

    /// The top of the tree (row H-13).
    pub fn root(&self) -> S {
        self.subject.wrap(self.node().top())
    }

    /// The node above (row H-14 with design 8).
    pub fn parent(&self) -> Option<S> {
        self.node().parent().map(|node| self.subject.wrap(node))
    }

    /// Own group, else the nearest ancestor's, else none (row H-15).
    pub fn group(&self) -> Option<Group> {
        self.node().group()
    }

    /// Whether there is a default action (row H-16).
    pub fn is_callable(&self) -> bool {
        self.has_action(DEFAULT_ACTION)
    }

    /// Whether it acts once (row H-17).
    pub fn is_isolated(&self) -> bool {
        self.node().is_isolated()
    }

    /// Every cell and its key, one part per dimension; an isolated node is its only cell, with an empty key (rows C-33,
    /// H-17).
    pub fn isolations(&self, style: KeyStyle) -> Vec<(Vec<CellKey>, S)> {
        let with_key = |cell: Node| (self.key_below(&cell, style), self.subject.wrap(cell));
        self.node().cells().into_iter().map(with_key).collect()
    }

    /// The key that leads from the node without cells to a cell of it.
    fn key_below(&self, cell: &Node, style: KeyStyle) -> Vec<CellKey> {
        let known = self.node().dimensions().len();
        cell.dimensions().into_iter().skip(known).map(|cell| style.key(cell)).collect()
    }

    /// The cell with this key (row H-17).
    ///
    /// # Errors
    /// When there is none.
    pub fn isolation(&self, key: Vec<CellKey>) -> Result<S, NodeError> {
        Ok(self.subject.wrap(self.node().isolate(&CellKey::Tuple(key))?))
    }

    /// In which cell this node is, one part per dimension; empty outside cells (row H-17).
    pub fn isolation_identifier(&self, style: KeyStyle) -> Vec<CellKey> {
        self.node().dimensions().into_iter().map(|cell| style.key(cell)).collect()
    }

    /// The node and everything below it, breadth first (row H-18).
    pub fn walk(&self) -> Walk<S> {
        Walk::new(&self.subject)
    }
}

/// `Inspector(node=Class)` (row H-01).
impl<S: Subject> fmt::Display for Inspector<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A class of a deployment file often has no name of its own.
        let class = self.class().name();
        write!(f, "Inspector(node={})", if class.is_empty() { self.node().name() } else { class })
    }
}
