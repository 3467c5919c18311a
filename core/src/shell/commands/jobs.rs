//! `jobs` (row Q-29).

use super::{Look, Reply};
use crate::shell::state::State;

/// The actions left in the background; with a number, back to one.
pub(super) fn run(_: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    match words {
        [] => Ok(Reply::Jobs),
        [word] => match word.trim_matches(['[', ']']).parse() {
            Ok(number) => Ok(Reply::Job(number)),
            Err(_) => Err(format!("jobs takes a number, not '{}'", word.escape_debug())),
        },
        _ => Err("jobs takes one number".to_string()),
    }
}
