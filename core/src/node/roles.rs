//! Roles: named, ordered lists of hosts, and how a child takes them from its parent (section D).

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
