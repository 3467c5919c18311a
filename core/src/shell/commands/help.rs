//! `help`: commands, extensions, keys, how to run actions; or what one of them does.

use super::{Look, Reply, available, by_name};
use crate::node::{Action, Member, Node};
use crate::shell::place::{Place, is_callable};
use crate::shell::state::State;
use crate::shell::target;
use crate::terminal::style::{Style, escaped, escaped_lines, padded};

/// Lines of documentation shown.
const DOC_LINES: usize = 200;

const KEYS: &[(&str, &str)] = &[
    ("Tab", "complete; twice: list what fits (* action, ~ extension)"),
    ("Up, Down", "earlier lines; Ctrl-R searches them"),
    ("Ctrl-A, Ctrl-E", "begin and end of the line; Alt-B, Alt-F by words"),
    ("Ctrl-W, Ctrl-U, Ctrl-K", "delete a word, to the begin, to the end; Ctrl-Y puts it back"),
    ("Ctrl-C", "drop the line; interrupt what runs, a second time: ask what to do"),
    ("Ctrl-D", "leave"),
];

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    let text = match words {
        [] => overview(state, look),
        [name] if by_name(state, name).is_some() || state.extension(name).is_some() => one_command(state, name),
        words => topic(state.place(), words, look)?,
    };
    Ok(Reply::Text(text))
}

fn overview(state: &State, look: &Look) -> String {
    let commands: Vec<(String, String)> = available(state)
        .map(|command| (format!("{} {}", command.name, command.usage), command.summary.to_string()))
        .collect();
    let extensions: Vec<(String, String)> =
        state.extensions.iter().map(|e| (e.name().to_string(), e.summary().to_string())).collect();
    let mut keys: Vec<(String, String)> = KEYS.iter().map(|(key, what)| (key.to_string(), what.to_string())).collect();
    if state.extension("detach").is_some() {
        keys.push(("Ctrl-\\".to_string(), "detach; the session and what it runs go on".to_string()));
    }
    let mut text = String::new();
    for (heading, rows) in [("commands", commands), ("of this session", extensions), ("keys", keys)] {
        if !rows.is_empty() {
            text.push_str(&table(heading, &rows, look));
        }
    }
    text.push_str(&Style::Bold.paint(look.colour, "actions:"));
    text.push_str(
        "
  ACTION PARAMETER...         run an action of this node
  NODE... ACTION PARAMETER... run an action of another node: web :web1 checkout main
  NODE... [--] PARAMETER...   run the default action of a node
  Words are quoted as in a shell: 'two words'. An action named as a command: . ACTION
",
    );
    text
}

fn table(heading: &str, rows: &[(String, String)], look: &Look) -> String {
    let mut text = Style::Bold.paint(look.colour, &format!("{heading}:")) + "\n";
    for (name, summary) in rows {
        text.push_str(&format!("  {} {}\n", padded(&escaped(name.trim_end()), 27), escaped(summary)));
    }
    text
}

fn one_command(state: &State, name: &str) -> String {
    if let Some(command) = by_name(state, name) {
        return format!("{} {}\n  {}\n", command.name, command.usage, command.summary);
    }
    let summary = state.extension(name).map(|extension| extension.summary().to_string()).unwrap_or_default();
    format!("{name}\n  {}\n", escaped(&summary))
}

/// What a node or action is for.
fn topic(place: &Place, words: &[String], look: &Look) -> Result<String, String> {
    if let Ok(node) = place.resolve(words) {
        return Ok(node_help(&node, look));
    }
    let target = target::find(place, words)?;
    Ok(action_help(&target.node, &target.name, &target.action, look))
}

fn node_help(node: &Node, look: &Look) -> String {
    let mut text = Style::Bold.paint(look.colour, &node.to_string()) + "\n";
    text.push_str(&documentation(node.class().doc().as_deref()));
    if is_callable(node) {
        text.push_str("  Has a default action: its path alone runs it.\n");
    }
    text.push_str(&position(node.class().position()));
    text
}

fn action_help(node: &Node, name: &str, action: &Action, look: &Look) -> String {
    let parameters = match action.body.parameters() {
        Some(parameters) => parameters.iter().map(|parameter| format!(" {parameter}")).collect(),
        None => " [PARAMETER...]".to_string(),
    };
    let mut text = Style::Bold.paint(look.colour, &escaped(&format!("{node}.{name}{parameters}"))) + "\n";
    text.push_str(&documentation(action.doc.as_deref()));
    let is_alias = |(other, member): &(String, Member)| {
        other != name && matches!(member, Member::Action(known) if std::sync::Arc::ptr_eq(&known.body, &action.body))
    };
    let others: Vec<String> = node.class().members().into_iter().filter(is_alias).map(|(name, _)| name).collect();
    if !others.is_empty() {
        text.push_str(&format!("  Also called {}.\n", escaped(&others.join(", "))));
    }
    text.push_str(&position(action.position.as_ref()));
    text
}

fn documentation(doc: Option<&str>) -> String {
    let lines = escaped_lines(doc.unwrap_or("(not documented)"), DOC_LINES);
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn position(position: Option<&crate::node::Position>) -> String {
    position.map(|position| format!("  Defined in {}.\n", escaped(&position.to_string()))).unwrap_or_default()
}
