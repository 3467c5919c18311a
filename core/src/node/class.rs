//! Node classes: ordered members, inheritance, double-underscore overrides, nesting rules.

use std::fmt;
use std::sync::Arc;

use super::{Group, HostSource, Member, Position};

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

/// A node class. Cheap to clone; identity counts.
#[derive(Clone)]
pub struct Class(Arc<Inner>);

struct Inner {
    // name, base, kind, doc, position, group, hosts, RwLock<members>: model helper
}

/// A class that breaks a rule; says where and what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{message}", .position.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct ClassError {
    /// Where the offending thing was written.
    pub position: Option<Position>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Collects what a class is made of; [`ClassBuilder::build`] checks the rules.
pub struct ClassBuilder {
    // model helper
}

impl Class {
    /// The root of all normal node classes, `Node`.
    pub fn node() -> Class {
        todo!("model helper")
    }

    /// The root of all parallel node classes, `ParallelNode`.
    pub fn parallel_node() -> Class {
        todo!("model helper")
    }

    /// Starts a subclass.
    pub fn extend(&self, _name: &str) -> ClassBuilder {
        todo!("model helper")
    }

    /// The class's own name; empty for a class that was given none.
    pub fn name(&self) -> &str {
        todo!("model helper")
    }

    /// What kind of node it makes.
    pub fn kind(&self) -> Kind {
        todo!("model helper")
    }

    /// The class it extends; `None` for `Node` and `ParallelNode`.
    pub fn base(&self) -> Option<&Class> {
        todo!("model helper")
    }

    /// Where it was defined.
    pub fn position(&self) -> Option<&Position> {
        todo!("model helper")
    }

    /// Documentation: its own, else the nearest base's.
    pub fn doc(&self) -> Option<String> {
        todo!("model helper")
    }

    /// Its own group, or the nearest base's; nodes above in the tree are the instance's business (row J-05).
    pub fn group(&self) -> Option<Group> {
        todo!("model helper")
    }

    /// Where its hosts come from, bases included.
    pub fn hosts(&self) -> HostSource {
        todo!("model helper")
    }

    /// A member by name, bases included; aliases of actions count.
    pub fn member(&self, _name: &str) -> Option<Member> {
        todo!("model helper")
    }

    /// All members in definition order, those of bases first, each name once.
    pub fn members(&self) -> Vec<(String, Member)> {
        todo!("model helper")
    }

    /// Adds or replaces a member after the class was defined (row A-25); how `function A:start()` arrives.
    ///
    /// # Errors
    /// The same rules as at definition: reserved names, nesting.
    pub fn define(&self, _name: &str, _member: Member, _position: Option<Position>) -> Result<(), ClassError> {
        todo!("model helper")
    }

    /// `.Array` (row C-20).
    ///
    /// # Errors
    /// When the class is not parallel, or is an array or just-one already (row C-23).
    pub fn array(&self) -> Result<Class, ClassError> {
        todo!("model helper")
    }

    /// `.JustOne` (row C-21).
    ///
    /// # Errors
    /// As [`Class::array`].
    pub fn just_one(&self) -> Result<Class, ClassError> {
        todo!("model helper")
    }

    /// A copy with this group; the original stays (row J-04).
    pub fn with_group(&self, _group: Group) -> Class {
        todo!("model helper")
    }

    /// Whether it is `other` or extends it; a child derived by override counts as the base's child (row A-24).
    pub fn is_a(&self, _other: &Class) -> bool {
        todo!("model helper")
    }
}

impl ClassBuilder {
    /// Adds a member. A name like `child__attribute` overrides inside a child (section B).
    pub fn member(self, _name: &str, _member: Member, _position: Option<Position>) -> ClassBuilder {
        todo!("model helper")
    }

    /// Sets where hosts come from.
    pub fn hosts(self, _hosts: HostSource) -> ClassBuilder {
        todo!("model helper")
    }

    /// Overrides the hosts of a nested child: `path` are child names from here (row B-05).
    pub fn child_hosts(self, _path: &[&str], _hosts: HostSource, _position: Option<Position>) -> ClassBuilder {
        todo!("model helper")
    }

    /// Sets the documentation.
    pub fn doc(self, _doc: &str) -> ClassBuilder {
        todo!("model helper")
    }

    /// Sets where it is defined.
    pub fn position(self, _position: Position) -> ClassBuilder {
        todo!("model helper")
    }

    /// Sets the group.
    pub fn group(self, _group: Group) -> ClassBuilder {
        todo!("model helper")
    }

    /// Checks the rules and makes the class.
    ///
    /// # Errors
    /// Every broken rule of rows A-04..A-09, A-18..A-20, A-32, B-09..B-12, with position.
    pub fn build(self) -> Result<Class, ClassError> {
        todo!("model helper")
    }
}

impl PartialEq for Class {
    fn eq(&self, other: &Class) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Class {}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<class {}>", self.name())
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
