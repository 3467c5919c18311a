//! The policy file: who has which rank, and where in the tree it is limited (design 7).

mod file;
mod limit;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use deployer_core::node::Node;

use super::{Person, Rank};
pub use file::PolicyError;
pub use limit::{Limit, Place};

/// Who may do what. Made from a file, or [`Policy::owner_only`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The user id that the daemon runs as.
    owner: u32,
    users: HashMap<u32, Rank>,
    groups: HashMap<u32, Rank>,
    limits: Vec<Limit>,
    notes: Vec<PolicyError>,
    file: Option<PathBuf>,
}

impl Policy {
    /// Without a file: the owner of the daemon and root, and nobody else.
    pub fn owner_only(owner: u32) -> Policy {
        Policy {
            owner,
            users: HashMap::new(),
            groups: HashMap::new(),
            limits: Vec::new(),
            notes: Vec::new(),
            file: None,
        }
    }

    /// Reads a policy file.
    ///
    /// # Errors
    /// With file and line: what cannot be understood, names that do not exist, a file that others can write to.
    pub fn read(path: &Path, owner: u32) -> Result<Policy, PolicyError> {
        file::read(path, owner)
    }

    /// The file it came from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// What is odd in the file and takes no effect: names that nobody has.
    pub fn notes(&self) -> &[PolicyError] {
        &self.notes
    }

    /// The rank where no limit binds; `None` for strangers. The owner of the daemon and root are admins: they could
    /// replace it anyway.
    pub fn rank(&self, person: &Person) -> Option<Rank> {
        if person.uid == self.owner || person.uid == 0 {
            return Some(Rank::Admin);
        }
        let of_groups = || person.groups.iter().filter_map(|gid| self.groups.get(gid)).max();
        self.users.get(&person.uid).or_else(of_groups).copied()
    }

    /// The rank at a place of the tree, and the limit that made it less than elsewhere.
    pub fn rank_at(&self, person: &Person, place: &Place) -> (Option<Rank>, Option<&Limit>) {
        let Some(rank) = self.rank(person) else { return (None, None) };
        if person.uid == self.owner || person.uid == 0 {
            return (Some(rank), None);
        }
        let binding = self.limits.iter().filter(|limit| limit.rank < rank && limit.binds(person, rank, place));
        match binding.min_by_key(|limit| limit.rank) {
            Some(limit) => (Some(limit.rank), Some(limit)),
            None => (Some(rank), None),
        }
    }

    /// Whether a person's rank depends on the place.
    pub fn has_limits(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Whether somebody may do less here than elsewhere.
    pub(crate) fn limits_somebody(&self, place: &Place) -> bool {
        self.limits.iter().any(|limit| limit.covers(place))
    }

    /// Every limit must be about a node that is there: a slip would protect nothing, silently.
    ///
    /// # Errors
    /// With file and line: the first limit that is not.
    pub fn fits(&self, root: &Node) -> Result<(), PolicyError> {
        match self.limits.iter().find_map(|limit| limit.missing(root).map(|why| (limit, why))) {
            Some((limit, why)) => {
                let file = self.file.clone().unwrap_or_default();
                Err(PolicyError { file, line: Some(limit.line), message: why })
            }
            None => Ok(()),
        }
    }
}
