//! What a class is made of.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;

use super::{Class, Kind};
use crate::node::{Group, HostSource, Member, Position};

pub(in crate::node) struct Inner {
    pub(in crate::node) name: String,
    pub(in crate::node) base: Option<Class>,
    pub(in crate::node) kind: Kind,
    pub(in crate::node) doc: Option<String>,
    pub(in crate::node) position: Option<Position>,
    pub(in crate::node) group: Option<Group>,
    pub(in crate::node) hosts: Option<HostSource>,
    /// Where `hosts` was written, when that is known more exactly than for the class.
    pub(in crate::node) hosts_position: Option<Position>,
    /// Number of classes above; bounds every walk up the bases.
    pub(in crate::node) depth: usize,
    /// Shared by trees that must not change each other.
    pub(in crate::node) sealed: AtomicBool,
    /// Own members only, aliases as members of their own. Locked for single look-ups and insertions.
    pub(in crate::node) members: RwLock<IndexMap<String, Written>>,
}

/// A member, and where its name was written.
#[derive(Clone)]
pub(in crate::node) struct Written {
    pub(in crate::node) member: Member,
    pub(in crate::node) position: Option<Position>,
}

/// Long chains of classes are taken apart one by one: a script that nests a million of them must not overflow the
/// stack of the process when they are dropped.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.release(&mut pending);
        while let Some(class) = pending.pop() {
            if let Some(mut inner) = Arc::into_inner(class.0) {
                inner.release(&mut pending);
            }
        }
    }
}

impl Inner {
    fn release(&mut self, pending: &mut Vec<Class>) {
        pending.extend(self.base.take());
        let members = self.members.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (_, written) in members.drain(..) {
            if let Member::Child(class) = written.member {
                pending.push(class);
            }
        }
    }
}
