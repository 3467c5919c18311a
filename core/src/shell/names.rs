//! What can follow the name of a node on a command line, for the completion of shells like bash.

use super::place::{Place, cell_words};
use crate::node::{Member, Node};
use crate::terminal::style::is_unsafe;

/// Names below a node, in the order of their definition, private ones too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Child nodes.
    pub nodes: Vec<String>,
    /// Its cells, as `:slug`; none where there is nothing to choose from.
    pub cells: Vec<String>,
    /// Actions.
    pub actions: Vec<String>,
}

/// The names below the node that `path` leads to, one step each; `None` when it leads nowhere.
///
/// Names with control characters are left out: no command line can hold them.
pub fn names_below(root: &Node, path: &[String]) -> Option<Names> {
    let node = Place::new(root.clone()).resolve(path).ok()?;
    let mut names = Names { cells: cell_words(&node), ..Names::default() };
    for (name, member) in node.class().members() {
        match member {
            Member::Child(_) => names.nodes.push(name),
            Member::Action(_) => names.actions.push(name),
            _ => {}
        }
    }
    for list in [&mut names.nodes, &mut names.cells, &mut names.actions] {
        list.retain(|name| !name.chars().any(is_unsafe));
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::shell::test_tree::tree;

    fn below(path: &[&str]) -> Option<Names> {
        let path: Vec<String> = path.iter().map(|step| step.to_string()).collect();
        names_below(&tree(), &path)
    }

    #[test]
    fn nodes_cells_and_actions_of_the_place_the_path_leads_to() {
        let web = below(&["production", "web"]).unwrap();
        assert_eq!(
            (web.cells, web.actions),
            (vec![":w1".to_string(), ":w2".to_string()], vec!["checkout".to_string(), "answer".to_string()])
        );
        let root = below(&[]).unwrap();
        assert!(root.nodes.contains(&"production".to_string()) && root.cells.is_empty(), "{root:?}");
        assert!(below(&["production", "web", ":w1"]).unwrap().cells.is_empty());
        assert_eq!(below(&["production", "nowhere"]), None);
    }
}
