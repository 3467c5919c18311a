//! Completion in the operator's own shell: bash, zsh and fish ask this program what can follow.
//!
//! `deployer completions SHELL` prints a few lines for the shell's start-up file. They call this program again with
//! [`VARIABLE`] set, and the words typed so far behind `--`; the answer is a word per line. What goes wrong then has no
//! place to be shown, so there is just nothing to choose from.

mod names;
mod words;

use std::ffi::OsString;
use std::io::Write;
use std::sync::Arc;

use clap::{CommandFactory, ValueEnum};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};

use crate::Source;
use crate::args::Cli;
use crate::failure::Failure;
use words::Typed;

/// Set by the lines in the shell: the name of the shell that asks.
pub(crate) const VARIABLE: &str = "DEPLOYER_COMPLETE";

/// Shells that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        }
    }
}

/// What the shell has to read at its start.
///
/// # Errors
/// When there is no such thing for the shell.
pub(crate) fn registration(shell: Shell, name: &str) -> Result<Vec<u8>, Failure> {
    let mut lines = Vec::new();
    let program = std::env::current_exe().map_or_else(|_| name.to_string(), |path| path.display().to_string());
    completer(shell.name())
        .and_then(|shell| shell.write_registration(VARIABLE, name, name, &program, &mut lines).ok())
        .map(|()| lines)
        .ok_or_else(|| Failure::other(format!("no completion for {}", shell.name())))
}

fn completer(shell: &str) -> Option<&'static dyn EnvCompleter> {
    const SHELLS: Shells<'static> = Shells::builtins();
    SHELLS.0.iter().copied().find(|known| known.is(shell))
}

/// Answers a shell that asks; `false` when none does. Called before anything is printed.
pub(crate) fn answer(source: &Source, args: &[OsString]) -> bool {
    let Some(shell) = std::env::var(VARIABLE).ok().filter(|shell| !shell.is_empty()) else { return false };
    let Some(shell) = completer(&shell) else { return true };
    let Some(dashes) = args.iter().position(|arg| arg == "--") else { return true };
    let words = args[dashes + 1..].to_vec();
    let mut command = command(source, &words);
    command.build();
    let mut answer = Vec::new();
    let directory = std::env::current_dir().ok();
    if shell.write_complete(&mut command, words, directory.as_deref(), &mut answer).is_ok() {
        // A shell that has gone away needs no answer.
        let _ = std::io::stdout().write_all(&answer);
    }
    true
}

/// The command line with what can be known of its arguments.
fn command(source: &Source, words: &[OsString]) -> clap::Command {
    let typed = Arc::new(Typed::new(words));
    let names = Arc::new(names::Names::new(source, &typed));
    let mut command = Cli::command();
    if let Source::Tree(_) = source {
        command = command.mut_arg("file", |arg| arg.hide(true));
    }
    for verb in ["run", "connect"] {
        let (for_path, for_action, typed) = (names.clone(), names.clone(), typed.clone());
        command = command.mut_subcommand(verb, |verb| {
            verb.mut_arg("path", |arg| arg.add(completer_of(move |text| for_path.path(text))))
                .mut_arg("action", |arg| arg.add(completer_of(move |text| for_action.action(&typed, text))))
        });
    }
    for verb in ["run", "connect", "kill-session"] {
        command = command
            .mut_subcommand(verb, |verb| verb.mut_arg("socket", |arg| arg.add(completer_of(|_| names::sockets()))));
    }
    command
        .mut_subcommand("connect", |verb| verb.mut_arg("session", |arg| arg.add(completer_of(|_| names::sessions()))))
        .mut_subcommand("kill-session", |verb| verb.mut_arg("name", |arg| arg.add(completer_of(|_| names::sessions()))))
}

/// Those of the words that begin as typed.
fn completer_of(words: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &std::ffi::OsStr| {
        let Some(typed) = typed.to_str() else { return Vec::new() };
        let words = words(typed).into_iter().filter(|word| word.starts_with(typed));
        words.map(CompletionCandidate::new).collect()
    })
}
