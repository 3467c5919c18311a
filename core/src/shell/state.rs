//! What a shell knows: where it stands, and the shells it was called from.

use std::sync::Arc;

use super::Extension;
use super::place::Place;
use crate::node::Node;
use crate::options::Options;
use crate::terminal::style::Style;

/// Levels of subshells; the innermost one is in use.
pub(crate) struct State {
    outer: Vec<Place>,
    place: Place,
    pub(crate) extensions: Vec<Arc<dyn Extension>>,
    pub(crate) options: Arc<Options>,
}

impl State {
    pub(crate) fn new(node: Node, extensions: Vec<Arc<dyn Extension>>, options: Arc<Options>) -> State {
        State { outer: Vec::new(), place: Place::new(node), extensions, options }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The root of the session's tree.
    pub(crate) fn root(&self) -> Node {
        self.outer.first().unwrap_or(&self.place).node.top()
    }

    /// The places of all levels, the innermost last.
    pub(crate) fn places(&mut self) -> impl Iterator<Item = &mut Place> {
        self.outer.iter_mut().chain(std::iter::once(&mut self.place))
    }

    pub(crate) fn go(&mut self, node: Node) {
        self.place.go(node);
    }

    /// A subshell at a node (row N-24).
    pub(crate) fn enter(&mut self, node: Node) {
        self.outer.push(std::mem::replace(&mut self.place, Place::new(node)));
    }

    /// Back to where the subshell was opened, whatever was navigated in between (row N-25); false in the outermost.
    pub(crate) fn leave(&mut self) -> bool {
        match self.outer.pop() {
            Some(place) => {
                self.place = place;
                true
            }
            None => false,
        }
    }

    pub(crate) fn in_subshell(&self) -> bool {
        !self.outer.is_empty()
    }

    pub(crate) fn extension(&self, name: &str) -> Option<Arc<dyn Extension>> {
        self.extensions.iter().find(|extension| extension.name() == name).cloned()
    }

    /// The prompt: dotted path in group colours, cells in brackets (row N-51).
    pub(crate) fn prompt(&self) -> Vec<(String, Style)> {
        let mut pieces = path_pieces(&self.place.node, |node| node.path().pop().unwrap_or_default());
        pieces.push((" > ".to_string(), Style::Cyan));
        pieces
    }
}

/// The path of a node from the root, each step in the colour of its group (row J-07).
pub(crate) fn path_pieces(node: &Node, name: impl Fn(&Node) -> String) -> Vec<(String, Style)> {
    let mut ancestry: Vec<&Node> = node.ancestry().collect();
    ancestry.reverse();
    let mut pieces = Vec::new();
    for (i, node) in ancestry.into_iter().enumerate() {
        if i > 0 {
            pieces.push((".".to_string(), Style::Plain));
        }
        pieces.push((name(node), group_style(node)));
    }
    pieces
}

/// How a node and its actions are shown.
pub(crate) fn group_style(node: &Node) -> Style {
    node.group().and_then(|group| group.color).map_or(Style::Plain, Style::from)
}
