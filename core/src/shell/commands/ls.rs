//! `ls` (rows N-09, W-59; definition order, design 8).

use super::{Look, Reply, all_flag};
use crate::node::{DEFAULT_ACTION, Member, Node};
use crate::shell::editor::{Candidate, columns};
use crate::shell::place::{cell_words, is_private};
use crate::shell::state::{State, group_style};
use crate::terminal::style::Style;

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    let (all, path) = all_flag(words);
    let node = state.place().resolve(path)?;
    let shown = |name: &str| all || !is_private(name);
    let mut nodes = Vec::new();
    let mut actions = Vec::new();
    for (name, member) in node.class().members() {
        match member {
            Member::Child(_) if shown(&name) => nodes.push(item(&name, child_style(&node, &name))),
            Member::Action(_) if shown(&name) && name != DEFAULT_ACTION => {
                actions.push(item(&name, group_style(&node)))
            }
            _ => {}
        }
    }
    let cells: Vec<Candidate> = cell_words(&node).iter().map(|cell| item(cell, group_style(&node))).collect();
    let mut text = String::new();
    for (heading, items) in [("cells", cells), ("nodes", nodes), ("actions", actions)] {
        if !items.is_empty() {
            let listed = columns(&items, look.columns.saturating_sub(2), look.colour);
            let listed: String = listed.lines().map(|line| format!("  {line}\n")).collect();
            text.push_str(&format!("{}\n{listed}", Style::Bold.paint(look.colour, &format!("{heading}:"))));
        }
    }
    if text.is_empty() {
        text = format!("{node} has neither nodes nor actions\n");
    }
    Ok(Reply::Text(text))
}

fn item(name: &str, style: Style) -> Candidate {
    Candidate { text: name.to_string(), shown: name.to_string(), mark: "", style }
}

fn child_style(node: &Node, name: &str) -> Style {
    node.child(name).map_or(Style::Plain, |child| group_style(&child))
}
