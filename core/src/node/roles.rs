//! Roles: named, ordered lists of hosts, and how a child takes them from its parent (section D).

use std::collections::HashSet;

use indexmap::IndexMap;

use super::HostDef;

/// Hosts by role, in definition order; a slug occurs at most once within a role (row A-09).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles(pub IndexMap<String, Vec<HostDef>>);

/// Where the hosts of a node come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSource {
    /// From the parent, as they are (rows A-10, D-08).
    Inherit,
    /// A `Hosts` definition of its own (row A-11).
    Own(Roles),
    /// Mapped from the parent's roles; wins over an own definition (row A-12).
    Mapped(RoleMapping),
}

/// New role names and the parent's roles they are made of (rows D-01, D-02).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleMapping(pub Vec<(String, MapFrom)>);

/// What a mapped role is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MapFrom {
    /// All distinct hosts of all the parent's roles (row D-06).
    All,
    /// The union of these roles of the parent.
    Roles(Vec<String>),
}

impl Roles {
    /// The role that cells are made of.
    pub const HOST: &str = "host";

    /// No roles.
    pub fn new() -> Roles {
        Roles::default()
    }

    /// The same with one more role; replaces a role of this name.
    pub fn role(mut self, name: &str, hosts: impl IntoIterator<Item = HostDef>) -> Roles {
        self.0.insert(name.to_string(), hosts.into_iter().collect());
        self
    }

    /// The hosts of a role; none when there is no such role.
    pub fn get(&self, role: &str) -> &[HostDef] {
        self.0.get(role).map_or(&[], Vec::as_slice)
    }

    /// All distinct hosts in order.
    pub fn all(&self) -> Vec<HostDef> {
        distinct(self.0.values().flatten())
    }

    /// The first role in which a slug occurs twice, and the slug.
    pub fn duplicate(&self) -> Option<(&str, &str)> {
        self.0.iter().find_map(|(role, hosts)| {
            let mut seen = HashSet::new();
            let twice = hosts.iter().find(|host| !seen.insert(host.slug()))?;
            Some((role.as_str(), twice.slug()))
        })
    }
}

impl RoleMapping {
    /// A mapping that maps nothing.
    pub fn new() -> RoleMapping {
        RoleMapping::default()
    }

    /// The same with one more role, the union of these roles of the parent (row D-01).
    pub fn role<'a>(mut self, name: &str, from: impl IntoIterator<Item = &'a str>) -> RoleMapping {
        self.0.push((name.to_string(), MapFrom::Roles(from.into_iter().map(str::to_string).collect())));
        self
    }

    /// The same with one more role, all hosts of the parent (row D-06).
    pub fn all(mut self, name: &str) -> RoleMapping {
        self.0.push((name.to_string(), MapFrom::All));
        self
    }

    /// The roles of a child of a node with these roles. Only mapped roles pass (row D-04); a role that the parent does
    /// not have is empty (row D-05).
    pub fn apply(&self, parent: &Roles) -> Roles {
        let mut roles = IndexMap::new();
        for (name, from) in &self.0 {
            let hosts = match from {
                MapFrom::All => parent.all(),
                MapFrom::Roles(names) => distinct(names.iter().flat_map(|name| parent.get(name))),
            };
            roles.insert(name.clone(), hosts);
        }
        Roles(roles)
    }

    /// Roles that the mapping wants and the parent does not have; reported by `check` (row D-05 with design 8).
    pub fn unknown<'a>(&'a self, parent: &Roles) -> Vec<&'a str> {
        let wanted = self.0.iter().filter_map(|(_, from)| match from {
            MapFrom::All => None,
            MapFrom::Roles(names) => Some(names),
        });
        wanted.flatten().map(String::as_str).filter(|name| !parent.0.contains_key(*name)).collect()
    }
}

impl RoleMapping {
    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        let from = |from: &MapFrom| match from {
            MapFrom::All => 0,
            MapFrom::Roles(roles) => roles.iter().map(|role| 32 + role.len()).sum::<usize>(),
        };
        self.0.iter().map(|(role, roles)| 64 + role.len() + from(roles)).sum()
    }
}

impl HostSource {
    /// About how many bytes it takes, the hosts themselves not counted.
    pub(crate) fn weight(&self) -> usize {
        match self {
            HostSource::Inherit => 0,
            HostSource::Own(roles) => roles.0.iter().map(|(role, hosts)| 64 + role.len() + 8 * hosts.len()).sum(),
            HostSource::Mapped(mapping) => mapping.weight(),
        }
    }
}

#[allow(clippy::mutable_key_type, reason = "host definitions are equal and hashed by identity")]
fn distinct<'a>(hosts: impl Iterator<Item = &'a HostDef>) -> Vec<HostDef> {
    let mut seen = HashSet::new();
    hosts.filter(|host| seen.insert((*host).clone())).cloned().collect()
}
