//! What a person may do in a daemon.

use serde::Deserialize;

/// In rising order; each may do what those before it may.
///
/// Not called role: a role is a list of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Looks: lists and watches sessions, walks the tree, runs nothing.
    Viewer,
    /// Runs actions, in sessions of its own and those shared with it.
    Operator,
    /// Types in every session, ends it, gives it away.
    Admin,
}

impl Rank {
    /// All, in rising order.
    pub const ALL: [Rank; 3] = [Rank::Viewer, Rank::Operator, Rank::Admin];

    /// The word that the policy file and the journal have for it.
    pub fn word(self) -> &'static str {
        match self {
            Rank::Viewer => "viewer",
            Rank::Operator => "operator",
            Rank::Admin => "admin",
        }
    }
}

impl std::fmt::Display for Rank {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}
