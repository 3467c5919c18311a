//! `reload`: the deployment file once more, at the same place. Connections stay, they belong to the daemon.

use super::{Look, Reply, no_words};
use crate::node::Node;
use crate::shell::place::{Place, path_words};
use crate::shell::state::State;

pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    no_words("reload", words)?;
    Ok(Reply::Reload)
}

/// Moves a shell, and those it was called from, into a tree that was loaded again; what is to be said about it.
pub(crate) fn replace(state: &mut State, root: &Node, origin: &str) -> String {
    let old = state.root();
    let mut said = format!("loaded {origin} again\n");
    let innermost = state.places().count().saturating_sub(1);
    for (level, place) in state.places().enumerate() {
        if !place.node.top().same_place(&old) {
            // An action made this tree; the file knows nothing of it.
            said.push_str(&format!("the subshell at {} keeps the tree that it was opened with\n", place.node));
            continue;
        }
        let (node, lost) = counterpart(&place.node, root);
        if let Some(lost) = lost {
            let here = if level == innermost { "you are" } else { "the shell around this one is" };
            said.push_str(&format!("{} is gone ({lost}): {here} at {node}\n", place.node));
        }
        let previous = place.previous.take().map(|previous| counterpart(&previous, root));
        *place = Place { node, previous: previous.and_then(|(node, lost)| lost.is_none().then_some(node)) };
    }
    said
}

/// The node of the other tree that is reached in the same way, or the nearest above it and why.
fn counterpart(node: &Node, root: &Node) -> (Node, Option<String>) {
    let place = Place::new(root.clone());
    let mut found = root.clone();
    for word in path_words(node) {
        match place.step(&found, &word) {
            Some(Ok(next)) => found = next,
            Some(Err(why)) => return (found, Some(why)),
            None => {
                let why = format!("no node '{word}' in {found}");
                return (found, Some(why));
            }
        }
    }
    (found, None)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::options::Options;
    use crate::shell::test_tree::tree;
    use crate::shell::words::split;

    fn at(line: &str) -> Place {
        let place = Place::new(tree());
        let words: Vec<String> = split(line).unwrap().into_iter().map(|word| word.text).collect();
        let node = place.resolve(&words).unwrap();
        Place { previous: Some(place.node), node }
    }

    #[test]
    fn a_place_is_found_again_in_another_tree() {
        for line in ["", "production web", "production web :w2", "staging"] {
            let place = at(line);
            let (found, lost) = counterpart(&place.node, &tree());
            assert_eq!((found.to_string(), lost), (place.node.to_string(), None), "{line}");
            assert!(!found.class().is_a(place.node.class()), "another tree");
        }
    }

    #[test]
    fn what_is_gone_is_named_and_the_nearest_node_above_is_taken() {
        let smaller = at("production").node.class().clone();
        let root = crate::node::Class::node()
            .extend("R")
            .member("production", crate::node::Member::Child(smaller), None)
            .build()
            .unwrap();
        let root = Node::root(root).unwrap();
        let mut state = State::new(at("production web :w1").node, Vec::new(), Options::of_daemon());
        state.go(at("staging").node);
        assert_eq!(
            replace(&mut state, &root, "deploy.lua"),
            "loaded deploy.lua again\nR.staging is gone (no node 'staging' in R): you are at R\n"
        );
        assert_eq!(state.place().node.to_string(), "R");
        assert_eq!(state.place().previous.as_ref().unwrap().to_string(), "R.production.web[w1]");
    }

    #[test]
    fn subshells_are_moved_too_and_trees_of_actions_stay() {
        let mut state = State::new(at("production").node, Vec::new(), Options::of_daemon());
        let made = Node::root(crate::node::Class::node().extend("Made").build().unwrap()).unwrap();
        state.enter(made);
        let root = tree();
        assert_eq!(
            replace(&mut state, &root, "deploy.lua"),
            "loaded deploy.lua again\nthe subshell at Made keeps the tree that it was opened with\n"
        );
        assert_eq!(state.place().node.to_string(), "Made");
        assert!(state.leave());
        assert!(state.place().node.top().same_place(&root));
    }
}
