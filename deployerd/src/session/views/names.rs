//! Many host names in few columns: `web[1-3,7], db`.

use std::fmt::Write;

/// The names with their numbers folded, in the order of the first of each kind.
pub(super) fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut kinds: Vec<(&str, Vec<&str>, &str)> = Vec::new();
    for name in names {
        let (before, number, after) = parts(name);
        match kinds.iter_mut().find(|kind| (kind.0, kind.2) == (before, after) && !number.is_empty()) {
            Some(kind) if !kind.1.is_empty() => kind.1.push(number),
            _ => kinds.push((before, if number.is_empty() { Vec::new() } else { vec![number] }, after)),
        }
    }
    let shown = |(before, numbers, after): &(&str, Vec<&str>, &str)| match numbers.as_slice() {
        [] => format!("{before}{after}"),
        [one] => format!("{before}{one}{after}"),
        many => format!("{before}[{}]{after}", ranges(many)),
    };
    kinds.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// Text, the last number, text.
fn parts(name: &str) -> (&str, &str, &str) {
    let end = name.rfind(|c: char| c.is_ascii_digit()).map_or(0, |at| at + 1);
    let start = name[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + name[at..].chars().next().map_or(1, char::len_utf8));
    match end {
        0 => (name, "", ""),
        _ => (&name[..start], &name[start..end], &name[end..]),
    }
}

fn ranges(numbers: &[&str]) -> String {
    let mut out = String::new();
    let mut rest = numbers;
    while let [first, ..] = rest {
        let run = rest.windows(2).take_while(|pair| follows(pair[0], pair[1])).count();
        let comma = if out.is_empty() { "" } else { "," };
        // Writing to text cannot fail.
        let _always = match run {
            0 => write!(out, "{comma}{first}"),
            _ => write!(out, "{comma}{first}-{}", rest[run]),
        };
        rest = &rest[run + 1..];
    }
    out
}

/// Whether `b` is the number after `a`, written with as many digits where there are leading zeros.
fn follows(a: &str, b: &str) -> bool {
    let padded = a.starts_with('0') || b.starts_with('0');
    let (Ok(low), Ok(high)) = (a.parse::<u64>(), b.parse::<u64>()) else { return false };
    low.checked_add(1) == Some(high) && (!padded || a.len() == b.len())
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn numbers_are_folded_and_nothing_else() {
        for (names, folded) in [
            ("web1", "web1"),
            ("web1 web2 web3", "web[1-3]"),
            ("web1 web2 db web3 web9", "web[1-3,9], db"),
            ("web08 web09 web10", "web[08-10]"),
            ("web9 web10", "web[9-10]"),
            ("web09 web10 web011", "web[09-10,011]"),
            ("a1.x a2.x a3.y", "a[1-2].x, a3.y"),
            ("dc1-web1 dc1-web2 dc2-web1", "dc1-web[1-2], dc2-web1"),
            ("a b a1", "a, b, a1"),
            ("é1é é2é", "é[1-2]é"),
            ("99999999999999999999999 1", "[99999999999999999999999,1]"),
            ("web2 web1", "web[2,1]"),
        ] {
            assert_eq!(fold(names.split(' ')), folded);
        }
    }
}
