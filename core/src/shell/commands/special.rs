//! Commands that act on a node as an action of it would: they are admitted, logged, left and interrupted like one (rows
//! N-27 to N-37).

use super::{connect, inspect, run_command, source_code};
use crate::node::{Action, Node};
use crate::shell::place::Place;
use crate::shell::target::Target;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Special {
    /// A shell on a host.
    Connect,
    /// A command on all hosts.
    Run,
    /// The same as root.
    RunWithSudo,
    /// The value of a query or property.
    Inspect,
    /// Where and how a class is written.
    SourceCode,
}

impl Special {
    /// What is to be run, and whether commands in it are only checked.
    ///
    /// # Errors
    /// When the words lead nowhere; nothing was run.
    pub(crate) fn target(self, place: &Place, words: &[String]) -> Result<(Target, bool), String> {
        Ok(match self {
            Special::Connect => (connect::target(place.resolve(words)?), false),
            Special::Run => (run_command::target(place, words, false)?, false),
            Special::RunWithSudo => (run_command::target(place, words, true)?, false),
            Special::Inspect => (inspect::target(place, words)?, true),
            Special::SourceCode => (source_code::target(place.resolve(words)?), true),
        })
    }
}

/// An action that a command brings to a node; not once for each cell.
pub(super) fn brought(node: Node, name: &str, action: Action) -> Target {
    // Where deployer itself is written tells an operator nothing.
    let action = Action { position: None, ..action };
    Target { node, name: name.to_string(), action, parameters: Vec::new() }
}
