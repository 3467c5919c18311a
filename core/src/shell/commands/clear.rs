//! `clear` (row N-13).

use super::{Look, Reply, no_words};
use crate::shell::state::State;

pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    no_words("clear", words)?;
    Ok(Reply::Clear)
}
