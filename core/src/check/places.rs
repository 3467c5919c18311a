//! Every place of a tree, a node before its children, in definition order.

use crate::node::{Node, NodeError};

/// What is at a place.
pub(super) enum Place {
    /// A node.
    Node(Node),
    /// A child that cannot be placed.
    Broken {
        /// The node above.
        parent: Node,
        /// Name of the child.
        name: String,
        /// Why.
        error: NodeError,
    },
}

/// A walk. Nodes are placed one at a time: two hundred children with two thousand hosts each are never all in memory.
pub(super) struct Places {
    root: Option<Node>,
    /// Children still to come, the next one last.
    pending: Vec<(Node, String)>,
}

impl Places {
    pub(super) fn below(root: &Node) -> Places {
        Places { root: Some(root.clone()), pending: Vec::new() }
    }

    fn with_children(&mut self, node: Node) -> Place {
        let children = node.class().children().into_iter().rev();
        self.pending.extend(children.map(|(name, _)| (node.clone(), name)));
        Place::Node(node)
    }
}

impl Iterator for Places {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        if let Some(root) = self.root.take() {
            return Some(self.with_children(root));
        }
        let (parent, name) = self.pending.pop()?;
        Some(match parent.child(&name) {
            Ok(node) => self.with_children(node),
            Err(error) => Place::Broken { parent, name, error },
        })
    }
}
