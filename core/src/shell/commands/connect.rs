//! `--connect`: a shell on a host of a node (row N-32).

use super::special::{Special, brought};
use super::{Look, Reply};
use crate::env::ActionError;
use crate::node::{Action, Node};
use crate::shell::one_host;
use crate::shell::state::State;
use crate::shell::target::Target;
use crate::value::Value;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    state.place().resolve(words)?;
    Ok(Reply::Special(Special::Connect, words.to_vec()))
}

pub(super) fn target(node: Node) -> Target {
    let action = Action::from_fn(|env, _| async move {
        let host = one_host::of(&env, &*env.context().asker, "connect to which host?").await;
        let host = host.map_err(ActionError::usage)?;
        // How the shell ended is the business of whoever worked in it.
        host.start_interactive_shell(None).await?;
        Ok(Value::Nil)
    });
    brought(node, "--connect", action.dont_isolate_yet())
}
