//! Findings as they come in: each thing once, however many nodes have it.

use std::collections::HashMap;

use super::{Finding, Severity};
use crate::inspect::Inspector;
use crate::node::{Node, Position};

/// The path of a node, without cells.
pub(super) fn path(node: &Node) -> String {
    Inspector::new(node).path().join(".")
}

/// Most findings that are kept; who has more begins with these.
const FINDINGS_MAX: usize = 1000;

/// Collects findings. One class at two hundred places is one mistake: the same thing on the same line is kept once, with
/// the number of further nodes.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<(Finding, usize)>,
    known: HashMap<(String, String), usize>,
    left_out: bool,
}

impl Findings {
    /// Adds one; the same message means the same thing.
    pub(super) fn add(&mut self, severity: Severity, node: &Node, position: Option<Position>, message: String) {
        let thing = message.clone();
        self.add_thing(thing, Finding { severity, node: Some(path(node)), position, message });
    }

    /// Adds one, with the name of what it is about: for messages that name nodes, and so are never the same.
    pub(super) fn add_thing(&mut self, thing: String, finding: Finding) {
        let place = match (&finding.position, &finding.node) {
            (Some(position), _) => position.to_string(),
            (None, path) => path.clone().unwrap_or_default(),
        };
        let key = (place, thing);
        if let Some(index) = self.known.get(&key) {
            let (first, more) = &mut self.list[*index];
            // A query is looked at from several places: the same node is not another one.
            *more += usize::from(first.node != finding.node);
        } else if self.list.len() < FINDINGS_MAX {
            self.known.insert(key, self.list.len());
            self.list.push((finding, 0));
        } else {
            self.left_out = true;
        }
    }

    /// All of them, in the order in which they came.
    pub(super) fn into_list(self) -> Vec<Finding> {
        let with_others = |(mut finding, more): (Finding, usize)| {
            match more {
                0 => {}
                1 => finding.message.push_str(" (and at one more node)"),
                more => finding.message.push_str(&format!(" (and at {more} more nodes)")),
            }
            finding
        };
        let mut list: Vec<Finding> = self.list.into_iter().map(with_others).collect();
        if self.left_out {
            let message = format!("more than {FINDINGS_MAX} findings: mend these, then check again");
            list.push(Finding { severity: Severity::Error, node: None, position: None, message });
        }
        list
    }
}
