//! One readable line per command in the log of the program (row L-18). Never its input or output.

use std::sync::Arc;

use super::{Event, Listener};
use crate::terminal::Terminal;
use async_trait::async_trait;

/// Writes what a session runs to the log of the program: commands that have ended and failures as `info`, beginnings and
/// steps of connecting as `debug`.
pub struct RunLog {
    session: String,
}

impl RunLog {
    /// The log of this session.
    pub fn new(session: String) -> RunLog {
        RunLog { session }
    }
}

#[async_trait]
impl Listener for RunLog {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        let session = &self.session;
        match event {
            Event::RunStarted(run) => {
                tracing::debug!(session, host = run.host, command = run.command, sudo = run.use_sudo, "command begins");
            }
            Event::RunFinished { run, status, elapsed, .. } => {
                let status = status.as_ref().map_or_else(|| "not started".to_string(), ToString::to_string);
                let elapsed_ms = elapsed.as_millis();
                tracing::info!(
                    session,
                    host = run.host,
                    command = run.command,
                    status,
                    elapsed_ms,
                    "command has ended"
                );
            }
            Event::Connecting { host, step } => tracing::debug!(session, host, step, "connecting"),
            Event::Failed(error) => tracing::info!(session, %error, "action failed"),
            _ => {}
        }
    }
}
