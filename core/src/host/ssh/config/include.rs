//! `Include`: files by name or wildcard.

use std::path::{Path, PathBuf};

/// Existing files a pattern stands for, in name order. A pattern without wildcards that names nothing is nothing, as
/// in OpenSSH.
pub(super) fn expand(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let part = component.as_os_str();
        let text = part.to_string_lossy();
        if text.contains(['*', '?', '[']) {
            found = found.iter().flat_map(|directory| children(directory, &text)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(part));
        }
    }
    found.retain(|path| path.is_file());
    found
}

fn children(directory: &Path, pattern: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let hidden = pattern.starts_with('.');
    let pattern = elements(pattern);
    let mut names: Vec<_> = entries
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| {
            let name = name.to_string_lossy();
            (hidden || !name.starts_with('.')) && matches(&pattern, &name)
        })
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// One piece of a pattern as `glob` knows them.
#[derive(Debug, PartialEq)]
enum Element {
    Any,
    Star,
    One(char),
    /// `[a-z_]`, or `[!a-z_]` when it is negated.
    Set(bool, Vec<(char, char)>),
}

impl Element {
    fn takes(&self, c: char) -> bool {
        match self {
            Element::Any | Element::Star => true,
            Element::One(one) => *one == c,
            Element::Set(negated, ranges) => ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)) != *negated,
        }
    }
}

fn elements(pattern: &str) -> Vec<Element> {
    let mut elements = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        elements.push(match c {
            '*' => Element::Star,
            '?' => Element::Any,
            '[' => match set(rest) {
                Some((set, behind)) => {
                    rest = behind;
                    set
                }
                // A bracket that is not closed is one.
                None => Element::One('['),
            },
            other => Element::One(other),
        });
    }
    elements
}

/// What follows an opening bracket, and what is behind the closing one.
fn set(text: &str) -> Option<(Element, &str)> {
    let (negated, body) = match text.strip_prefix(['!', '^']) {
        Some(body) => (true, body),
        None => (false, text),
    };
    // A closing bracket at the very beginning belongs to the set.
    let first = body.chars().next()?.len_utf8();
    let end = first + body[first..].find(']')?;
    let mut ranges = Vec::new();
    let mut characters = body[..end].chars().peekable();
    while let Some(from) = characters.next() {
        let mut ahead = characters.clone();
        match (ahead.next(), ahead.next()) {
            (Some('-'), Some(to)) => {
                ranges.push((from, to));
                characters = ahead;
            }
            _ => ranges.push((from, from)),
        }
    }
    Some((Element::Set(negated, ranges), &body[end + 1..]))
}

/// Never exponential, whatever the pattern.
fn matches(pattern: &[Element], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some(Element::Star) => {
                star = Some((p, n));
                p += 1;
            }
            Some(element) if element.takes(name[n]) => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
        }
    }
    pattern[p..].iter().all(|element| *element == Element::Star)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_as_glob_knows_them() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.con", false),
            ("?0.conf", "10.conf", true),
            ("[ab].conf", "b.conf", true),
            ("[ab].conf", "c.conf", false),
            ("[0-9][!0-9]*", "1x", true),
            ("[0-9][!0-9]*", "12", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("a[b", "a[b", true),
            ("*é?", "caféx", true),
        ] {
            assert_eq!(matches(&elements(pattern), name), expected, "{pattern} {name}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in "[*?a\\[\\]!é-]{0,20}", name in "[a\\[\\]é-]{0,20}") {
            let _either = matches(&elements(&pattern), &name);
        }
    }
}
