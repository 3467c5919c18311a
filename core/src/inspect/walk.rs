//! A node and everything below it, breadth first (rows H-18..H-20).

use std::collections::VecDeque;

use super::{Filter, Inspector, Scope, Subject};
use crate::node::{CellKey, Node, NodeError};

/// Most nodes of one walk. A tree in which every class is used twice doubles with every level.
const NODES_MAX: usize = 100_000;

/// A walk that has not begun. Can be iterated any number of times; nodes are placed as they are reached.
#[derive(Clone)]
pub struct Walk<S> {
    start: S,
    steps: Vec<Step>,
}

#[derive(Clone)]
enum Step {
    Filter(Filter),
    PreferIsolation(CellKey),
}

impl<S: Subject> Walk<S> {
    pub(super) fn new(start: &S) -> Walk<S> {
        Walk { start: start.clone(), steps: Vec::new() }
    }

    /// Only nodes that match; may be repeated (row H-19).
    pub fn filter(mut self, filter: Filter) -> Walk<S> {
        self.steps.push(Step::Filter(filter));
        self
    }

    /// The cell with this key instead of each node that has cells; nodes without such a cell are left out (row H-20).
    pub fn prefer_isolation(mut self, key: CellKey) -> Walk<S> {
        self.steps.push(Step::PreferIsolation(key));
        self
    }

    /// The nodes. One that cannot be placed is an error in its stead, and the walk goes on.
    pub fn iter(&self) -> Nodes<S> {
        Nodes {
            start: self.start.clone(),
            steps: self.steps.clone(),
            pending: VecDeque::from([Ok(self.start.node().clone())]),
            seen: 0,
        }
    }

    /// How many there are (row H-19). Walks to the end.
    ///
    /// # Errors
    /// When a node cannot be placed.
    pub fn count(&self) -> Result<usize, NodeError> {
        self.iter().try_fold(0, |count, node| node.map(|_| count + 1))
    }
}

impl<S: Subject> IntoIterator for &Walk<S> {
    type Item = Result<S, NodeError>;
    type IntoIter = Nodes<S>;

    fn into_iter(self) -> Nodes<S> {
        self.iter()
    }
}

/// A walk on its way.
pub struct Nodes<S> {
    start: S,
    steps: Vec<Step>,
    pending: VecDeque<Result<Node, NodeError>>,
    seen: usize,
}

impl<S: Subject> Iterator for Nodes<S> {
    type Item = Result<S, NodeError>;

    fn next(&mut self) -> Option<Result<S, NodeError>> {
        loop {
            let node = match self.pending.pop_front()? {
                Ok(node) => node,
                Err(error) => return Some(Err(error)),
            };
            self.seen += 1;
            if self.seen > NODES_MAX {
                self.pending.clear();
                let message = format!("more than {NODES_MAX} nodes from here downwards");
                return Some(Err(NodeError { path: self.start.node().to_string(), message }));
            }
            let children = Inspector::new(&node).children(Scope::All);
            self.pending.extend(children.iter().map(|(name, _)| node.child(name)));
            if let Some(node) = self.wanted(node) {
                return Some(Ok(self.start.wrap(node)));
            }
        }
    }
}

impl<S: Subject> Nodes<S> {
    fn wanted(&self, node: Node) -> Option<Node> {
        self.steps.iter().try_fold(node, |node, step| match step {
            Step::Filter(filter) => filter.matches(&node).then_some(node),
            Step::PreferIsolation(_) if node.is_isolated() => Some(node),
            Step::PreferIsolation(key) => node.isolate(key).ok(),
        })
    }
}
