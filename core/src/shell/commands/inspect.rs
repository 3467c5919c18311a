//! `--inspect`: what a node is, or one thing of it (rows N-27 to N-30).

use super::special::{Special, brought};
use super::{Look, Reply};
use crate::env::{ActionError, Env};
use crate::inspect::{Entry, EntryKind, Inspector, Scope};
use crate::node::{Action, Class, Member, Node, Position};
use crate::shell::editor::{Candidate, columns};
use crate::shell::place::{Place, suggestion};
use crate::shell::state::{State, group_style};
use crate::shell::target::Target;
use crate::terminal::style::{Style, cut, escaped, escaped_lines, folded};
use crate::value::Value;

/// Columns in front of what is told.
const LEFT: usize = 10;
/// Lines of documentation and of a value.
const LINES: usize = 200;
/// Longest line of a value, columns.
const VALUE_COLUMNS: usize = 400;

/// What the words name.
enum Subject {
    Node(Node),
    Member(Entry<Node>),
}

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    match find(state.place(), words)? {
        Subject::Node(node) => Ok(Reply::Text(of_node(&node, look))),
        Subject::Member(entry) if evaluates(&entry) => Ok(Reply::Special(Special::Inspect, words.to_vec())),
        Subject::Member(entry) => Ok(Reply::Text(of_member(&entry, look))),
    }
}

/// Whether something has to be evaluated to tell all of it.
fn evaluates(entry: &Entry<Node>) -> bool {
    matches!(entry.kind(), EntryKind::Property | EntryKind::Query) && !entry.is_required()
}

/// What tells the value of a query or property, in one cell; nothing runs on hosts.
///
/// # Errors
/// When the words name no such thing.
pub(super) fn target(place: &Place, words: &[String]) -> Result<Target, String> {
    let entry = match find(place, words)? {
        Subject::Member(entry) if evaluates(&entry) => entry,
        Subject::Member(entry) => return Err(format!("'{}' has nothing to evaluate", entry.name())),
        Subject::Node(node) => return Err(format!("{node} is a node: it has nothing to evaluate")),
    };
    let node = entry.owner().clone();
    let action = Action::from_fn(move |env, _| {
        let entry = entry.clone();
        async move { told(&env, &entry).await }
    });
    Ok(brought(node, "--inspect", action.isolate_one_only()))
}

async fn told(env: &Env, entry: &Entry<Node>) -> Result<Value, ActionError> {
    let terminal = &env.context().terminal;
    let look = Look { columns: usize::from(terminal.size().borrow().cols), colour: terminal.colour() };
    terminal.print(&of_member(entry, &look)).await?;
    if entry.kind() == EntryKind::Query {
        let mut text = String::new();
        for part in Inspector::new(env).trace_query(entry.name()).await? {
            text.push_str(&row("", &format!("{} = {}", part.expression, part.value), &look));
        }
        terminal.print(&text).await?;
    }
    let value = env.get(entry.name()).await?.to_string();
    terminal.print(&row("value", &value, &look)).await?;
    Ok(Value::Nil)
}

fn find(place: &Place, words: &[String]) -> Result<Subject, String> {
    let mut node = place.node.clone();
    for (i, word) in words.iter().enumerate() {
        if let Some(next) = place.step(&node, word) {
            node = next?;
            continue;
        }
        let entries = Inspector::new(&node).entries(Scope::All);
        let Some(entry) = entries.iter().find(|entry| entry.name() == word) else {
            let members = node.class().members();
            let names = members.iter().map(|(name, _)| name.as_str());
            return Err(format!("{node} has no '{word}'{}", suggestion(word, names)));
        };
        return match &words[i + 1..] {
            [] => Ok(Subject::Member(entry.clone())),
            [next, ..] => Err(format!("nothing stands below '{word}' of {node}, so no '{next}' either")),
        };
    }
    Ok(Subject::Node(node))
}

/// `name      text`, on as many lines as it takes.
fn row(name: &str, text: &str, look: &Look) -> String {
    let room = look.columns.saturating_sub(LEFT + 1).max(20);
    let lines: Vec<String> =
        escaped_lines(text, LINES).iter().flat_map(|line| folded(&cut(line, VALUE_COLUMNS), room)).collect();
    let lines = if lines.is_empty() { vec![String::new()] } else { lines };
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        let name = format!("{:<LEFT$}", if i == 0 { name } else { "" });
        out.push_str(format!("{}{line}", Style::Bold.paint(look.colour, &name)).trim_end());
        out.push('\n');
    }
    out
}

fn place_of(position: Option<&Position>) -> String {
    position.map(|position| format!(" ({position})")).unwrap_or_default()
}

/// A class as people find it: by name where it has one, and where it is written.
pub(super) fn class_line(class: &Class) -> String {
    match (class.name(), class.position()) {
        ("", Some(position)) => position.to_string(),
        (name, position) => format!("{name}{}", place_of(position)),
    }
}

fn of_node(node: &Node, look: &Look) -> String {
    let class = node.class();
    let mut text = row("node", &node.to_string(), look);
    // What makes an array of a class is no class that somebody wrote.
    let mut lineage: Vec<_> = class.lineage().collect();
    lineage.dedup_by_key(|class| (class.name().to_string(), class.position().cloned()));
    for (i, class) in lineage.into_iter().enumerate() {
        let name = match i {
            0 => "class",
            1 => "from",
            _ => "",
        };
        text.push_str(&row(name, &class_line(class), look));
    }
    if let Some(group) = node.group() {
        text.push_str(&row("group", &group.name, look));
    }
    for (i, (role, hosts)) in node.roles().0.iter().enumerate() {
        let host = |(number, host): (usize, &crate::node::HostDef)| match host.slug() == host.address() {
            true => format!("{number} {}", host.slug()),
            false => format!("{number} {} ({})", host.slug(), host.address()),
        };
        let hosts: Vec<String> = hosts.iter().enumerate().map(host).collect();
        let hosts = if hosts.is_empty() { "no hosts".to_string() } else { hosts.join(", ") };
        text.push_str(&row(if i == 0 { "roles" } else { "" }, &format!("{role}: {hosts}"), look));
    }
    // The nearest that somebody has written, as in the original.
    if let Some(doc) = node.ancestry().find_map(|node| node.class().doc()) {
        text.push_str(&row("about", &doc, look));
    }
    let inspector = Inspector::new(node);
    let names = |entries: Vec<Entry<Node>>| -> Vec<Candidate> {
        entries.iter().map(|entry| item(entry.name(), group_style(node))).collect()
    };
    let children = class.children();
    let child = |name: &str| item(name, node.child(name).map_or(Style::Plain, |child| group_style(&child)));
    let values = inspector.entries(Scope::All).into_iter().filter(|entry| entry.is(EntryKind::Value)).collect();
    for (heading, items) in [
        ("actions", names(inspector.actions(Scope::All))),
        ("queries", names(inspector.queries(Scope::All))),
        ("properties", names(inspector.properties(Scope::All))),
        ("values", names(values)),
        ("nodes", by_group(node, children.iter().map(|(name, _)| child(name)).collect())),
    ] {
        if !items.is_empty() {
            text.push_str(&Style::Bold.paint(look.colour, &format!("{heading}:")));
            text.push('\n');
            let listed = columns(&items, look.columns.saturating_sub(2), look.colour);
            text.extend(listed.lines().map(|line| format!("  {line}\n")));
        }
    }
    text
}

/// Children of one group side by side, groups in the order in which they come first.
fn by_group(node: &Node, items: Vec<Candidate>) -> Vec<Candidate> {
    let group = |item: &Candidate| {
        node.child(&item.shown).ok().and_then(|child| child.group()).map(|group| group.name).unwrap_or_default()
    };
    let mut groups: Vec<String> = Vec::new();
    let mut keyed: Vec<(usize, Candidate)> = Vec::new();
    for item in items {
        let group = group(&item);
        let at = groups.iter().position(|known| *known == group).unwrap_or_else(|| {
            groups.push(group);
            groups.len() - 1
        });
        keyed.push((at, item));
    }
    keyed.sort_by_key(|(group, _)| *group);
    keyed.into_iter().map(|(_, item)| item).collect()
}

fn item(name: &str, style: Style) -> Candidate {
    Candidate { text: name.to_string(), shown: escaped(name), mark: "", style }
}

fn of_member(entry: &Entry<Node>, look: &Look) -> String {
    let word = match entry.kind() {
        EntryKind::Action => "action",
        EntryKind::Query => "query",
        EntryKind::Property if entry.is_required() => "required",
        EntryKind::Property => "property",
        EntryKind::Value => "value",
    };
    let form = match (entry.kind(), entry.parameters()) {
        (EntryKind::Action, Some(parameters)) => format!("{}({})", entry.name(), parameters.join(", ")),
        (EntryKind::Action, None) => format!("{}(...)", entry.name()),
        _ => entry.name().to_string(),
    };
    let mut text = row(word, &format!("{form}{}", place_of(entry.position())), look);
    text.push_str(&row("node", &entry.owner().to_string(), look));
    if let Some(doc) = entry.doc() {
        text.push_str(&row("about", doc, look));
    }
    match entry.member() {
        Some(Member::Query(query)) => text.push_str(&row("query", &query.to_string(), look)),
        Some(Member::Value(value)) => text.push_str(&row("is", &value.to_string(), look)),
        _ => {}
    }
    text
}
