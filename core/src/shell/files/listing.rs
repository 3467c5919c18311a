//! How files are listed and described.

use super::side::Entry;
use crate::host::files::{FileKind, Stat};
use crate::shell::editor::{self, Candidate};
use crate::terminal::style::{Style, escaped};

/// Names in columns, directories blue and with a slash (row O-07).
pub(super) fn columns(entries: &[Entry], width: usize, colour: bool) -> String {
    let items: Vec<Candidate> = entries.iter().map(item).collect();
    editor::columns(&items, width, colour)
}

fn item(entry: &Entry) -> Candidate {
    let (mark, style) = if entry.directory { ("/", Style::Blue) } else { ("", Style::Plain) };
    Candidate { text: String::new(), shown: entry.name.clone(), mark, style }
}

/// What is known about a file (row O-08).
pub(super) fn facts(stat: &Stat) -> String {
    let kind = match stat.kind {
        FileKind::File => "file",
        FileKind::Directory => "directory",
        FileKind::Symlink => "symbolic link",
        FileKind::Other => "device, pipe or socket",
    };
    format!(
        "{}: {kind}\n  size  {} bytes\n  uid   {}\n  gid   {}\n  mode  {:04o}\n",
        escaped(&stat.name.to_string_lossy()),
        stat.size,
        stat.uid,
        stat.gid,
        stat.mode
    )
}
