//! "Did you mean ...?" for names that do not exist.

/// Names further apart than this are not alike.
const DISTANCE_MAX: usize = 2;

/// Most names that are listed when none is alike.
const LISTED_MAX: usize = 30;

/// The end of a message about an unknown name: the nearest name, else the names there are.
pub(crate) fn suggest<'a>(unknown: &str, names: impl Iterator<Item = &'a str> + Clone) -> String {
    if let Some(near) = nearest(unknown, names.clone()) {
        return format!("; did you mean '{near}'?");
    }
    let mut listed: Vec<&str> = names.filter(|name| !name.starts_with("__")).collect();
    if listed.is_empty() {
        return String::new();
    }
    let more = if listed.len() > LISTED_MAX { ", ..." } else { "" };
    listed.truncate(LISTED_MAX);
    format!("; there is: {}{more}", listed.join(", "))
}

/// The most similar name, when one is similar at all.
pub(super) fn nearest<'a>(unknown: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let limit = DISTANCE_MAX.min(unknown.chars().count() / 2);
    let near = names.map(|name| (distance(&unknown.to_lowercase(), &name.to_lowercase()), name)).min()?;
    (near.0 <= limit).then_some(near.1)
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested() {
        let names = ["Node", "ParallelNode", "SSHHost"];
        assert_eq!(nearest("Nod", names.into_iter()), Some("Node"));
        assert_eq!(nearest("sshost", names.into_iter()), Some("SSHHost"));
        assert_eq!(nearest("Xyz", names.into_iter()), None);
        assert_eq!(suggest("Xyz", names.into_iter()), "; there is: Node, ParallelNode, SSHHost");
    }
}
