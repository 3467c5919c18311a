//! `cd` (rows N-02..N-08).

use super::{Look, Reply};
use crate::shell::state::State;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    let node = state.place().resolve(words)?;
    state.go(node);
    Ok(Reply::Done)
}
