//! The long-lived process: sessions, their PTYs and screens, attached clients.
//!
//! A session is a task with an inbox; it owns its PTY and its list of clients, and survives all of them.

pub mod authority;
mod connection;
mod daemon;
pub mod journal;
pub mod oversight;
mod people;
pub mod recording;
mod registry;
mod running;
mod server;
mod session;
pub mod socket;
mod stop;
pub mod telnet;
mod windows;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use anyhow::Context;
use deployer_core::host::HostServices;
use deployer_core::options::Settings;
use deployer_core::shell::Tree;
pub use running::{Running, RunningAction};
pub use stop::Stop;

use crate::authority::Authority;
use crate::oversight::Oversight;
use crate::socket::BoundSocket;
use crate::telnet::BoundPort;

/// Where clients come in.
pub struct Doors {
    /// The unix socket.
    pub socket: BoundSocket,
    /// The telnet port, if there is one.
    pub telnet: Option<BoundPort>,
}

impl From<BoundSocket> for Doors {
    fn from(socket: BoundSocket) -> Doors {
        Doors { socket, telnet: None }
    }
}

/// How a daemon serves.
pub struct Options {
    /// Where sessions take their tree from; loaded once at start to check it.
    pub tree: Arc<dyn Tree>,
    /// Connections, shared by all sessions.
    pub services: Arc<HostServices>,
    /// Where sessions run what they run. May be the runtime that serves; with one of its own, nothing that runs keeps
    /// clients from being served (docs/decisions/0025).
    pub workers: tokio::runtime::Handle,
    /// Ends with its last client, and with the client that started it (`run`).
    pub private: bool,
    /// Whether sessions may ask questions; a client can only narrow it.
    pub interactive: bool,
    /// Options of every session, as far as the flags of this daemon give them.
    pub settings: Settings,
    /// Who may do what, and what is written down of it.
    pub oversight: Oversight,
}

/// Serves until it is to stop (or, when private, until the last client is gone); ends every session, waits for
/// what they run, removes the socket.
///
/// # Errors
/// When the socket cannot be served any more, or when the tree cannot be loaded.
pub async fn serve(doors: impl Into<Doors>, options: Options, stop: impl Into<Stop>) -> anyhow::Result<()> {
    let doors = doors.into();
    let tree = options.tree.clone();
    let loaded = tokio::task::spawn_blocking(move || tree.load().map(drop)).await?;
    loaded.with_context(|| format!("cannot use {}", options.tree.origin()))?;
    let policy = options.oversight.authority.policy();
    Authority::fits(&policy, &options.tree).await.map_err(|why| anyhow::anyhow!("cannot use the policy: {why}"))?;
    let program: session::Program = Arc::new(|session| Box::pin(deployer_core::shell::run(session)));
    server::run(&doors, daemon::Daemon::new(options, program), &stop.into()).await
}
