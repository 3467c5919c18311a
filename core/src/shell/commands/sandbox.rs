//! `sandbox` (row N-23).

use super::{Look, Reply};
use crate::shell::state::State;

pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    if words.is_empty() {
        return Err("incomplete: sandbox what? (sandbox ACTION)".to_string());
    }
    Ok(Reply::Sandbox(words.to_vec()))
}
