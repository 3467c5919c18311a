//! `deployer kill-session`: end a session and what it runs.

use deployer_protocol::{FromClient, FromDaemon};

use super::connect::find;
use super::say;
use crate::args::KillSession;
use crate::client::{Connection, HELLO_LIMIT, unexpected};
use crate::failure::Failure;
use crate::runtime;

/// Returns when the session has ended.
pub(super) fn kill_session(kill: &KillSession) -> Result<u8, Failure> {
    runtime::client(async {
        let path = find(kill.socket.as_deref(), Some(&kill.name)).await?;
        let mut connection = Connection::open(&path, HELLO_LIMIT).await.map_err(|why| why.at(&path))?;
        match connection.ask(FromClient::Kill(kill.name.clone())).await? {
            FromDaemon::Killed(_) => {
                say(&format!("session {} has ended", kill.name));
                Ok(0)
            }
            other => Err(unexpected(&path, &other)),
        }
    })
}
