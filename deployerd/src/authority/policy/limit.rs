//! Less than elsewhere: a rank for a node and all below it.

use deployer_core::node::Node;

use crate::authority::{Person, Rank};

/// Names of nodes from below the root down: where in the tree something is. Cells are not part of it: what holds for
/// a node holds for all of its hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place(Vec<String>);

impl Place {
    /// Where a node is.
    pub fn of(node: &Node) -> Place {
        let mut names: Vec<String> = node.ancestry().map(|node| node.name().to_string()).collect();
        // The root is everywhere: its name says nothing.
        names.pop();
        names.reverse();
        Place(names)
    }

    /// `production.web`, as `--path` and limits write it.
    pub(crate) fn written(text: &str) -> Option<Place> {
        let names: Vec<String> = text.split('.').map(str::to_string).collect();
        names.iter().all(|name| !name.is_empty()).then_some(Place(names))
    }

    /// From the printed path of a node, root first, cells in brackets: `deploy.production.web[web1.example.org]`.
    pub(crate) fn printed(path: &str) -> Place {
        let mut names = vec![String::new()];
        let mut depth = 0_u32;
        for c in path.chars() {
            match (c, depth) {
                ('[', _) => depth += 1,
                (']', 1..) => depth -= 1,
                ('.', 0) => names.push(String::new()),
                (c, 0) => names.last_mut().into_iter().for_each(|name| name.push(c)),
                _ => {}
            }
        }
        names.remove(0);
        Place(names)
    }

    fn is_within(&self, outer: &Place) -> bool {
        self.0.starts_with(&outer.0)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.join("."))
    }
}

/// One entry of `[[limits]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The node; everything below it too.
    pub node: Place,
    /// What is left there.
    pub rank: Rank,
    /// User ids that it binds.
    pub(super) users: Vec<u32>,
    /// Group ids that it binds. With no users and no groups named it binds everybody but admins.
    pub(super) groups: Vec<u32>,
    /// User ids that it does not bind whatever else holds.
    pub(super) except_users: Vec<u32>,
    /// The same for group ids.
    pub(super) except_groups: Vec<u32>,
    /// Where the file has it, from 1.
    pub line: usize,
}

impl Limit {
    /// Whether somebody who has `rank` elsewhere has less here.
    pub(super) fn binds(&self, person: &Person, rank: Rank, place: &Place) -> bool {
        let among = |users: &[u32], groups: &[u32]| {
            users.contains(&person.uid) || person.groups.iter().any(|gid| groups.contains(gid))
        };
        if !self.covers(place) || among(&self.except_users, &self.except_groups) {
            return false;
        }
        match self.users.is_empty() && self.groups.is_empty() {
            true => rank < Rank::Admin,
            false => among(&self.users, &self.groups),
        }
    }

    /// Whether it is about this place.
    pub(super) fn covers(&self, place: &Place) -> bool {
        place.is_within(&self.node)
    }

    /// Why there is no such node in this tree.
    pub(super) fn missing(&self, root: &Node) -> Option<String> {
        let mut node = root.clone();
        for name in &self.node.0 {
            node = match node.child(name) {
                Ok(child) => child,
                Err(error) => return Some(format!("the limit is about {}, which is not there: {error}", self.node)),
            };
        }
        None
    }
}
