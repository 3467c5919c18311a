//! Cells: the isolations of parallel nodes, one dimension per array, and how they are addressed (section C).

use std::sync::Arc;

use super::instance::Inner;
use super::{HostDef, Kind, Node, NodeError, Roles};

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

impl Node {
    /// Whether calls on it fork: a parallel node or array outside a cell. A normal node below an array is not isolated
    /// either, but acts once (row C-30).
    pub fn forks(&self) -> bool {
        !self.is_isolated() && self.class().kind() != Kind::Normal
    }

    /// The cell this node is in, the innermost dimension.
    pub fn cell(&self) -> Option<&Cell> {
        self.ancestry().find_map(|node| node.0.cell.as_ref())
    }

    /// The cells this node is in, one per dimension, the outermost first.
    pub fn dimensions(&self) -> Vec<&Cell> {
        let mut cells: Vec<&Cell> = self.ancestry().filter_map(|node| node.0.cell.as_ref()).collect();
        cells.reverse();
        cells
    }

    /// The slugs of the cell this node is in, all dimensions, joined with `/`; empty outside cells.
    pub fn cell_label(&self) -> String {
        self.dimensions().into_iter().map(|cell| cell.host.slug()).collect::<Vec<_>>().join("/")
    }

    /// All cells in host order, every dimension unfolded; an isolated node gives itself (rows C-19, C-33).
    pub fn cells(&self) -> Vec<Node> {
        if self.is_isolated() {
            return vec![self.clone()];
        }
        let again = |parent: Node| Node::place(self.class().clone(), self.name(), Some(parent));
        let unfolded: Vec<Node> = match &self.0.parent {
            Some(parent) => parent.cells().into_iter().map(again).collect(),
            None => vec![self.clone()],
        };
        if !self.opens_dimension() {
            return unfolded;
        }
        unfolded
            .iter()
            .flat_map(|node| (0..node.roles().get(Roles::HOST).len()).filter_map(|i| node.cell_at(i)))
            .collect()
    }

    /// One cell (rows C-13..C-18, C-26).
    ///
    /// # Errors
    /// When there is no such cell; names the slugs there are.
    pub fn isolate(&self, key: &CellKey) -> Result<Node, NodeError> {
        match key {
            CellKey::Tuple(keys) => self.isolate_by(keys),
            key => self.isolate_by(std::slice::from_ref(key)),
        }
    }

    fn isolate_by(&self, keys: &[CellKey]) -> Result<Node, NodeError> {
        if self.is_isolated() {
            return match keys {
                [] => Ok(self.clone()),
                _ => Err(self.error("acts once, it has no cells to choose from".to_string())),
            };
        }
        let (own, rest) = match keys.split_last() {
            Some((own, rest)) if self.opens_dimension() => (Some(own), rest),
            None if self.opens_dimension() => return Err(self.error("one more key is needed".to_string())),
            _ => (None, keys),
        };
        let node = match &self.0.parent {
            Some(parent) if parent.is_isolated() && !rest.is_empty() => {
                return Err(self.error(format!("{} keys given, one wanted", keys.len())));
            }
            Some(parent) => Node::place(self.class().clone(), self.name(), Some(parent.isolate_by(rest)?)),
            None if rest.is_empty() => self.clone(),
            None => return Err(self.error(format!("{} keys given, one wanted", keys.len()))),
        };
        match own {
            Some(key) => node.pick(key),
            None => Ok(node),
        }
    }

    fn pick(&self, key: &CellKey) -> Result<Node, NodeError> {
        let hosts = self.roles().get(Roles::HOST);
        let (index, wanted) = match key {
            CellKey::Index(index) => (Some(*index), format!("{index}")),
            CellKey::Host(host) => (hosts.iter().position(|known| known == host), host.to_string()),
            CellKey::Slug(slug) => (hosts.iter().position(|known| known.slug() == slug), slug.clone()),
            CellKey::Tuple(_) => return Err(self.error("a key within a key".to_string())),
        };
        let cell = index.and_then(|index| self.cell_at(index));
        cell.ok_or_else(|| self.error(format!("no cell '{wanted}' (cells: {})", listed(hosts))))
    }

    /// The cell with this number: role `host` has the one host, other roles stay complete (rows C-02, C-04).
    fn cell_at(&self, index: usize) -> Option<Node> {
        let host = self.roles().get(Roles::HOST).get(index)?.clone();
        let hosts_in = |(role, hosts): (&String, &Vec<HostDef>)| match role.as_str() {
            Roles::HOST => (role.clone(), vec![host.clone()]),
            _ => (role.clone(), hosts.clone()),
        };
        let roles = Roles(self.roles().0.iter().map(hosts_in).collect());
        Some(Node(Arc::new(Inner {
            class: self.0.class.clone(),
            name: self.0.name.clone(),
            parent: self.0.parent.clone(),
            roles: Arc::new(roles),
            cell: Some(Cell { index, host }),
            isolated: true,
            depth: self.0.depth,
        })))
    }

    /// Whether a host has to be chosen here: an array, or a parallel root.
    fn opens_dimension(&self) -> bool {
        match self.class().kind() {
            Kind::Array => true,
            Kind::Parallel => self.0.parent.is_none(),
            Kind::Normal | Kind::JustOne => false,
        }
    }
}

/// Slugs for a message, not more than fit.
pub(super) fn listed(hosts: &[HostDef]) -> String {
    const SHOWN: usize = 20;
    let mut slugs: Vec<&str> = hosts.iter().take(SHOWN).map(HostDef::slug).collect();
    if hosts.len() > SHOWN {
        slugs.push("...");
    }
    if slugs.is_empty() { "none".to_string() } else { slugs.join(", ") }
}
