//! `--source-code`: how the class of a node is written (row N-31).

use std::io;
use std::path::Path;

use super::inspect::class_line;
use super::special::{Special, brought};
use super::{Look, Reply};
use crate::console::page;
use crate::env::{ActionError, Cause, Env};
use crate::host::{NoAnswer, Question, QuestionKind};
use crate::node::{Action, Class, Node, Position};
use crate::shell::state::State;
use crate::shell::target::Target;
use crate::terminal::style::{Style, escaped_lines};
use crate::value::Value;

/// Largest file that is looked at, bytes.
const FILE_MAX: u64 = 4 * 1024 * 1024;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    state.place().resolve(words)?;
    Ok(Reply::Special(Special::SourceCode, words.to_vec()))
}

pub(super) fn target(node: Node) -> Target {
    let action = Action::from_fn(|env, _| async move {
        let Some((class, position)) = which(&env).await? else { return Ok(Value::Nil) };
        let lines = members_of(&class, &position);
        let read = tokio::task::spawn_blocking({
            let position = position.clone();
            move || source(&position, &lines)
        });
        let text = match read.await {
            Ok(Ok(text)) => text,
            Ok(Err(error)) => {
                let why = format!("the source of {class} cannot be shown: {}: {error}", position.file);
                return Err(ActionError::usage(why));
            }
            Err(error) => return Err(ActionError::usage(error.to_string())),
        };
        let terminal = &env.context().terminal;
        page(terminal, &shown(&position, &text, terminal.colour())).await?;
        Ok(Value::Nil)
    });
    brought(node, "--source-code", action.dont_isolate_yet())
}

/// The class of the node, or one that it inherits from; asked for when several are written somewhere.
async fn which(env: &Env) -> Result<Option<(Class, Position)>, ActionError> {
    let mut written: Vec<(Class, Position)> =
        env.node().class().lineage().filter_map(|class| Some((class.clone(), class.position()?.clone()))).collect();
    // What makes an array of a class is no class that somebody wrote.
    written.dedup_by(|(_, position), (_, before)| position == before);
    match written.as_slice() {
        [] => {
            let why = format!("where {} is written is not known", env.node().class());
            return Err(ActionError::usage(why));
        }
        [only] => return Ok(Some(only.clone())),
        _ => {}
    }
    let numbers: Vec<String> = (1..=written.len()).map(|number| number.to_string()).collect();
    let row = |(number, (class, _)): (&String, &(Class, Position))| format!("{number}) {}", class_line(class));
    let question = Question {
        label: env.node().to_string(),
        notice: numbers.iter().zip(&written).map(row).collect::<Vec<_>>().join("\n"),
        prompt: "which class?".to_string(),
        kind: QuestionKind::Choice { default: numbers.first().cloned(), options: numbers.clone() },
    };
    match env.context().asker.ask(question).await {
        Ok(answer) => {
            let index = numbers.iter().position(|number| *number == *answer.0).unwrap_or_default();
            Ok(written.get(index).cloned())
        }
        // Nobody to ask: the class itself.
        Err(NoAnswer::NobodyThere) => Ok(written.first().cloned()),
        Err(NoAnswer::Cancelled) => Err(ActionError::new(Cause::Interrupted)),
    }
}

/// The lines of what the class has of its own, in the same file.
fn members_of(class: &Class, position: &Position) -> Vec<u32> {
    let inherited = |name: &str| class.base().and_then(|base| base.position_of(name));
    let own = class.members().into_iter().filter_map(|(name, _)| {
        let at = class.position_of(&name)?;
        (inherited(&name).as_ref() != Some(&at) && at.file == position.file).then_some(at.line)
    });
    own.collect()
}

/// The first line of it, counted from 1, and its text.
struct Excerpt {
    first: usize,
    lines: Vec<String>,
}

/// From the comment above the class to the end of the last thing that it has.
fn source(position: &Position, members: &[u32]) -> io::Result<Excerpt> {
    let path = Path::new(&*position.file);
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > FILE_MAX {
        return Err(io::Error::other("it is no file of a deployment any more"));
    }
    let text = std::fs::read(path)?;
    Ok(excerpt(&String::from_utf8_lossy(&text), position.line as usize, members))
}

fn excerpt(text: &str, line: usize, members: &[u32]) -> Excerpt {
    let lines: Vec<&str> = text.lines().collect();
    let at = |number: usize| lines.get(number.wrapping_sub(1)).copied().unwrap_or_default();
    let depth = |number: usize| at(number).len() - at(number).trim_start().len();
    let line = line.clamp(1, lines.len().max(1));
    let mut first = line;
    while first > 1 && is_comment(at(first - 1)) {
        first -= 1;
    }
    let last = members.iter().map(|member| *member as usize).max().unwrap_or(line).clamp(line, lines.len().max(1));
    let end = match depth(last) <= depth(line) && is_complete(at(last)) {
        true => last,
        // What is still open there ends with the next line at the margin of the class.
        false => (last + 1..lines.len())
            .find(|n| !at(*n).trim().is_empty() && depth(*n) <= depth(line))
            .unwrap_or(lines.len()),
    };
    Excerpt { first, lines: (first..=end.min(lines.len())).map(|number| at(number).to_string()).collect() }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("--") || line.starts_with("//")
}

/// Whether what a line opens is closed on it.
fn is_complete(line: &str) -> bool {
    let line = line.trim();
    let count = |c: char| line.matches(c).count();
    line.ends_with("end") || (count('{') == count('}') && count('(') == count(')') && !line.starts_with("function"))
}

fn shown(position: &Position, excerpt: &Excerpt, colour: bool) -> String {
    let mut text = Style::Bold.paint(colour, &format!("{}:", position.file)) + "\n";
    let width = (excerpt.first + excerpt.lines.len()).to_string().len();
    for (number, line) in excerpt.lines.iter().enumerate() {
        let plain = escaped_lines(line, 1).concat();
        let style = if is_comment(&plain) { Style::Grey } else { Style::Plain };
        let number = Style::Cyan.paint(colour, &format!("{:>width$}", excerpt.first + number));
        text.push_str(format!("{number}  {}", style.paint(colour, &plain)).trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "local d = require 'deployer'

--- Any service.
local Service = Node {
  name = required 'unit',
}
--- Start it.
function Service:start()
  return 1
end

local Small = Node {}
local Other = Service { name = 'x' }
function Other:go() return 1 end
return Node {
  a = Other,
}
";

    fn at(line: usize, members: &[u32]) -> (usize, usize) {
        let excerpt = excerpt(FILE, line, members);
        (excerpt.first, excerpt.first + excerpt.lines.len() - 1)
    }

    // rows: N-31
    #[test]
    fn a_class_is_shown_from_its_comment_to_the_end_of_its_last_member() {
        assert_eq!(at(4, &[5, 8]), (3, 10));
        assert_eq!(at(4, &[5]), (3, 6));
        assert_eq!(at(12, &[]), (12, 12));
        assert_eq!(at(13, &[13, 14]), (13, 14));
        assert_eq!(at(15, &[16]), (15, 17));
        // The file has changed meanwhile.
        assert_eq!(at(99, &[]), (17, 17));
    }
}
