//! What kind of node a class makes.

/// What kind of node a class makes (row A-31).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Acts once, on all its hosts.
    Normal,
    /// Acts once per host of the role `host` (row C-01).
    Parallel,
    /// A parallel class made nestable in a normal node (row C-20).
    Array,
    /// A parallel class with exactly one host, no array (row C-21).
    JustOne,
}

impl Kind {
    /// Whether a node of this kind may contain a child of that kind (row A-32).
    pub fn may_contain(self, child: Kind) -> bool {
        match child {
            Kind::Normal => true,
            Kind::Parallel => self != Kind::Normal,
            Kind::Array | Kind::JustOne => self == Kind::Normal,
        }
    }
}
