//! Lists of algorithms as the SSH configuration writes them.

use crate::host::ssh::failure::Failure;
use crate::host::ssh::wildcard;

/// What a list chooses.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::host::ssh) struct Chosen {
    pub(in crate::host::ssh) names: Vec<String>,
    /// Names that stand for nothing we have.
    pub(in crate::host::ssh) missing: Vec<String>,
}

/// Applies `wish` to the defaults; `all` is what we have.
///
/// # Errors
/// A list with an empty or impossible name, or one that leaves nothing.
pub(in crate::host::ssh) fn apply(
    keyword: &str,
    wish: &str,
    defaults: &[String],
    all: &[String],
) -> Result<Chosen, Failure> {
    let (sign, list) = match wish.chars().next() {
        Some(sign @ ('+' | '-' | '^')) => (Some(sign), &wish[1..]),
        _ => (None, wish),
    };
    let patterns: Vec<&str> = list.split(',').collect();
    let is_name = |name: &str| !name.is_empty() && name.len() <= 64 && name.chars().all(|c| c.is_ascii_graphic());
    if let Some(odd) = patterns.iter().find(|name| !is_name(name)) {
        return Err(Failure::new(format!("the ssh configuration says {keyword} {wish}: {odd:?} is no algorithm"))
            .hint(format!("what there is: {}", all.join(","))));
    }
    let mut meant: Vec<String> = Vec::new();
    let mut missing = Vec::new();
    for pattern in &patterns {
        let found: Vec<&String> = all.iter().filter(|name| wildcard::matches(pattern, name)).collect();
        if found.is_empty() {
            missing.push(pattern.to_string());
        }
        for name in found {
            if !meant.contains(name) {
                meant.push(name.clone());
            }
        }
    }
    let names = match sign {
        None => meant,
        Some('-') => {
            // What is taken away may be missing without anybody missing it.
            missing.clear();
            defaults.iter().filter(|name| !meant.contains(name)).cloned().collect()
        }
        Some('^') => joined(meant, defaults),
        Some(_) => joined(defaults.to_vec(), &meant),
    };
    if names.is_empty() {
        return Err(Failure::new(format!("the ssh configuration says {keyword} {wish}: that leaves nothing to offer"))
            .hint(format!("what there is: {}", all.join(","))));
    }
    Ok(Chosen { names, missing })
}

fn joined(mut first: Vec<String>, second: &[String]) -> Vec<String> {
    for name in second {
        if !first.contains(name) {
            first.push(name.clone());
        }
    }
    first
}
