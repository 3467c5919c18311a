//! The built-in commands: one file each, one line each in the table.

mod cd;
mod clear;
mod connect;
pub(crate) mod connections;
mod exit;
mod file_shell;
mod find;
mod help;
mod inspect;
mod jobs;
mod ls;
mod pwd;
pub(crate) mod reload;
mod run_command;
mod sandbox;
mod set_option;
mod show_options;
mod source_code;
mod special;
#[cfg(test)]
mod tests;
mod version;

use super::state::State;
pub(crate) use special::Special;

/// A built-in command.
pub(crate) struct Command {
    /// The word typed.
    pub(crate) name: &'static str,
    /// What may follow it, for help.
    pub(crate) usage: &'static str,
    /// One line for help.
    pub(crate) summary: &'static str,
    /// What Tab offers behind it (row N-46).
    pub(crate) completes: Completes,
    /// Whether it exists only in a subshell.
    pub(crate) in_subshell_only: bool,
    /// What it does.
    pub(crate) run: fn(&mut State, &[String], &Look) -> Result<Reply, String>,
}

/// What a word behind a command can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Completes {
    /// Nothing.
    Nothing,
    /// A path to a node.
    Nodes,
    /// A path to a node or an action.
    Actions,
    /// A path to a node, an action, a query or a property.
    Members,
    /// A command, or a path to a node or an action.
    Topics,
    /// The name of an option, then a value of it.
    Options,
}

/// The screen that a reply is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) columns: usize,
    pub(crate) colour: bool,
}

/// What is to be done for a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Nothing more.
    Done,
    /// Show this text.
    Text(String),
    /// Clear the screen (row N-13).
    Clear,
    /// Leave this shell.
    Leave,
    /// Load the tree again.
    Reload,
    /// List the connections of the pool.
    Connections,
    /// List the actions left in the background (row Q-29).
    Jobs,
    /// Come back to the one with this number.
    Job(usize),
    /// Run the action that these words name, with commands only checked.
    Sandbox(Vec<String>),
    /// Do this with what these words name, as an action of the node.
    Special(Special, Vec<String>),
    /// Open the file shell on a host of the node that these words name.
    FileShell(Vec<String>),
}

/// All of them, in the order of `help` and of completion.
pub(crate) const TABLE: &[Command] = &[
    Command {
        name: "cd",
        usage: "[NODE...]",
        summary: "go to a node: names, . .. / - and :CELL, one word a step",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: cd::run,
    },
    Command {
        name: "ls",
        usage: "[-a] [NODE...]",
        summary: "list cells, nodes and actions (-a: private ones too)",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: ls::run,
    },
    Command {
        name: "pwd",
        usage: "[NODE...]",
        summary: "print the path of a node",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: pwd::run,
    },
    Command {
        name: "find",
        usage: "[-a] [NODE...]",
        summary: "list every action below a node (-a: private ones too)",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: find::run,
    },
    Command {
        name: "sandbox",
        usage: "[NODE...] ACTION [PARAMETER...]",
        summary: "run an action with its commands only checked, not run",
        completes: Completes::Actions,
        in_subshell_only: false,
        run: sandbox::run,
    },
    Command {
        name: "--run",
        usage: "[NODE...] [-- LINE]",
        summary: "run a command on all hosts of a node",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: run_command::run,
    },
    Command {
        name: "--run-with-sudo",
        usage: "[NODE...] [-- LINE]",
        summary: "the same as root",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: run_command::run_with_sudo,
    },
    Command {
        name: "--connect",
        usage: "[NODE...]",
        summary: "open a shell on a host of a node",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: connect::run,
    },
    Command {
        name: "--scp",
        usage: "[NODE...]",
        summary: "open the file shell on a host of a node: list, view, put, get",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: file_shell::run,
    },
    Command {
        name: "--inspect",
        usage: "[NODE...] [NAME]",
        summary: "what a node is, or an action, query, property or value of it",
        completes: Completes::Members,
        in_subshell_only: false,
        run: inspect::run,
    },
    Command {
        name: "--source-code",
        usage: "[NODE...]",
        summary: "how the class of a node is written",
        completes: Completes::Nodes,
        in_subshell_only: false,
        run: source_code::run,
    },
    Command {
        name: "--version",
        usage: "",
        summary: "version, machine, root of the tree",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: version::run,
    },
    Command {
        name: "reload",
        usage: "",
        summary: "load the deployment file again and go on at the same node",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: reload::run,
    },
    Command {
        name: "set-option",
        usage: "NAME VALUE",
        summary: "change an option of this session",
        completes: Completes::Options,
        in_subshell_only: false,
        run: set_option::run,
    },
    Command {
        name: "show-options",
        usage: "",
        summary: "list the options and their values",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: show_options::run,
    },
    Command {
        name: "jobs",
        usage: "[NUMBER]",
        summary: "list the actions left in the background, or come back to one",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: jobs::run,
    },
    Command {
        name: "connections",
        usage: "",
        summary: "list the SSH connections: what they are used for, and since when they are not",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: connections::run,
    },
    Command {
        name: "help",
        usage: "[COMMAND | [NODE...] ACTION]",
        summary: "this list, or what a command, node or action does",
        completes: Completes::Topics,
        in_subshell_only: false,
        run: help::run,
    },
    Command {
        name: "clear",
        usage: "",
        summary: "clear the screen",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: clear::run,
    },
    Command {
        name: "return",
        usage: "",
        summary: "go back to where the subshell was opened",
        completes: Completes::Nothing,
        in_subshell_only: true,
        run: exit::run,
    },
    Command {
        name: "exit",
        usage: "",
        summary: "leave the shell, or go back from a subshell",
        completes: Completes::Nothing,
        in_subshell_only: false,
        run: exit::run,
    },
];

/// The commands that exist where a shell stands.
pub(crate) fn available(state: &State) -> impl Iterator<Item = &'static Command> {
    let in_subshell = state.in_subshell();
    TABLE.iter().filter(move |command| in_subshell || !command.in_subshell_only)
}

/// The command with this name.
pub(crate) fn by_name(state: &State, name: &str) -> Option<&'static Command> {
    available(state).find(|command| command.name == name)
}

/// No words are wanted.
fn no_words(command: &str, words: &[String]) -> Result<(), String> {
    match words {
        [] => Ok(()),
        _ => Err(format!("{command} takes no words")),
    }
}

/// Takes `-a` out of the words that stand before a path.
fn all_flag(words: &[String]) -> (bool, &[String]) {
    match words.split_first() {
        Some((first, rest)) if first == "-a" => (true, rest),
        _ => (false, words),
    }
}
