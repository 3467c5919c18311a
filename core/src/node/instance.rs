//! Nodes: classes placed in a tree, with hosts resolved, and the cells of parallel nodes.

use std::fmt;
use std::sync::Arc;

use super::{Class, Group, HostDef, HostSource, Kind, Member, RoleMapping, Roles};

/// Deepest tree. Far beyond any real deployment; keeps walks from the root short.
const DEPTH_MAX: usize = 100;

/// A class placed in a tree. Cheap to clone, immutable.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    class: Class,
    name: String,
    parent: Option<Node>,
    roles: Arc<Roles>,
    /// Set on the node that is a cell of an array; nodes below find it through their parents.
    cell: Option<Cell>,
    isolated: bool,
    depth: usize,
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
    /// The root of a tree, named as its class.
    ///
    /// # Errors
    /// Arrays and just-one classes need a parent (row A-35); a slug twice in a role.
    pub fn root(class: Class) -> Result<Node, NodeError> {
        let name = match class.name() {
            "" => "root".to_string(),
            name => name.to_string(),
        };
        Node::root_named(class, &name)
    }

    /// The root of a tree under another name than that of its class: a deployment file gives its own name to a class
    /// that has none.
    ///
    /// # Errors
    /// As [`Node::root`].
    pub fn root_named(class: Class, name: &str) -> Result<Node, NodeError> {
        if matches!(class.kind(), Kind::Array | Kind::JustOne) {
            let message = "an array or just-one node needs a parent: use the plain parallel class as root".to_string();
            return Err(NodeError { path: name.to_string(), message });
        }
        Node::place(class, name, None).checked()
    }

    /// Puts a class somewhere. Its hosts follow from its class and its parent.
    fn place(class: Class, name: &str, parent: Option<Node>) -> Node {
        let isolated = match (class.kind(), &parent) {
            (Kind::JustOne, _) => true,
            (Kind::Array, _) | (Kind::Parallel, None) => false,
            (Kind::Normal, None) => true,
            (Kind::Normal | Kind::Parallel, Some(parent)) => parent.is_isolated(),
        };
        let roles = resolve(&class, parent.as_ref());
        let depth = parent.as_ref().map_or(0, |parent| parent.0.depth + 1);
        Node(Arc::new(Inner { class, name: name.to_string(), parent, roles, cell: None, isolated, depth }))
    }

    /// The rules about hosts that only show once the hosts are known.
    fn checked(self) -> Result<Node, NodeError> {
        if let Some((role, slug)) = self.roles().duplicate() {
            let message = format!("role '{role}' unites two hosts with the slug '{slug}'");
            return Err(self.error(message));
        }
        let hosts = self.roles().get(Roles::HOST);
        if self.class().kind() == Kind::JustOne && hosts.len() != 1 {
            let message = format!("needs exactly one host in the role 'host', has {}", listed(hosts));
            return Err(self.error(message));
        }
        Ok(self)
    }

    fn error(&self, message: String) -> NodeError {
        NodeError { path: self.to_string(), message }
    }

    /// Its class.
    pub fn class(&self) -> &Class {
        &self.0.class
    }

    /// Attribute name in the parent; class name for a root (rows A-28, H-11).
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The node above, `None` at the root. From an array cell the unrestricted normal node (row C-28).
    pub fn parent(&self) -> Option<Node> {
        self.0.parent.clone()
    }

    /// The top of the tree.
    pub fn top(&self) -> Node {
        self.ancestry().last().unwrap_or(self).clone()
    }

    /// The child with this name (row A-02). Stays in the cell (row C-29).
    ///
    /// # Errors
    /// Names the children there are when there is none of this name; just-one without exactly one host (row C-21).
    pub fn child(&self, name: &str) -> Result<Node, NodeError> {
        match self.class().member(name) {
            Some(Member::Child(_)) if self.0.depth >= DEPTH_MAX => {
                Err(self.error(format!("the tree is more than {DEPTH_MAX} nodes deep here")))
            }
            Some(Member::Child(class)) => Node::place(class, name, Some(self.clone())).checked(),
            Some(_) => Err(self.error(format!("'{name}' is not a child node"))),
            None => {
                let children: Vec<String> = self.class().children().into_iter().map(|(name, _)| name).collect();
                let known = if children.is_empty() { "none".to_string() } else { children.join(", ") };
                Err(self.error(format!("no child '{name}' (children: {known})")))
            }
        }
    }

    /// Hosts by role, mapping applied (sections A and D).
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// Whether it acts once (row C-32).
    pub fn is_isolated(&self) -> bool {
        self.0.isolated
    }

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

    /// The one host of a cell or just-one node; `None` elsewhere (row C-03).
    pub fn host(&self) -> Option<&HostDef> {
        match self.roles().get(Roles::HOST) {
            [host] if self.is_isolated() && self.class().kind() != Kind::Normal => Some(host),
            _ => None,
        }
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

    /// Names from the root down, the root's own name first; cells as `name[slug]`.
    pub fn path(&self) -> Vec<String> {
        let mut path: Vec<String> = self.ancestry().map(Node::step).collect();
        path.reverse();
        path
    }

    fn step(&self) -> String {
        match &self.0.cell {
            Some(cell) => format!("{}[{}]", self.name(), cell.host.slug()),
            None => self.name().to_string(),
        }
    }

    /// Own group, else the nearest ancestor's (row J-05).
    pub fn group(&self) -> Option<Group> {
        self.ancestry().find_map(|node| node.class().group())
    }

    /// The node and those above it, itself first.
    pub fn ancestry(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(self), |node| node.0.parent.as_ref())
    }

    /// Whether both are the same place in the same tree, however they were reached.
    pub fn same_place(&self, other: &Node) -> bool {
        let same = |(a, b): (&Node, &Node)| a.class() == b.class() && a.name() == b.name() && a.0.cell == b.0.cell;
        self.0.depth == other.0.depth && self.ancestry().zip(other.ancestry()).all(same)
    }
}

/// Hosts of a node of this class below this parent. `.Array` and `.JustOne` map all hosts to `host` (row C-20).
fn resolve(class: &Class, parent: Option<&Node>) -> Arc<Roles> {
    match (class.hosts(), parent) {
        (HostSource::Own(roles), _) => Arc::new(roles),
        (_, None) => Arc::default(),
        (HostSource::Mapped(mapping), Some(parent)) => Arc::new(mapping.apply(parent.roles())),
        (HostSource::Inherit, Some(parent)) => match class.kind() {
            Kind::Normal | Kind::Parallel => parent.0.roles.clone(),
            Kind::Array | Kind::JustOne => Arc::new(RoleMapping::new().all(Roles::HOST).apply(parent.roles())),
        },
    }
}

/// Slugs for a message, not more than fit.
fn listed(hosts: &[HostDef]) -> String {
    const SHOWN: usize = 20;
    let mut slugs: Vec<&str> = hosts.iter().take(SHOWN).map(HostDef::slug).collect();
    if hosts.len() > SHOWN {
        slugs.push("...");
    }
    if slugs.is_empty() { "none".to_string() } else { slugs.join(", ") }
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
