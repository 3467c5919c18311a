//! One readable line per command in the daemon's log. Never its input or output.

use std::sync::Arc;

use async_trait::async_trait;
use deployer_core::logger::{Event, Listener};
use deployer_core::terminal::Terminal;

/// Writes what a session runs to the log.
pub(crate) struct RunLog {
    session: String,
}

impl RunLog {
    /// The log of this session.
    pub(crate) fn new(session: String) -> RunLog {
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
            Event::Failed(error) => tracing::info!(session, %error, "action failed"),
            _ => {}
        }
    }
}
