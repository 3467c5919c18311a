//! What can be known to be wrong with a tree without acting: no host is contacted, no code of the deployment runs.
//!
//! [`check`] places every node and looks at required values, hosts, roles and queries. What depends on code (actions,
//! properties) is not judged: everything that is found is true.

mod findings;
mod hosts;
mod places;
mod queries;
#[cfg(test)]
mod tests;

use std::fmt;

use findings::Findings;
use places::{Place, Places};
use queries::Queries;

use crate::node::{Member, Node, Position};

/// Most nodes that are looked at. A tree in which every class is used twice doubles with every level.
const NODES_MAX: usize = 100_000;

/// Most nodes that are looked at when a tree is loaded: loading must be quick.
const NODES_AT_LOAD: usize = 10_000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// Something cannot work.
    Error,
    /// Something works, and probably not as it was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Dotted path of the node, without cells; the first one when several have the same trouble. `None`: it concerns the
    /// file as a whole.
    pub node: Option<String>,
    /// Where to mend it, when known.
    pub position: Option<Position>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of the tree.
    pub findings: Vec<Finding>,
    /// How many nodes were looked at.
    pub nodes: usize,
}

impl Report {
    /// How many findings are this bad.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }
}

/// Looks at every node of a tree. Bounded: 100,000 nodes, 1,000 findings.
pub fn check(root: &Node) -> Report {
    let mut findings = Findings::default();
    let mut queries = Queries::default();
    let mut nodes = 0;
    for place in Places::below(root) {
        if nodes >= NODES_MAX {
            let message = format!("the tree has more than {NODES_MAX} nodes: the others were not checked");
            findings.add(Severity::Warning, root, root.class().position().cloned(), message);
            break;
        }
        match place {
            Place::Node(node) => {
                nodes += 1;
                required(&node, &mut findings);
                hosts::look(&node, &mut findings);
                queries.look(&node, &mut findings);
            }
            Place::Broken { parent, name, error } => hosts::unplaceable(&parent, &name, &error, &mut findings),
        }
    }
    if queries.gave_up() {
        let message = "there are too many queries to follow them all: some were not checked".to_string();
        findings.add(Severity::Warning, root, root.class().position().cloned(), message);
    }
    Report { findings: findings.into_list(), nodes }
}

/// Roles that a mapping wants and the parent does not have: what is warned about whenever a tree is loaded (row D-05
/// with design 8). Looks at the first 10,000 nodes.
pub fn unknown_roles(root: &Node) -> Vec<Finding> {
    let mut findings = Findings::default();
    for place in Places::below(root).take(NODES_AT_LOAD) {
        if let Place::Node(node) = place {
            hosts::mapping(&node, &mut findings);
        }
    }
    findings.into_list()
}

/// Required values that nobody overrides (row A-21).
fn required(node: &Node, findings: &mut Findings) {
    for (name, member) in node.class().members() {
        let Member::Required(what_for) = member else { continue };
        let what_for = what_for.map(|text| format!(" ({text})")).unwrap_or_default();
        let remedy = match node.parent() {
            Some(_) => {
                format!("`{name} = ...` in the table of this node, or `{}__{name} = ...` in the one above", node.name())
            }
            None => format!("`{name} = ...` in the table of this node"),
        };
        let asked = node.class().position_of(&name).map(|at| format!("; asked for at {at}")).unwrap_or_default();
        let message = format!("required value '{name}'{what_for} is not set: write {remedy}{asked}");
        findings.add(Severity::Error, node, place_of(node), message);
    }
}

/// Where a node was put into its parent; for a root, where its class was written.
fn place_of(node: &Node) -> Option<Position> {
    let in_parent = node.parent().and_then(|parent| parent.class().position_of(node.name()));
    in_parent.or_else(|| node.class().position().cloned())
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        })
    }
}

/// `deploy.lua:7: error: production.Code: ...`, in one line.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(position) = &self.position {
            write!(f, "{position}: ")?;
        }
        write!(f, "{}: ", self.severity)?;
        if let Some(node) = &self.node {
            write!(f, "{node}: ")?;
        }
        let mut words = "";
        for line in self.message.lines() {
            write!(f, "{words}{}", line.trim())?;
            words = " ";
        }
        Ok(())
    }
}
