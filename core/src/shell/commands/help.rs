//! `help`: commands, extensions, keys, how to run actions; or what one of them does.

use super::{Completes, Look, Reply, available, by_name};
use crate::node::{Action, Member, Node};
use crate::options::Definition;
use crate::shell::place::{Place, is_callable};
use crate::shell::state::State;
use crate::shell::target;
use crate::terminal::style::{Style, escaped, escaped_lines, folded, padded, width};

/// Widest column of names.
const NAME_COLUMNS: usize = 22;
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

const ACTIONS: &[(&str, &str)] = &[
    ("ACTION PARAMETER...", "run an action of this node"),
    ("NODE... ACTION PARAMETER...", "run an action of another node: web :web1 checkout main"),
    ("NODE... [--] PARAMETER...", "run the default action of a node"),
    ("'two words'", "words are quoted as in a shell"),
    (". ACTION", "an action that is named as a command"),
];

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    let text = match words {
        [] => overview(state, look),
        [name] if by_name(state, name).is_some() || state.extension(name).is_some() => one_command(state, name, look),
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
    let actions = ACTIONS.iter().map(|(usage, what)| (usage.to_string(), what.to_string())).collect();
    let mut text = String::new();
    for (heading, rows) in
        [("commands", commands), ("of this session", extensions), ("keys", keys), ("actions", actions)]
    {
        if !rows.is_empty() {
            text.push_str(&table(heading, &rows, look));
        }
    }
    text
}

/// Names on the left, what they are on the right, folded between words; a name that is too wide gets a line of its own.
fn table(heading: &str, rows: &[(String, String)], look: &Look) -> String {
    let mut text = Style::Bold.paint(look.colour, &format!("{heading}:")) + "\n";
    let left = 2 + (look.columns / 3).clamp(4, NAME_COLUMNS) + 1;
    let right = look.columns.saturating_sub(left + 1).max(10);
    for (name, summary) in rows {
        let name = format!("  {}", escaped(name.trim_end()));
        let mut before = if width(&name) < left { name } else { folded(&name, look.columns).join("\n") + "\n" };
        for line in folded(&escaped(summary), right) {
            let line = if before.ends_with('\n') {
                format!("{before}{}{line}", " ".repeat(left))
            } else {
                format!("{}{line}", padded(&before, left))
            };
            text.push_str(line.trim_end());
            text.push('\n');
            before.clear();
        }
    }
    text
}

fn one_command(state: &State, name: &str, look: &Look) -> String {
    if let Some(command) = by_name(state, name) {
        let usage = format!("{} {}", command.name, command.usage);
        let mut text = format!("{}\n{}", usage.trim_end(), indented(command.summary, look));
        if command.completes == Completes::Options {
            let about = |option: &Definition| {
                (option.name.to_string(), format!("{}; {}", option.summary, option.kind.alternatives()))
            };
            text.push_str(&table("options", &state.options.definitions().map(about).collect::<Vec<_>>(), look));
        }
        return text;
    }
    let summary = state.extension(name).map(|extension| extension.summary().to_string()).unwrap_or_default();
    format!("{name}\n{}", indented(&escaped(&summary), look))
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
    text.push_str(&documentation(node.class().doc().as_deref(), look));
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
    text.push_str(&documentation(action.doc.as_deref(), look));
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

fn documentation(doc: Option<&str>, look: &Look) -> String {
    let lines = escaped_lines(doc.unwrap_or("(not documented)"), DOC_LINES);
    lines.iter().map(|line| indented(line, look)).collect()
}

/// On as many lines as it takes.
fn indented(text: &str, look: &Look) -> String {
    folded(&format!("  {text}"), look.columns.saturating_sub(1)).iter().map(|line| format!("{line}\n")).collect()
}

fn position(position: Option<&crate::node::Position>) -> String {
    position.map(|position| format!("  Defined in {}.\n", escaped(&position.to_string()))).unwrap_or_default()
}
