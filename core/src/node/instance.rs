//! Nodes: classes placed in a tree, with hosts resolved, and the cells of parallel nodes.

use std::fmt;
use std::sync::Arc;

use super::{Class, Group, HostDef, Roles};

/// A class placed in a tree. Cheap to clone, immutable.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    // class, name, parent, roles, cell, isolated: model helper
}

/// One isolation of a parallel node: one host of the role `host`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Position among the node's hosts, from 0.
    pub index: usize,
    /// The host.
    pub host: HostDef,
}

/// How a cell is asked for (rows C-13..C-17).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellKey {
    /// By position, from 0.
    Index(usize),
    /// By host.
    Host(HostDef),
    /// By slug.
    Slug(String),
    /// One key per dimension (row C-26).
    Tuple(Vec<CellKey>),
}

/// A node that cannot be reached or placed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct NodeError {
    /// Dotted path of the node that was asked.
    pub path: String,
    /// What is wrong; names what there is instead.
    pub message: String,
}

impl Node {
    /// The root of a tree.
    ///
    /// # Errors
    /// Arrays and just-one classes need a parent (row A-35).
    pub fn root(_class: Class) -> Result<Node, NodeError> {
        todo!("model helper")
    }

    /// Its class.
    pub fn class(&self) -> &Class {
        todo!("model helper")
    }

    /// Attribute name in the parent; class name for a root (rows A-28, H-11).
    pub fn name(&self) -> &str {
        todo!("model helper")
    }

    /// The node above, `None` at the root. From an array cell the unrestricted normal node (row C-28).
    pub fn parent(&self) -> Option<Node> {
        todo!("model helper")
    }

    /// The child with this name (row A-02). Stays in the cell (row C-29).
    ///
    /// # Errors
    /// Names the children there are when there is none of this name; just-one without exactly one host (row C-21).
    pub fn child(&self, _name: &str) -> Result<Node, NodeError> {
        todo!("model helper")
    }

    /// Hosts by role, mapping applied (sections A and D).
    pub fn roles(&self) -> &Roles {
        todo!("model helper")
    }

    /// Whether it acts once (row C-32).
    pub fn is_isolated(&self) -> bool {
        todo!("model helper")
    }

    /// The cell this node is in, the innermost dimension.
    pub fn cell(&self) -> Option<&Cell> {
        todo!("model helper")
    }

    /// The one host of a cell or just-one node; `None` elsewhere (row C-03).
    pub fn host(&self) -> Option<&HostDef> {
        todo!("model helper")
    }

    /// All cells in host order, every dimension unfolded; an isolated node gives itself (rows C-19, C-33).
    pub fn cells(&self) -> Vec<Node> {
        todo!("model helper")
    }

    /// One cell (rows C-13..C-18, C-26).
    ///
    /// # Errors
    /// When there is no such cell; names the slugs there are.
    pub fn isolate(&self, _key: &CellKey) -> Result<Node, NodeError> {
        todo!("model helper")
    }

    /// Names from the root down, the root's own name first; cells as `name[slug]`.
    pub fn path(&self) -> Vec<String> {
        todo!("model helper")
    }

    /// Own group, else the nearest ancestor's (row J-05).
    pub fn group(&self) -> Option<Group> {
        todo!("model helper")
    }
}

/// The dotted path (row A-29).
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path().join("."))
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Node {self}>")
    }
}
