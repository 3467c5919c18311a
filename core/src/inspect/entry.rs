//! One action, property, query or value of a node, not evaluated.

use super::Subject;
use crate::node::{ActionFlags, Group, Member, Position};

/// What a member is, seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// Code that is called.
    Action,
    /// Computed, or required to be given.
    Property,
    /// An expression over the tree.
    Query,
    /// A plain value.
    Value,
}

impl EntryKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            EntryKind::Action => "action",
            EntryKind::Property => "property",
            EntryKind::Query => "query",
            EntryKind::Value => "value",
        }
    }
}

/// A member of a node with what is known about it (rows E-25, E-26).
#[derive(Clone)]
pub struct Entry<S> {
    name: String,
    kind: EntryKind,
    owner: S,
    /// `None` for `host`, which no class defines.
    member: Option<Member>,
}

impl<S: Subject> Entry<S> {
    /// `None` for children.
    pub(super) fn new(owner: &S, name: &str, member: Member) -> Option<Entry<S>> {
        let kind = match &member {
            Member::Child(_) => return None,
            Member::Action(_) => EntryKind::Action,
            Member::Property(_) | Member::Required(_) => EntryKind::Property,
            Member::Query(_) => EntryKind::Query,
            Member::Value(_) => EntryKind::Value,
        };
        Some(Entry { name: name.to_string(), kind, owner: owner.clone(), member: Some(member) })
    }

    /// The host of a cell.
    pub(super) fn host(owner: &S) -> Entry<S> {
        Entry { name: "host".to_string(), kind: EntryKind::Property, owner: owner.clone(), member: None }
    }

    /// Attribute name, whatever the code itself is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// Whether it is of this kind.
    pub fn is(&self, kind: EntryKind) -> bool {
        self.kind == kind
    }

    /// The node or Env it belongs to.
    pub fn owner(&self) -> &S {
        &self.owner
    }

    /// Its definition; `None` for `host`.
    pub fn member(&self) -> Option<&Member> {
        self.member.as_ref()
    }

    /// The group of its node, those above not asked (row J-06).
    pub fn group(&self) -> Option<Group> {
        self.owner.node().class().group()
    }

    /// What decorators said.
    pub fn flags(&self) -> ActionFlags {
        match &self.member {
            Some(Member::Action(action) | Member::Property(action)) => action.flags,
            _ => ActionFlags::default(),
        }
    }

    /// Whether the shell keeps its result to itself (row H-09).
    pub fn suppress_result(&self) -> bool {
        self.flags().suppress_result
    }

    /// Whether it still has to be overridden (row A-21).
    pub fn is_required(&self) -> bool {
        matches!(self.member, Some(Member::Required(_)))
    }

    /// Documentation, first line is the summary.
    pub fn doc(&self) -> Option<&str> {
        match &self.member {
            Some(Member::Action(action) | Member::Property(action)) => action.doc.as_deref(),
            Some(Member::Required(what_for)) => what_for.as_deref(),
            _ => None,
        }
    }

    /// Where it was written.
    pub fn position(&self) -> Option<&Position> {
        match &self.member {
            Some(Member::Action(action) | Member::Property(action)) => action.position.as_ref(),
            Some(Member::Query(query)) => query.position.as_ref(),
            _ => None,
        }
    }

    /// Parameters of an action, when the front end knows them.
    pub fn parameters(&self) -> Option<Vec<String>> {
        match &self.member {
            Some(Member::Action(action)) => action.body.parameters(),
            _ => None,
        }
    }
}
