//! The prompt, what Tab offers, and colours (rows O-02, O-17, O-19).

use std::ops::Range;
use std::path::Path;

use super::FileShell;
use super::commands::{self, Command, Deed, Names, Side as Which};
use super::side::{Entry, Side};
use crate::shell::editor::{Candidate, Completion};
use crate::shell::reader::Lines;
use crate::shell::words::split_for_completion;
use crate::terminal::style::{Style, is_unsafe};
use crate::text::shell_word;

impl Lines for FileShell<'_> {
    fn prompt(&self) -> Vec<(String, Style)> {
        vec![
            (self.local.label.clone(), Style::Green),
            (format!(":{}", base(&self.local.directory)), Style::Plain),
            (" ~ ".to_string(), Style::Cyan),
            (self.remote.label.clone(), Style::Yellow),
            (format!(":{}", base(&self.remote.directory)), Style::Plain),
            (" > ".to_string(), Style::Cyan),
        ]
    }

    fn complete(&self, left: &str) -> Completion {
        let (before, typed) = split_for_completion(left);
        let candidates = match before.first() {
            None => commands::TABLE.iter().filter(|c| c.name.starts_with(&typed.text)).map(named).collect(),
            Some(first) => match commands::by_name(&first.text) {
                Some(command) => names(self.side(command), command.names, &typed.text),
                None => Vec::new(),
            },
        };
        Completion { start: typed.start, candidates }
    }

    fn highlight(&self, line: &str) -> Vec<(Range<usize>, Style)> {
        let (before, typed) = split_for_completion(line);
        let first = before.first().unwrap_or(&typed);
        let known = commands::by_name(&first.text);
        known.map(|command| (first.start..first.end, style(command))).into_iter().collect()
    }
}

impl FileShell<'_> {
    fn side(&self, command: &Command) -> &Side {
        match command.side {
            Which::Local => &self.local,
            Which::Remote => &self.remote,
        }
    }
}

/// The last name of a directory.
fn base(directory: &Path) -> String {
    directory.file_name().map_or_else(|| "/".to_string(), |name| name.to_string_lossy().into_owned())
}

/// Commands of the host yellow, of this machine green, the others cyan.
fn style(command: &Command) -> Style {
    match (command.deed, command.side) {
        (Deed::Clear | Deed::Help | Deed::Leave, _) => Style::Cyan,
        (_, Which::Local) => Style::Green,
        (_, Which::Remote) => Style::Yellow,
    }
}

fn named(command: &Command) -> Candidate {
    Candidate { text: command.name.to_string(), shown: command.name.to_string(), mark: "", style: style(command) }
}

/// Names in the directory of a side. Those that cannot be typed are not offered; `ls` shows them.
fn names(side: &Side, wanted: Names, typed: &str) -> Vec<Candidate> {
    let fits = |entry: &&Entry| match wanted {
        Names::None => false,
        Names::Files => !entry.directory,
        Names::Directories => entry.directory,
        Names::All => true,
    };
    let hidden = typed.starts_with('.');
    let typable = |entry: &&Entry| entry.typable && !entry.name.chars().any(is_unsafe);
    let begins = |entry: &&Entry| entry.name.starts_with(typed) && (hidden || !entry.name.starts_with('.'));
    let mut offered: Vec<Candidate> =
        side.entries.iter().filter(fits).filter(typable).filter(begins).map(offer).collect();
    if wanted == Names::Directories {
        let up = ["..", "/"].into_iter().filter(|way| !typed.is_empty() && way.starts_with(typed));
        offered.extend(up.map(|way| Candidate {
            text: way.to_string(),
            shown: way.to_string(),
            mark: "",
            style: Style::Blue,
        }));
    }
    offered
}

fn offer(entry: &Entry) -> Candidate {
    let (mark, style) = if entry.directory { ("/", Style::Blue) } else { ("", Style::Plain) };
    Candidate { text: shell_word(&entry.name), shown: entry.name.clone(), mark, style }
}
