//! Nodes: classes placed in a tree, with hosts resolved. Their cells are in `cells`.

use std::fmt;
use std::sync::Arc;

use super::cells::{Cell, listed};
use super::{Class, Group, HostDef, HostSource, Kind, Member, RoleMapping, Roles};

/// Deepest tree. Far beyond any real deployment; keeps walks from the root short.
const DEPTH_MAX: usize = 100;

/// A class placed in a tree. Cheap to clone, immutable.
#[derive(Clone)]
pub struct Node(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) class: Class,
    pub(super) name: String,
    pub(super) parent: Option<Node>,
    pub(super) roles: Arc<Roles>,
    /// Set on the node that is a cell of an array; nodes below find it through their parents.
    pub(super) cell: Option<Cell>,
    pub(super) isolated: bool,
    pub(super) depth: usize,
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
    pub(super) fn place(class: Class, name: &str, parent: Option<Node>) -> Node {
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
            let message =
                format!("role '{role}' unites two hosts with the slug '{slug}': give one of them another slug");
            return Err(self.error(message));
        }
        let hosts = self.roles().get(Roles::HOST);
        if self.class().kind() == Kind::JustOne && hosts.len() != 1 {
            let message = format!(
                "needs exactly one host in the role 'host', has {}; map a role with one host to it",
                listed(hosts)
            );
            return Err(self.error(message));
        }
        Ok(self)
    }

    pub(super) fn error(&self, message: String) -> NodeError {
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
            Some(Member::Child(_)) if self.0.depth >= DEPTH_MAX => Err(self
                .error(format!("the tree is more than {DEPTH_MAX} nodes deep here: put fewer nodes into each other"))),
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

    /// The one host of a cell or just-one node; `None` elsewhere (row C-03).
    pub fn host(&self) -> Option<&HostDef> {
        match self.roles().get(Roles::HOST) {
            [host] if self.is_isolated() && self.class().kind() != Kind::Normal => Some(host),
            _ => None,
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
