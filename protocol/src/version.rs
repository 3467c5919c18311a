//! Who speaks which version.

use serde::{Deserialize, Serialize};

/// Version of the protocol. Peers with the same major number understand each other; the older minor decides what is
/// used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// Changes when old peers can no longer be served.
    pub major: u16,
    /// Changes when messages are added.
    pub minor: u16,
}

/// The version this crate speaks. 1.1 knows the messages from number 11 on.
pub const VERSION: Version = Version { major: 1, minor: 1 };

/// First message in both directions. Its encoding never changes, so that any two versions can say why they do not
/// understand each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// What the sender speaks.
    pub version: Version,
    /// Name and version of the program, for messages to people: `deployer 0.1.0`. At most 200 bytes are shown.
    pub software: String,
}

impl Version {
    /// Whether peers of these versions can talk.
    pub fn understands(self, other: Version) -> bool {
        self.major == other.major
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
