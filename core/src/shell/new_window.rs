//! The key that opens another window (row Q-15): the command `new` of the front end, at a key.

use std::sync::Arc;

use super::Extension;
use super::screen::Screen;
use super::state::State;
use crate::node::Node;
use crate::terminal::Terminal;
use crate::terminal::style::escaped;

/// Name of the command that opens one.
const COMMAND: &str = "new";

/// Opens windows at the node where the shell stands.
pub(super) struct Opener {
    command: Arc<dyn Extension>,
    node: Node,
    screen: Arc<Screen>,
}

impl Opener {
    /// `None` where no window can be opened: the key has its usual meaning there.
    pub(super) fn of(state: &State, screen: &Arc<Screen>) -> Option<Opener> {
        let command = state.extension(COMMAND).filter(|command| command.available())?;
        Some(Opener { command, node: state.place().node.clone(), screen: screen.clone() })
    }

    /// Opens one, in the background; what goes wrong is said above the prompt.
    pub(super) fn open(&self) {
        let (command, node, screen) = (self.command.clone(), self.node.clone(), self.screen.clone());
        tokio::spawn(async move {
            if let Err(problem) = command.run_at(&node, &[]).await
                && let Err(error) = screen.print_talk(&format!("{}\n", escaped(&problem))).await
            {
                tracing::debug!(%error, "a notice could not be shown");
            }
        });
    }
}
