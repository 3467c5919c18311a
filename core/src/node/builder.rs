//! How classes are made: collecting members, double-underscore overrides (section B), the rules at definition.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};

use indexmap::IndexMap;

use super::class::{ClassError, Inner, Written};
use super::{Class, Group, HostSource, Kind, Member, Position, Roles};

/// Longest chain of bases, and longest override path. Far beyond any real deployment; keeps walks short.
const DEPTH_MAX: usize = 100;

/// Collects what a class is made of; [`ClassBuilder::build`] checks the rules.
pub struct ClassBuilder {
    base: Class,
    name: String,
    kind: Kind,
    doc: Option<String>,
    position: Option<Position>,
    group: Option<Group>,
    hosts: Option<HostSource>,
    hosts_position: Option<Position>,
    members: Vec<(String, Member, Option<Position>)>,
    overrides: IndexMap<String, Vec<Override>>,
    refused: Option<ClassError>,
}

/// Something to change inside a child.
struct Override {
    /// As it was written, for messages.
    written: String,
    position: Option<Position>,
    change: Change,
}

enum Change {
    /// A member; the name may hold further steps.
    Member(String, Member),
    /// The hosts; further steps first.
    Hosts(Vec<String>, HostSource),
}

/// A class and the place that changes it, for [`Class::define`].
pub(super) struct Site<'a> {
    pub(super) class: &'a Class,
    pub(super) position: Option<&'a Position>,
}

impl ClassBuilder {
    pub(super) fn new(base: &Class, name: &str, kind: Kind) -> ClassBuilder {
        ClassBuilder {
            base: base.clone(),
            name: name.to_string(),
            kind,
            doc: None,
            position: None,
            group: None,
            hosts: None,
            hosts_position: None,
            members: Vec::new(),
            overrides: IndexMap::new(),
            refused: None,
        }
    }

    /// The same class for the reader (name, position), another one for the tree.
    pub(super) fn variant(of: &Class, kind: Kind) -> ClassBuilder {
        let mut builder = ClassBuilder::new(of, of.name(), kind);
        builder.position = of.position().cloned();
        builder
    }

    /// Adds a member. A name like `child__attribute` overrides inside a child (section B).
    pub fn member(mut self, name: &str, member: Member, position: Option<Position>) -> ClassBuilder {
        match split(name) {
            None => self.members.push((name.to_string(), member, position)),
            Some((child, rest)) => {
                let change = Change::Member(rest.to_string(), member);
                self.change(child, Override { written: name.to_string(), position, change });
            }
        }
        self
    }

    /// Sets where hosts come from. A role mapping wins over own hosts, whichever was set first (row A-12).
    pub fn hosts(mut self, hosts: impl Into<HostSource>) -> ClassBuilder {
        let hosts = hosts.into();
        let mapped = matches!(self.hosts, Some(HostSource::Mapped(_)));
        if !mapped || matches!(hosts, HostSource::Mapped(_)) {
            self.hosts = Some(hosts);
        }
        self
    }

    /// The same, written there.
    pub fn hosts_at(mut self, hosts: HostSource, position: Option<Position>) -> ClassBuilder {
        self.hosts_position = position;
        self.hosts(hosts)
    }

    /// Overrides the hosts of a nested child: `path` are child names from here (row B-05).
    pub fn child_hosts(mut self, path: &[&str], hosts: HostSource, position: Option<Position>) -> ClassBuilder {
        let Some((child, rest)) = path.split_first() else {
            return self.hosts(hosts);
        };
        let written = format!("{}__Hosts", path.join("__"));
        let change = Change::Hosts(rest.iter().map(|step| step.to_string()).collect(), hosts);
        self.change(child, Override { written, position, change });
        self
    }

    fn change(&mut self, child: &str, change: Override) {
        self.overrides.entry(child.to_string()).or_default().push(change);
    }

    /// A part that cannot be: [`ClassBuilder::build`] fails with the first of these.
    pub(crate) fn refuse(mut self, error: ClassError) -> ClassBuilder {
        self.refused.get_or_insert(error);
        self
    }

    /// The same on a nestable form of its base.
    pub(crate) fn nested(
        mut self,
        form: impl FnOnce(&Class) -> Result<Class, ClassError>,
        position: Position,
    ) -> ClassBuilder {
        match form(&self.base) {
            Ok(base) => (self.kind, self.base) = (base.kind(), base),
            Err(error) => return self.refuse(ClassError { position: Some(position), ..error }),
        }
        self
    }

    /// Sets the documentation.
    pub fn doc(mut self, doc: &str) -> ClassBuilder {
        self.doc = Some(doc.to_string());
        self
    }

    /// Sets where it is defined; `None` when that is not known.
    pub fn position(mut self, position: impl Into<Option<Position>>) -> ClassBuilder {
        self.position = position.into();
        self
    }

    /// Sets the group.
    pub fn group(mut self, group: Group) -> ClassBuilder {
        self.group = Some(group);
        self
    }

    /// Checks the rules and makes the class.
    ///
    /// # Errors
    /// Every broken rule of rows A-04..A-09, A-18..A-20, A-32, B-09..B-12, with position.
    pub fn build(self) -> Result<Class, ClassError> {
        self.build_at(0)
    }

    fn build_at(mut self, level: usize) -> Result<Class, ClassError> {
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        let depth = self.base.0.depth + 1;
        if depth > DEPTH_MAX {
            let message = format!("more than {DEPTH_MAX} classes extend each other here");
            return Err(ClassError { position: self.position, message });
        }
        if let Some(HostSource::Own(roles)) = &self.hosts {
            check_roles(roles, self.position.as_ref())?;
        }
        let mut members = IndexMap::new();
        for (name, member, position) in std::mem::take(&mut self.members) {
            for (name, member) in with_aliases(name, member) {
                check_member(self.kind, &name, &member, position.as_ref())?;
                if members.contains_key(&name) {
                    return Err(ClassError { position, message: format!("'{name}' is defined twice in one class") });
                }
                members.insert(name, Written { member, position: position.clone() });
            }
        }
        for (child, changes) in std::mem::take(&mut self.overrides) {
            let position = changes.first().and_then(|first| first.position.clone());
            if let (true, Some(first)) = (members.contains_key(&child), changes.first()) {
                let message = format!("'{child}' is defined and overridden by '{}' in the same class", first.written);
                return Err(ClassError::new(first.position.as_ref(), message));
            }
            let derived = derive(&self.base, &child, changes, level)?;
            let position = self.base.position_of(&child).or(position);
            members.insert(child, Written { member: Member::Child(derived), position });
        }
        Ok(Class(Arc::new(Inner {
            name: self.name,
            base: Some(self.base),
            kind: self.kind,
            doc: self.doc,
            position: self.position,
            group: self.group,
            hosts: self.hosts,
            hosts_position: self.hosts_position,
            depth,
            sealed: AtomicBool::new(false),
            members: RwLock::new(members),
        })))
    }
}

impl Site<'_> {
    /// The members that a later definition adds to the class.
    pub(super) fn resolve(&self, name: &str, member: Member) -> Result<Vec<(String, Member)>, ClassError> {
        if let Some((child, rest)) = split(name) {
            let change = Change::Member(rest.to_string(), member);
            let change = Override { written: name.to_string(), position: self.position.cloned(), change };
            let derived = derive(self.class, child, vec![change], 0)?;
            return Ok(vec![(child.to_string(), Member::Child(derived))]);
        }
        let additions = with_aliases(name.to_string(), member);
        for (name, member) in &additions {
            check_member(self.class.kind(), name, member, self.position)?;
        }
        Ok(additions)
    }
}

/// The first step of an override and the rest; `None` for plain names and those that start with two underscores (rows
/// B-02, B-13).
fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once("__").filter(|(child, _)| !child.is_empty())
}

/// The child `name` of `parent` with all changes applied (row B-08). It keeps its class name and its place among its
/// siblings.
fn derive(parent: &Class, name: &str, changes: Vec<Override>, level: usize) -> Result<Class, ClassError> {
    let target = match (parent.member(name), changes.first()) {
        (Some(Member::Child(target)), _) => target,
        (found, Some(first)) => return Err(no_target(parent, name, found, first)),
        (_, None) => return Err(ClassError::new(None, format!("nothing to override in '{name}'"))),
    };
    if level >= DEPTH_MAX {
        return Err(ClassError::new(None, format!("an override goes more than {DEPTH_MAX} children deep")));
    }
    let mut builder = ClassBuilder::variant(&target, target.kind());
    for Override { written, position, change } in changes {
        match change {
            Change::Member(rest, member) => match split(&rest) {
                None => builder.members.push((rest, member, position)),
                Some((child, rest)) => {
                    let change = Change::Member(rest.to_string(), member);
                    builder.change(child, Override { written, position, change });
                }
            },
            Change::Hosts(mut path, hosts) if !path.is_empty() => {
                let child = path.remove(0);
                builder.change(&child, Override { written, position, change: Change::Hosts(path, hosts) });
            }
            Change::Hosts(_, hosts) => {
                if let HostSource::Own(roles) = &hosts {
                    check_roles(roles, position.as_ref())?;
                }
                builder = builder.hosts_at(hosts, position);
            }
        }
    }
    builder.build_at(level + 1)
}

/// Why an override has nothing to go into (rows B-09, B-10, B-12).
fn no_target(parent: &Class, name: &str, found: Option<Member>, change: &Override) -> ClassError {
    let written = &change.written;
    let message = match found {
        Some(_) => format!("'{written}' cannot be set: '{name}' is not a child node"),
        None => {
            let children: Vec<String> = parent.children().into_iter().map(|(name, _)| name).collect();
            let known = if children.is_empty() { "none".to_string() } else { children.join(", ") };
            let class = if parent.name().is_empty() { "the class" } else { parent.name() };
            format!("'{written}' cannot be set: {class} has no child '{name}' (children: {known})")
        }
    };
    ClassError::new(change.position.as_ref(), message)
}

/// The member under its name and under each alias (row E-24).
fn with_aliases(name: String, member: Member) -> Vec<(String, Member)> {
    let aliases = match &member {
        Member::Action(action) => action.aliases.clone(),
        _ => Vec::new(),
    };
    let aliases = aliases.into_iter().filter(|alias| *alias != name).map(|alias| (alias, member.clone()));
    let aliases: Vec<_> = aliases.collect();
    std::iter::once((name, member)).chain(aliases).collect()
}

fn check_member(parent: Kind, name: &str, member: &Member, position: Option<&Position>) -> Result<(), ClassError> {
    let problem = match (name, member) {
        ("", _) => "a member needs a name".to_string(),
        ("host", _) => "'host' is reserved: it is the host of a cell".to_string(),
        ("Hosts", _) => "'Hosts' must be hosts by role or a role mapping".to_string(),
        (name, _) if name.contains(char::is_control) => format!("control characters in the name {name:?}"),
        (name, Member::Child(child)) if !parent.may_contain(child.kind()) => nesting(parent, name, child.kind()),
        _ => return Ok(()),
    };
    Err(ClassError::new(position, problem))
}

fn nesting(parent: Kind, name: &str, child: Kind) -> String {
    let (inner, remedy) = match child {
        Kind::Parallel => ("a plain parallel node", "use .Array or .JustOne"),
        Kind::Array => ("an array", "use the plain parallel class: it shares the cells of its parent"),
        Kind::JustOne => ("a just-one node", "use the plain parallel class: it shares the host of its parent"),
        Kind::Normal => ("a normal node", "this is always allowed"),
    };
    let outer = match parent {
        Kind::Normal => "a normal node",
        Kind::Parallel => "a parallel node",
        Kind::Array => "an array",
        Kind::JustOne => "a just-one node",
    };
    format!("'{name}' is {inner} inside {outer}: {remedy}")
}

/// A slug names one host of a role (row A-09).
fn check_roles(roles: &Roles, position: Option<&Position>) -> Result<(), ClassError> {
    match roles.duplicate() {
        None => Ok(()),
        Some((role, slug)) => {
            let mut same = roles.get(role).iter().filter(|host| host.slug() == slug);
            let message = match same.next() == same.next() {
                true => format!("role '{role}' has the host '{slug}' twice: leave one of them out"),
                false => format!("role '{role}' has two hosts with the slug '{slug}': give one of them another slug"),
            };
            Err(ClassError::new(position, message))
        }
    }
}
