//! Where a shell stands, and what words lead from there (rows N-02..N-08).

use crate::node::{CellKey, DEFAULT_ACTION, Member, Node};

/// A node, and the one before it for `-`.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) node: Node,
    pub(crate) previous: Option<Node>,
}

impl Place {
    pub(crate) fn new(node: Node) -> Place {
        Place { node, previous: None }
    }

    /// A move; staying counts too (row N-04).
    pub(crate) fn go(&mut self, node: Node) {
        self.previous = Some(std::mem::replace(&mut self.node, node));
    }

    /// Where a word leads from `node`; `None` when it is no word of a path.
    ///
    /// # Errors
    /// When it is one and leads nowhere.
    pub(crate) fn step(&self, node: &Node, word: &str) -> Option<Result<Node, String>> {
        Some(match word {
            "." => Ok(node.clone()),
            // At the root both stay there (design 8 for row N-05).
            ".." => Ok(node.parent().unwrap_or_else(|| node.clone())),
            "/" => Ok(node.top()),
            "-" => self.previous.clone().ok_or_else(|| "'-': there was no node before this one yet".to_string()),
            _ => match word.strip_prefix(':') {
                Some(cell) => isolate(node, cell),
                None => match node.class().member(word) {
                    Some(Member::Child(_)) => node.child(word).map_err(|error| error.to_string()),
                    _ => return None,
                },
            },
        })
    }

    /// The node that a whole path leads to.
    ///
    /// # Errors
    /// Names the first word that leads nowhere, and what there is instead.
    pub(crate) fn resolve(&self, words: &[String]) -> Result<Node, String> {
        let mut node = self.node.clone();
        for word in words {
            node = self.step(&node, word).unwrap_or_else(|| Err(unknown_node(&node, word)))?;
        }
        Ok(node)
    }
}

/// `web1`, `web1:db2` over several dimensions, or numbers from 0; slugs win (row N-06).
fn isolate(node: &Node, cell: &str) -> Result<Node, String> {
    let by_slug = node.isolate(&CellKey::Slug(cell.to_string()));
    let error = match by_slug {
        Ok(node) => return Ok(node),
        Err(error) => error,
    };
    let parts: Vec<&str> = cell.split(':').collect();
    let slugs = parts.iter().map(|part| CellKey::Slug(part.to_string())).collect();
    let index = |part: &&str| part.parse().map_or_else(|_| CellKey::Slug(part.to_string()), CellKey::Index);
    let indices = parts.iter().map(index).collect();
    node.isolate(&CellKey::Tuple(slugs))
        .or_else(|_| node.isolate(&CellKey::Tuple(indices)))
        .map_err(|_| format!("':{cell}': {error}"))
}

/// The words that lead from the root to a node, cells by slug: what `--path` and `cd` take.
pub fn path_words(node: &Node) -> Vec<String> {
    let mut words = Vec::new();
    let mut ancestry: Vec<&Node> = node.ancestry().collect();
    ancestry.reverse();
    let mut dimensions = 0;
    for (depth, node) in ancestry.into_iter().enumerate() {
        if depth > 0 {
            words.push(node.name().to_string());
        }
        let cells = node.dimensions();
        // Cells of arrays further up are chosen there.
        if cells.len() > dimensions {
            dimensions = cells.len();
            words.extend(cells.last().map(|cell| format!(":{}", cell.host.slug())));
        }
    }
    words
}

/// The slugs that address the cells of a node, one word each; empty when it has no cells to choose from.
pub(crate) fn cell_words(node: &Node) -> Vec<String> {
    if !node.forks() {
        return Vec::new();
    }
    node.cells().iter().map(|cell| format!(":{}", cell.cell_label().replace('/', ":"))).collect()
}

/// Whether a member is left out of lists and completion unless it is asked for (rows N-47, W-59).
pub(crate) fn is_private(name: &str) -> bool {
    name.starts_with('_')
}

/// Whether calling the node itself runs something (row A-23).
pub(crate) fn is_callable(node: &Node) -> bool {
    matches!(node.class().member(DEFAULT_ACTION), Some(Member::Action(_)))
}

fn unknown_node(node: &Node, word: &str) -> String {
    match node.class().member(word) {
        Some(Member::Action(_)) => format!("'{word}' is an action of {node}, not a node"),
        Some(_) => format!("'{word}' is a value of {node}, not a node"),
        None => {
            let children: Vec<String> = node.class().children().into_iter().map(|(name, _)| name).collect();
            let names = children.iter().map(String::as_str);
            format!("no node '{word}' in {node}{}", suggestion(word, names))
        }
    }
}

/// ` (did you mean 'a' or 'b'?)`, or nothing.
pub(crate) fn suggestion<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = near(word, names);
    if near.is_empty() { String::new() } else { format!(" (did you mean {}?)", near.join(" or ")) }
}

/// Up to three names that may have been meant, quoted, the nearest first.
pub(crate) fn near<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let allowed = match word.chars().count() {
        0..=1 => 0,
        2..=4 => 1,
        _ => 2,
    };
    let mut found: Vec<(usize, &str)> = names.map(|name| (distance(word, name), name)).collect();
    found.retain(|(distance, name)| *distance <= allowed && *name != word);
    found.sort_by_key(|(distance, _)| *distance);
    found.dedup_by_key(|(_, name)| *name);
    found.into_iter().take(3).map(|(_, name)| format!("'{name}'")).collect()
}

/// How many characters to change, add, drop or swap with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut now = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let change = last[j] + usize::from(x != y);
            let mut best = change.min(last[j + 1] + 1).min(now[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                best = best.min(before[j - 1] + 1);
            }
            now.push(best);
        }
        before = std::mem::replace(&mut last, now);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_matches() {
        let names = ["checkout", "check", "restart", "start"];
        assert_eq!(near("chekcout", names.into_iter()), ["'checkout'"]);
        assert_eq!(near("statr", names.into_iter()), ["'start'"]);
        assert_eq!(near("zzz", names.into_iter()), Vec::<String>::new());
        assert_eq!(suggestion("sart", names.into_iter()), " (did you mean 'start'?)");
    }
}
