//! One action from its first step to its result on the screen.

use std::io;
use std::sync::Arc;

use super::running::Runs;
use crate::env::{ActionError, Env};
use crate::logger::{Event, Logger};
use crate::node::Node;
use crate::shell::result;
use crate::shell::run::INTERRUPTED;
use crate::shell::screen::Screen;
use crate::shell::target::Target;
use crate::terminal::Terminal;
use crate::value::Value;

/// What became of an action.
pub(in crate::shell) struct Done {
    /// Exit status.
    pub(in crate::shell) status: i32,
    /// The node to open a subshell on, when it gave one.
    pub(in crate::shell) subshell: Option<Node>,
}

/// Everything that an action needs to run, wherever it is polled.
pub(in crate::shell) struct Performance {
    pub(in crate::shell) env: Env,
    pub(in crate::shell) target: Target,
    pub(in crate::shell) screen: Arc<Screen>,
    pub(in crate::shell) logger: Logger,
    pub(in crate::shell) ended: Ended,
    pub(in crate::shell) running: Runs,
    /// Whether a node that it gives opens a subshell.
    pub(in crate::shell) subshells: bool,
}

/// Tells those who watch that an action has ended; that it was interrupted when nobody says anything else.
pub(in crate::shell) struct Ended(Option<Box<dyn FnOnce(i32) + Send>>);

impl Ended {
    pub(in crate::shell) fn new(tell: Box<dyn FnOnce(i32) + Send>) -> Ended {
        Ended(Some(tell))
    }

    fn with(mut self, status: i32) {
        if let Some(tell) = self.0.take() {
            tell(status);
        }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            tell(INTERRUPTED);
        }
    }
}

impl Performance {
    /// Runs it and shows how it ended.
    ///
    /// # Errors
    /// When the terminal went away.
    pub(in crate::shell) async fn run(self) -> io::Result<Done> {
        let parameters = self.target.parameters.iter().map(|text| Value::text(text.as_str())).collect();
        let result = self.env.call_action(&self.target.name, &self.target.action, parameters).await;
        drop(self.running);
        let shown = show(&self.screen, &self.logger, &self.target, self.subshells, result).await;
        self.ended.with(shown.as_ref().map_or(INTERRUPTED, |done| done.status));
        shown
    }
}

/// Shows how an action ended.
async fn show(
    screen: &Screen,
    logger: &Logger,
    target: &Target,
    subshells: bool,
    result: Result<Value, ActionError>,
) -> io::Result<Done> {
    screen.fresh_line().await?;
    match result {
        Ok(Value::Node(env)) if subshells => Ok(Done { status: 0, subshell: Some(env.node().clone()) }),
        Ok(value) => {
            let bytes = result::shown(&value, target.action.flags, screen.kind());
            if !bytes.is_empty() {
                screen.write(&bytes).await?;
            }
            Ok(Done { status: 0, subshell: None })
        }
        Err(error) => {
            // What left an action is in the log already (rows E-10, N-22).
            if !error.was_logged() {
                logger.emit(Event::Failed(error.clone())).await;
            }
            Ok(Done { status: error.exit_code(), subshell: None })
        }
    }
}
