//! `--version` (row N-33).

use super::inspect::class_line;
use super::{Look, Reply, no_words};
use crate::shell::state::State;
use crate::terminal::style::escaped;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    no_words("--version", words)?;
    let root = state.root();
    let machine = machine().map(|name| format!("machine  {}\n", escaped(&name))).unwrap_or_default();
    let text =
        format!("deployer {}\n{machine}root     {}\n", env!("CARGO_PKG_VERSION"), escaped(&class_line(root.class())));
    Ok(Reply::Text(text))
}

/// The name of the machine that the session is on, where the system tells it in a file.
fn machine() -> Option<String> {
    let known = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let name = known.iter().find_map(|file| std::fs::read_to_string(file).ok())?;
    Some(name.trim().to_string()).filter(|name| !name.is_empty())
}
