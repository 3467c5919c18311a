//! `pwd` (row N-10).

use super::{Look, Reply};
use crate::shell::state::{State, path_pieces};

pub(super) fn run(state: &mut State, words: &[String], look: &Look) -> Result<Reply, String> {
    let node = state.place().resolve(words)?;
    let path = path_pieces(&node, |node| node.name().to_string());
    let path: String = path.iter().map(|(text, style)| style.paint(look.colour, text)).collect();
    Ok(Reply::Text(format!("/{path}\n")))
}
