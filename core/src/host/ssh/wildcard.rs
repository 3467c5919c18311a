//! Patterns with `*` and `?`, as the SSH files use them.

/// Whether `text` matches `pattern`. Linear in practice and never exponential, whatever the pattern.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == b'?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

/// A list with a pattern longer than this matches nothing, as in OpenSSH.
const LONGEST: usize = 1022;

/// Whether a list of patterns, some negated with `!`, takes `text`: one positive match and no negated one.
pub(super) fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        if pattern.strip_prefix('!').unwrap_or(pattern).len() > LONGEST {
            return false;
        }
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("web1", "web1", true),
            ("web1", "web10", false),
            ("web?", "web1", true),
            ("web?", "web", false),
            ("*", "", true),
            ("*.example.org", "a.b.example.org", true),
            ("*.example.org", "example.org", false),
            ("10.0.*.1", "10.0.200.1", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b-d", false),
            ("", "", true),
            ("", "x", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_time() {
        assert!(!matches(&"*a".repeat(2000), &"a".repeat(1999)));
    }

    #[test]
    fn a_negated_pattern_wins_wherever_it_stands() {
        assert!(list_matches(["*.org", "!bad.org"], "good.org"));
        assert!(!list_matches(["*.org", "!bad.org"], "bad.org"));
        assert!(!list_matches(["!bad.org", "*.org"], "bad.org"));
        assert!(!list_matches(["!bad.org"], "good.org"));
    }
}
