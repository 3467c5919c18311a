//! `--scp` (row N-34).

use super::{Look, Reply};
use crate::shell::state::State;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    state.place().resolve(words)?;
    Ok(Reply::FileShell(words.to_vec()))
}
