//! What a line that is no command means: an action somewhere in the tree, with its parameters (rows N-14..N-23).

use super::commands::TABLE;
use super::place::{Place, is_callable, near, suggestion};
use crate::node::{Action, DEFAULT_ACTION, Member, Node};

/// An action to run.
pub(crate) struct Target {
    pub(crate) node: Node,
    /// Name as typed, or that of the default action.
    pub(crate) name: String,
    pub(crate) action: Action,
    pub(crate) parameters: Vec<String>,
}

impl Target {
    /// Dotted path and name, for those who watch.
    pub(crate) fn shown(&self) -> String {
        match self.name.as_str() {
            DEFAULT_ACTION => self.node.to_string(),
            // A command that acts on the node.
            name if name.starts_with("--") => format!("{} {name}", self.node),
            name => format!("{}.{name}", self.node),
        }
    }
}

/// Path words, then an action, then parameters. Once an action was named, everything behind it is a parameter
/// (design 8 for rows N-18, W-26). A path to a node with a default action runs that; words that lead nowhere, or
/// everything behind `--`, are its parameters.
///
/// # Errors
/// What is wrong, with near matches; nothing was run.
pub(crate) fn find(place: &Place, words: &[String]) -> Result<Target, String> {
    let mut node = place.node.clone();
    for (i, word) in words.iter().enumerate() {
        if word == "--" {
            return default_action(node, &words[i + 1..]);
        }
        if let Some(next) = place.step(&node, word) {
            node = next?;
            continue;
        }
        return match node.class().member(word) {
            Some(Member::Action(action)) => {
                Ok(Target { node, name: word.clone(), action, parameters: words[i + 1..].to_vec() })
            }
            member => no_action(node, word, member.as_ref(), words, i),
        };
    }
    default_action(node, &[])
}

fn default_action(node: Node, parameters: &[String]) -> Result<Target, String> {
    match node.class().member(DEFAULT_ACTION) {
        Some(Member::Action(action)) => {
            Ok(Target { node, name: DEFAULT_ACTION.to_string(), action, parameters: parameters.to_vec() })
        }
        _ => {
            Err(format!("incomplete: {node} is a node without default action (name one of its actions; cd goes there)"))
        }
    }
}

/// A word that names neither a way nor an action: a parameter of the default action, unless it looks like a slip.
fn no_action(node: Node, word: &str, member: Option<&Member>, words: &[String], at: usize) -> Result<Target, String> {
    let kind = match member {
        Some(Member::Property(_)) => "a property: it is read, not run",
        Some(Member::Query(_)) => "a query: it is read, not run",
        Some(Member::Required(_)) => "a required value, not an action",
        Some(_) => "a value, not an action",
        None => "",
    };
    let members = node.class().members();
    let names = || {
        let runs = |member: &Member| matches!(member, Member::Action(_) | Member::Child(_));
        members.iter().filter(move |(_, member)| runs(member)).map(|(name, _)| name.as_str())
    };
    if is_callable(&node) && at > 0 {
        if near(word, names()).is_empty() {
            return default_action(node, &words[at..]);
        }
        let meant = suggestion(word, names());
        return Err(format!("no action '{word}' in {node}{meant}; to pass it as parameter write: -- {word}"));
    }
    if !kind.is_empty() {
        return Err(format!("{node}.{word} is {kind}"));
    }
    let path: Vec<&str> = words[..at].iter().map(String::as_str).collect();
    let meant = suggestion(word, names());
    let help = match path.as_slice() {
        _ if !meant.is_empty() => meant,
        [] => " (help lists the commands, ls the actions)".to_string(),
        path if TABLE.iter().any(|command| command.name == word) => {
            format!(" (a command of the shell comes first: {word} {})", path.join(" "))
        }
        _ => String::new(),
    };
    Err(format!("no action or node '{word}' in {node}{help}"))
}
