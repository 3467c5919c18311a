//! Why a step towards a host failed, before it is told about one particular host definition.

use std::io;
use std::time::Duration;

use super::account::Account;
use super::hops::by_hand;
use super::target::Target;
use crate::host::{ConnectError, HostError, NoAnswer};

/// A failed step. Several definitions may wait for one connection, so the host is named later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// Step and cause, lower-case.
    pub(super) reason: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
    /// What it means for others who wait for the same connection.
    pub(super) kind: FailureKind,
    /// The hop it happened at; `None`: at the host itself.
    pub(super) hop: Option<HopName>,
}

/// A host on the way to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HopName {
    /// Counted from 1, the nearest.
    number: usize,
    name: String,
}

/// What a failure means for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FailureKind {
    /// Everybody who waits gets it.
    Final,
    /// The person who was asked did not answer; somebody else might.
    Unanswered(NoAnswer),
}

impl Failure {
    pub(super) fn new(reason: impl Into<String>) -> Failure {
        Failure { reason: reason.into(), hint: None, kind: FailureKind::Final, hop: None }
    }

    pub(super) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn unanswered(mut self, why: NoAnswer) -> Failure {
        self.kind = FailureKind::Unanswered(why);
        self
    }

    /// It happened at this hop, or at one before it, which then is named already.
    pub(super) fn at(mut self, hop: &Target) -> Failure {
        self.hop.get_or_insert_with(|| HopName { number: hop.route.hops() + 1, name: hop.to_string() });
        self
    }

    /// A step that got no answer in time.
    pub(super) fn late(step: &str, limit: Duration) -> Failure {
        Failure::new(format!("{step}: no answer within {}", seconds(limit)))
    }

    /// The failure as the user of one host sees it.
    pub(super) fn on(&self, slug: &str, target: &Target) -> HostError {
        HostError::Connect(ConnectError {
            host: slug.to_string(),
            address: target.address.clone(),
            port: target.port,
            user: target.user.clone(),
            reason: match &self.hop {
                Some(hop) => format!("hop {} of {}, {}: {}", hop.number, target.route.hops(), hop.name, self.reason),
                None => self.reason.clone(),
            },
            // Without a word of advice the logger shows a plain ssh command, which would go another way.
            hint: self.hint.clone().or_else(|| by_hand(target)),
        })
    }
}

/// A duration as people write it: `10 s`, `1.5 s`.
pub(super) fn seconds(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{} s", duration.as_secs())
    } else {
        format!("{:.1} s", duration.as_secs_f64())
    }
}

/// Why a file of this machine cannot be used. That a permission is missing is a riddle to whoever sees the file: a service
/// runs as somebody else, behind fences.
pub(super) fn explained(error: &io::Error) -> String {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error.to_string();
    }
    let Account { name, uid, .. } = Account::of_process();
    let user = name.unwrap_or_else(|| uid.to_string());
    format!(
        "permission denied: deployer runs as {user}, who must be able to reach it (a unit with ProtectHome=yes hides /home \
         and /root)"
    )
}

/// Text from a server, fit to be shown: no control characters but line ends, at most `limit` characters.
pub(super) fn printable(text: &str, limit: usize) -> String {
    let kept = text.chars().filter(|c| *c == '\n' || !c.is_control()).take(limit);
    kept.collect::<String>().trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_a_server_cannot_steer_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\r\nc\u{9b}d\n", 100), "a[2Jb\ncd");
        assert_eq!(printable("abcdef", 3), "abc");
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_secs(10)), "10 s");
        assert_eq!(seconds(Duration::from_millis(1500)), "1.5 s");
    }
}
