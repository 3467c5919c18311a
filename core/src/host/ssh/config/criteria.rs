//! The criteria of a `Match` line.

use crate::host::ssh::wildcard;

/// What a `Match` line is compared with.
pub(super) struct Subject<'a> {
    /// The name as written.
    pub(super) original_host: &'a str,
    /// The name as far as the lines above have changed it.
    pub(super) host: &'a str,
    pub(super) user: &'a str,
    pub(super) local_user: &'a str,
}

/// Whether a line matches.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Decided(bool),
    /// Only ssh itself can tell, and this is why.
    Undecided(String),
}

impl Subject<'_> {
    /// Whether all criteria of a line are met.
    ///
    /// # Errors
    /// A line that makes no sense.
    pub(super) fn meets(&self, criteria: &[String]) -> Result<Verdict, String> {
        if criteria.is_empty() {
            return Err("Match without criteria".into());
        }
        let mut words = criteria.iter();
        let (mut all, mut unknown, mut alone) = (true, None, false);
        let mut second_pass = false;
        let mut others = 0;
        while let Some(word) = words.next() {
            let (negated, word) = word.strip_prefix('!').map_or((false, word.as_str()), |word| (true, word));
            let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let name = name.to_ascii_lowercase();
            let hit = match name.as_str() {
                "all" => {
                    alone = true;
                    true
                }
                // True only in a second pass, for which `final` or a canonical host name asks.
                "canonical" => false,
                "final" => {
                    second_pass = true;
                    false
                }
                _ => {
                    others += 1;
                    let Some(argument) = attached.or_else(|| words.next().map(String::as_str)) else {
                        return Err(format!("Match {name} without a pattern"));
                    };
                    let Some(subject) = self.subject(&name) else {
                        unknown.get_or_insert(name);
                        continue;
                    };
                    wildcard::list_matches(argument.split(','), subject)
                }
            };
            all &= hit != negated;
        }
        if alone && others > 0 {
            return Err("Match all stands alone, other criteria would change nothing".into());
        }
        Ok(match unknown {
            _ if second_pass => Verdict::Undecided("Match final".into()),
            Some(name) if all => Verdict::Undecided(format!("Match {name}")),
            _ => Verdict::Decided(all),
        })
    }

    fn subject(&self, criterion: &str) -> Option<&str> {
        match criterion {
            "originalhost" => Some(self.original_host),
            "host" => Some(self.host),
            "user" => Some(self.user),
            "localuser" => Some(self.local_user),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(line: &str) -> Result<Verdict, String> {
        let subject = Subject { original_host: "web1", host: "10.0.0.1", user: "deploy", local_user: "anna" };
        subject.meets(&line.split(' ').map(str::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn ssh_is_asked_only_when_it_makes_a_difference() {
        use Verdict::{Decided, Undecided};
        for (line, expected) in [
            ("exec true", Undecided("Match exec".into())),
            ("host web2 exec true", Decided(false)),
            ("exec true host web2", Decided(false)),
            ("host 10.* exec true", Undecided("Match exec".into())),
            ("localnetwork 10.0.0.0/8", Undecided("Match localnetwork".into())),
            ("canonical", Decided(false)),
            ("canonical all", Decided(false)),
            ("!canonical host 10.*", Decided(true)),
            ("final host web2", Undecided("Match final".into())),
            ("tagged=x !user deploy", Decided(false)),
        ] {
            assert_eq!(judged(line), Ok(expected), "{line}");
        }
        assert!(judged("all host web1").unwrap_err().contains("stands alone"));
        assert!(judged("exec").unwrap_err().contains("without a pattern"));
    }
}
