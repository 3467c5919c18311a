//! `--run` and `--run-with-sudo`: a command on all hosts of a node (rows N-35, N-36).

use super::special::{Special, brought};
use super::{Look, Reply};
use crate::env::{ActionError, Env};
use crate::host::{NoAnswer, Question, QuestionKind, RunOptions};
use crate::node::Action;
use crate::shell::place::Place;
use crate::shell::state::State;
use crate::shell::target::Target;
use crate::value::Value;

pub(super) fn run(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    begin(state, words, Special::Run)
}

pub(super) fn run_with_sudo(state: &mut State, words: &[String], _: &Look) -> Result<Reply, String> {
    begin(state, words, Special::RunWithSudo)
}

fn begin(state: &State, words: &[String], special: Special) -> Result<Reply, String> {
    state.place().resolve(parts(words).0)?;
    Ok(Reply::Special(special, words.to_vec()))
}

/// The path, and the command behind `--`.
fn parts(words: &[String]) -> (&[String], Option<&[String]>) {
    match words.iter().position(|word| word == "--") {
        Some(at) => (&words[..at], Some(&words[at + 1..])),
        None => (words, None),
    }
}

/// # Errors
/// When the path leads nowhere, or no command stands behind `--`.
pub(super) fn target(place: &Place, words: &[String], sudo: bool) -> Result<Target, String> {
    let (path, command) = parts(words);
    let node = place.resolve(path)?;
    let name = if sudo { "--run-with-sudo" } else { "--run" };
    let action = Action::from_fn(move |env, parameters| async move {
        let said = parameters.first().map(ToString::to_string);
        let options = RunOptions { use_sudo: sudo, ..RunOptions::default() };
        if env.hosts().is_empty() {
            return Err(ActionError::usage(format!("{} has no hosts: name a node that has", env.node())));
        }
        let command = match said {
            Some(command) => command,
            None => match ask(&env, name, sudo).await? {
                Some(command) => command,
                None => return Ok(Value::Nil),
            },
        };
        let outputs = env.hosts().run_with(&command, &options).await?;
        Ok(Value::List(outputs.into_iter().map(Value::Output).collect()))
    });
    let parameters = match command {
        None => Vec::new(),
        Some([]) => return Err(format!("incomplete: {name} [NODE...] -- COMMAND")),
        // As ssh does with the words behind a host.
        Some(command) => vec![command.join(" ")],
    };
    Ok(Target { parameters, ..brought(node, name, action.dont_isolate_yet()) })
}

/// The command; `None` when whoever is asked wants none.
async fn ask(env: &Env, name: &str, sudo: bool) -> Result<Option<String>, ActionError> {
    let slugs: Vec<String> = env.hosts().definitions().iter().map(|host| host.slug().to_string()).collect();
    let question = Question {
        label: env.node().to_string(),
        notice: format!("on {}: {}", if slugs.len() == 1 { "one host" } else { "these hosts" }, slugs.join(", ")),
        prompt: if sudo { "command (as root)" } else { "command" }.to_string(),
        kind: QuestionKind::Line,
    };
    match env.context().asker.ask(question).await {
        Ok(command) => Ok(Some(command.0.to_string())),
        Err(NoAnswer::Cancelled) => Ok(None),
        Err(NoAnswer::NobodyThere) => {
            Err(ActionError::usage(format!("nobody is there to say what to run: write {name} NODE -- COMMAND")))
        }
    }
}
