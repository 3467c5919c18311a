//! `set-option` (row N-38): for this session, from now on.

use super::{Look, Reply};
use crate::options::Options;
use crate::shell::state::State;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    match words {
        [name, value] => {
            state.options.set(name, value).map_err(|error| error.to_string())?;
            Ok(Reply::Done)
        }
        [] => Err(format!("incomplete: set-option NAME VALUE; {}", names(&state.options))),
        [name] => match state.options.definitions().find(|definition| definition.name == name) {
            Some(definition) => Err(format!("incomplete: set-option {name} VALUE; {}", definition.kind.alternatives())),
            None => Err(state.options.set(name, "").map_or_else(|error| error.to_string(), |()| name.clone())),
        },
        [_, _, rest @ ..] => Err(format!("set-option takes a name and a value, not '{}' too", rest.join(" "))),
    }
}

fn names(options: &Options) -> String {
    let names: Vec<&str> = options.definitions().map(|definition| definition.name).collect();
    format!("there is: {}", names.join(", "))
}
