//! `exit` and `return` (rows N-12, N-25).

use super::{Look, Reply, no_words};
use crate::shell::state::State;

pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    no_words("exit", words)?;
    Ok(Reply::Leave)
}
