//! The operator's agent: which keys it holds, and signatures.

use std::path::Path;
use std::time::Duration;

use russh::keys::agent::client::AgentClient;
use russh::keys::agent::{AgentIdentity, AgentSessionBinding};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// Limit for an answer of the agent that needs no person.
const LIMIT: Duration = Duration::from_secs(5);

/// A connected agent and what it holds.
pub(super) struct Agent {
    pub(super) client: AgentClient<UnixStream>,
    pub(super) identities: Vec<AgentIdentity>,
}

impl Agent {
    /// Connects, tells the agent which connection it is asked for (keys may be bound to destinations), and lists.
    ///
    /// # Errors
    /// Why there is no agent, in words.
    pub(super) async fn connect(socket: &Path, binding: Option<&AgentSessionBinding>) -> Result<Agent, String> {
        let connecting = async {
            let mut client = AgentClient::connect_uds(socket).await.map_err(|error| error.to_string())?;
            if let Some(binding) = binding {
                // Agents that do not know this say so, and hold no bound keys.
                if let Err(error) = client.bind_session(binding, false).await {
                    tracing::debug!(%error, "the agent does not bind sessions");
                }
            }
            let identities = client.request_identities().await.map_err(|error| error.to_string())?;
            Ok(Agent { client, identities })
        };
        timeout(LIMIT, connecting).await.unwrap_or_else(|_| Err("it does not answer".into()))
    }
}
