//! `find` (row N-11).

use super::{Look, Reply, all_flag};
use crate::node::{DEFAULT_ACTION, Member, Node};
use crate::shell::place::is_private;
use crate::shell::state::{State, group_style};
use crate::terminal::style::escaped;
use crate::text::shell_word;

/// Most lines of one answer; a tree that is larger says so.
const LINES_MAX: usize = 20_000;

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    let (all, path) = all_flag(words);
    let node = state.place().resolve(path)?;
    let mut search = Search { all, colour: look.colour, lines: Vec::new() };
    search.below(&node, &mut Vec::new());
    let mut text = search.lines.concat();
    if search.lines.len() >= LINES_MAX {
        text.push_str(&format!("... only the first {LINES_MAX} actions are listed: name a node further down\n"));
    } else if text.is_empty() {
        text = format!("no actions in {node} and below\n");
    }
    Ok(Reply::Text(text))
}

struct Search {
    all: bool,
    colour: bool,
    lines: Vec<String>,
}

impl Search {
    /// Depth first, own actions before those of children. Every line can be typed as it stands, at that node.
    fn below(&mut self, node: &Node, path: &mut Vec<String>) {
        let mut members = node.class().members();
        members.retain(|(name, _)| name != DEFAULT_ACTION || !path.is_empty());
        let all = self.all;
        // The default action is run by the path alone.
        let visible = |name: &str| all || !is_private(name) || name == DEFAULT_ACTION;
        for (name, _) in members.iter().filter(|(name, m)| matches!(m, Member::Action(_)) && visible(name)) {
            if self.lines.len() >= LINES_MAX {
                return;
            }
            let name = (name != DEFAULT_ACTION).then_some(name);
            let words: Vec<String> = path.iter().chain(name).map(|word| escaped(&shell_word(word))).collect();
            self.lines.push(group_style(node).paint(self.colour, &words.join(" ")) + "\n");
        }
        for (name, _) in members.iter().filter(|(name, m)| matches!(m, Member::Child(_)) && visible(name)) {
            // A child that cannot be placed has nothing to run; `check` reports it.
            if let Ok(child) = node.child(name) {
                path.push(name.clone());
                self.below(&child, path);
                path.pop();
            }
        }
    }
}
