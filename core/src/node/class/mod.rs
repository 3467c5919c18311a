//! Node classes: what a class is and what it inherits. How classes are made is in `builder`.

mod error;
mod inner;
mod kind;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use indexmap::IndexMap;

use super::builder::{ClassBuilder, Site};
use super::{Group, HostSource, Member, Position};

pub use error::ClassError;
pub(super) use inner::{Inner, Written};
pub use kind::Kind;

/// A node class. Cheap to clone; identity counts.
#[derive(Clone)]
pub struct Class(pub(super) Arc<Inner>);

// The two roots are constants, not state: they are sealed.
static NODE: LazyLock<Class> = LazyLock::new(|| Class::bare("Node", Kind::Normal));
static PARALLEL_NODE: LazyLock<Class> = LazyLock::new(|| Class::bare("ParallelNode", Kind::Parallel));

impl Class {
    /// The root of all normal node classes, `Node`.
    pub fn node() -> Class {
        NODE.clone()
    }

    /// The root of all parallel node classes, `ParallelNode`.
    pub fn parallel_node() -> Class {
        PARALLEL_NODE.clone()
    }

    fn bare(name: &str, kind: Kind) -> Class {
        Class(Arc::new(Inner {
            name: name.to_string(),
            base: None,
            kind,
            doc: None,
            position: None,
            group: None,
            hosts: None,
            hosts_position: None,
            depth: 0,
            sealed: AtomicBool::new(true),
            members: RwLock::default(),
        }))
    }

    /// Starts a subclass, written where this is called unless [`ClassBuilder::position`] says otherwise.
    #[track_caller]
    pub fn extend(&self, name: &str) -> ClassBuilder {
        ClassBuilder::new(self, name, self.kind()).position(Position::caller())
    }

    /// The class's own name; empty for a class that was given none.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// What kind of node it makes.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// The class it extends; `None` for `Node` and `ParallelNode`.
    pub fn base(&self) -> Option<&Class> {
        self.0.base.as_ref()
    }

    /// Where it was defined.
    pub fn position(&self) -> Option<&Position> {
        self.0.position.as_ref()
    }

    /// Documentation: its own, else the nearest base's.
    pub fn doc(&self) -> Option<String> {
        self.lineage().find_map(|class| class.0.doc.clone())
    }

    /// Its own group, or the nearest base's; nodes above in the tree are the instance's business (row J-05).
    pub fn group(&self) -> Option<Group> {
        self.lineage().find_map(|class| class.0.group.clone())
    }

    /// Where its hosts come from, bases included.
    pub fn hosts(&self) -> HostSource {
        self.lineage().find_map(|class| class.0.hosts.clone()).unwrap_or(HostSource::Inherit)
    }

    /// A member by name, bases included; aliases of actions count.
    pub fn member(&self, name: &str) -> Option<Member> {
        self.lineage().find_map(|class| class.own(name)).map(|written| written.member)
    }

    /// Where a member was written, bases included; `None` too when the front end does not know.
    pub fn position_of(&self, name: &str) -> Option<Position> {
        self.lineage().find_map(|class| class.own(name))?.position
    }

    /// Where its hosts or role mapping were written, bases included.
    pub fn position_of_hosts(&self) -> Option<Position> {
        let class = self.lineage().find(|class| class.0.hosts.is_some())?;
        class.0.hosts_position.clone().or_else(|| class.position().cloned())
    }

    /// All members in definition order, those of bases first, each name once; every alias of an action is a member of
    /// its own (row E-24).
    pub fn members(&self) -> Vec<(String, Member)> {
        let mut lineage: Vec<&Class> = self.lineage().collect();
        lineage.reverse();
        let mut members = IndexMap::new();
        for class in lineage {
            let own = class.0.members.read().unwrap_or_else(PoisonError::into_inner);
            for (name, written) in own.iter() {
                members.insert(name.clone(), written.member.clone());
            }
        }
        members.into_iter().collect()
    }

    /// Child classes by name, in definition order.
    pub fn children(&self) -> Vec<(String, Class)> {
        let child = |(name, member)| match member {
            Member::Child(class) => Some((name, class)),
            _ => None,
        };
        self.members().into_iter().filter_map(child).collect()
    }

    /// Adds or replaces a member after the class was defined (row A-25); how `function A:start()` arrives. A name like
    /// `child__attribute` overrides inside a child of this class, as at definition.
    ///
    /// # Errors
    /// The same rules as at definition: reserved names, nesting, unknown override targets. Also when a class would
    /// contain itself, and for classes that are sealed, as `Node` and `ParallelNode` are.
    pub fn define(&self, name: &str, member: Member, position: Option<Position>) -> Result<(), ClassError> {
        if self.is_sealed() {
            let message = format!("{} itself cannot be changed: extend it", self.name());
            return Err(ClassError { position, message });
        }
        let site = Site { class: self, position: position.as_ref() };
        let additions = site.resolve(name, member)?;
        for (_, member) in &additions {
            if let Member::Child(child) = member {
                self.refuse_cycle(child, position.as_ref())?;
            }
        }
        let mut members = self.0.members.write().unwrap_or_else(PoisonError::into_inner);
        let written = |(name, member)| (name, Written { member, position: position.clone() });
        members.extend(additions.into_iter().map(written));
        Ok(())
    }

    /// Makes the class and its children final: nothing can be defined later. For classes that several trees share, such
    /// as those that a program gives to deployment files; extending them is always possible.
    pub fn seal(&self) {
        let mut pending = vec![self.clone()];
        while let Some(class) = pending.pop() {
            // Sealed ones are not looked into again: their children are sealed, too.
            if !class.0.sealed.swap(true, Ordering::Relaxed) {
                pending.extend(class.children().into_iter().map(|(_, child)| child));
            }
        }
    }

    fn is_sealed(&self) -> bool {
        self.0.sealed.load(Ordering::Relaxed)
    }

    /// `.Array` (row C-20).
    ///
    /// # Errors
    /// When the class is not parallel, or is an array or just-one already (row C-23).
    pub fn array(&self) -> Result<Class, ClassError> {
        self.nestable(Kind::Array, "Array")
    }

    /// `.JustOne` (row C-21).
    ///
    /// # Errors
    /// As [`Class::array`].
    pub fn just_one(&self) -> Result<Class, ClassError> {
        self.nestable(Kind::JustOne, "JustOne")
    }

    fn nestable(&self, kind: Kind, word: &str) -> Result<Class, ClassError> {
        let problem = match self.kind() {
            Kind::Parallel => return ClassBuilder::variant(self, kind).build(),
            Kind::Normal => format!("{self} is not a parallel class: only those have .{word}"),
            Kind::Array => format!("{self} is an array already: .{word} applies once, to the plain parallel class"),
            Kind::JustOne => format!("{self} is just-one already: .{word} applies once, to the plain parallel class"),
        };
        Err(ClassError::new(self.position(), problem))
    }

    /// A copy with this group; the original stays (row J-04).
    pub fn with_group(&self, group: Group) -> Class {
        let inner = Inner {
            name: self.0.name.clone(),
            base: Some(self.clone()),
            kind: self.kind(),
            doc: None,
            position: self.0.position.clone(),
            group: Some(group),
            hosts: None,
            hosts_position: None,
            depth: self.0.depth + 1,
            sealed: AtomicBool::new(false),
            members: RwLock::default(),
        };
        Class(Arc::new(inner))
    }

    /// A copy that takes its hosts from elsewhere, such as a role mapping; the original stays (row D-12).
    ///
    /// # Errors
    /// When a slug occurs twice in one role (row A-09).
    pub fn with_hosts(&self, hosts: HostSource) -> Result<Class, ClassError> {
        ClassBuilder::variant(self, self.kind()).hosts(hosts).build()
    }

    /// Whether it is `other` or extends it; a child derived by override counts as the base's child (row A-24).
    pub fn is_a(&self, other: &Class) -> bool {
        self.lineage().any(|class| class == other)
    }

    /// The class and its bases, the class first.
    pub fn lineage(&self) -> impl Iterator<Item = &Class> {
        std::iter::successors(Some(self), |class| class.base())
    }

    fn own(&self, name: &str) -> Option<Written> {
        self.0.members.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// A class that contains itself would be a tree without end.
    fn refuse_cycle(&self, child: &Class, position: Option<&Position>) -> Result<(), ClassError> {
        let mut pending = vec![child.clone()];
        let mut seen = HashSet::new();
        while let Some(class) = pending.pop() {
            if class.is_a(self) {
                return Err(ClassError::new(position, format!("{self} would contain itself")));
            }
            if seen.insert(Arc::as_ptr(&class.0)) {
                pending.extend(class.children().into_iter().map(|(_, child)| child));
            }
        }
        Ok(())
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
        match (self.name(), self.position()) {
            ("", Some(position)) => write!(f, "<class at {position}>"),
            ("", None) => f.write_str("<class>"),
            (name, _) => write!(f, "<class {name}>"),
        }
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
