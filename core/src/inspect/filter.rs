//! Which nodes of a walk are wanted (rows H-22..H-28).

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::Arc;

use crate::node::{Class, Group, Member, Node};

/// A question about a node. Combine with `&`, `|` and `!`; prints as it was written (row H-22).
#[derive(Clone)]
pub struct Filter(Arc<dyn Test>);

/// A filter of a program's own (row H-28).
pub trait Test: fmt::Display + Send + Sync {
    /// Whether the node is wanted.
    fn matches(&self, node: &Node) -> bool;
}

impl Filter {
    /// A filter of a program's own.
    pub fn custom(test: impl Test + 'static) -> Filter {
        Filter(Arc::new(test))
    }

    /// Nodes whose own name does not start with an underscore; those above are not asked (row H-23).
    pub fn public_only() -> Filter {
        Filter::custom(Simple::PublicOnly)
    }

    /// Nodes whose own name starts with an underscore (row H-23).
    pub fn private_only() -> Filter {
        Filter::custom(Simple::PrivateOnly)
    }

    /// Nodes of this class or of one that extends it (row H-24).
    pub fn is_instance(class: &Class) -> Filter {
        Filter::custom(Simple::IsInstance(class.clone()))
    }

    /// Nodes with an action of this name (row H-25).
    pub fn has_action(name: &str) -> Filter {
        Filter::custom(Simple::HasAction(name.to_string()))
    }

    /// Nodes in exactly this group, inherited or not (row H-26).
    pub fn in_group(group: &Group) -> Filter {
        Filter::custom(Simple::InGroup(group.clone()))
    }

    /// Whether the node is wanted.
    pub fn matches(&self, node: &Node) -> bool {
        self.0.matches(node)
    }
}

impl BitAnd for Filter {
    type Output = Filter;

    fn bitand(self, other: Filter) -> Filter {
        Filter::custom(Simple::And(self, other))
    }
}

impl BitOr for Filter {
    type Output = Filter;

    fn bitor(self, other: Filter) -> Filter {
        Filter::custom(Simple::Or(self, other))
    }
}

impl Not for Filter {
    type Output = Filter;

    fn not(self) -> Filter {
        Filter::custom(Simple::Not(self))
    }
}

enum Simple {
    PublicOnly,
    PrivateOnly,
    IsInstance(Class),
    HasAction(String),
    InGroup(Group),
    And(Filter, Filter),
    Or(Filter, Filter),
    Not(Filter),
}

impl Test for Simple {
    fn matches(&self, node: &Node) -> bool {
        match self {
            Simple::PublicOnly => !node.name().starts_with('_'),
            Simple::PrivateOnly => node.name().starts_with('_'),
            Simple::IsInstance(class) => node.class().is_a(class),
            Simple::HasAction(name) => matches!(node.class().member(name), Some(Member::Action(_))),
            Simple::InGroup(group) => node.group().as_ref() == Some(group),
            Simple::And(a, b) => a.matches(node) && b.matches(node),
            Simple::Or(a, b) => a.matches(node) || b.matches(node),
            Simple::Not(filter) => !filter.matches(node),
        }
    }
}

impl fmt::Display for Simple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Simple::PublicOnly => f.write_str("PublicOnly"),
            Simple::PrivateOnly => f.write_str("PrivateOnly"),
            Simple::IsInstance(class) => match class.name() {
                "" => write!(f, "IsInstance({class})"),
                name => write!(f, "IsInstance({name})"),
            },
            Simple::HasAction(name) => write!(f, "HasAction({name:?})"),
            Simple::InGroup(group) => write!(f, "InGroup({})", group.name),
            Simple::And(a, b) => write!(f, "({a} & {b})"),
            Simple::Or(a, b) => write!(f, "({a} | {b})"),
            Simple::Not(filter) => write!(f, "~{filter}"),
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
