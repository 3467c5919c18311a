//! Why the program ends without having done what was asked, and the exit status that says so.

use std::fmt;

/// One lower-case sentence with a remedy, and the exit status (the table is in the help of `deployer`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Exit status.
    pub status: u8,
    /// What went wrong and what to do about it.
    pub message: String,
}

/// One or more commands failed.
pub(crate) const FAILED: u8 = 1;
/// Wrong use, or a deployment file that cannot be used.
pub(crate) const USAGE: u8 = 2;
/// The daemon cannot be reached or talked to.
pub(crate) const DAEMON: u8 = 5;
/// Not permitted.
pub(crate) const FORBIDDEN: u8 = 6;

impl Failure {
    /// Wrong use or configuration: nothing was run.
    pub fn usage(message: impl Into<String>) -> Failure {
        Failure { status: USAGE, message: message.into() }
    }

    /// The daemon cannot be reached or talked to.
    pub fn daemon(message: impl Into<String>) -> Failure {
        Failure { status: DAEMON, message: message.into() }
    }

    /// Refused for who asks.
    pub fn forbidden(message: impl Into<String>) -> Failure {
        Failure { status: FORBIDDEN, message: message.into() }
    }

    /// Anything else that this machine refused.
    pub fn other(message: impl Into<String>) -> Failure {
        Failure { status: FAILED, message: message.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// Text from a peer, fit for the terminal: control characters (escape sequences among them) become `?`, and it is
/// cut at `max` characters.
pub(crate) fn printable(text: &str, max: usize) -> String {
    let mut out: String = text.chars().take(max).map(|c| if c.is_control() { '?' } else { c }).collect();
    if text.chars().nth(max).is_some() {
        out.push_str("...");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_a_peer_cannot_steer_the_terminal() {
        assert_eq!(printable("web\x1b]52;c;x\x07\u{9b}2J", 100), "web?]52;c;x??2J");
        assert_eq!(printable("abcdef", 3), "abc...");
        assert_eq!(printable("abc", 3), "abc");
    }
}
