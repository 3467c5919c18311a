//! The long-lived process: sessions, their PTYs and screens, attached clients.
//!
//! A session is a task with an inbox; it owns its PTY and its list of clients, and survives all of them.

pub mod socket;

use std::sync::Arc;

use deployer_core::host::HostServices;
use deployer_core::shell::Tree;
use tokio_util::sync::CancellationToken;

use crate::socket::BoundSocket;

/// How a daemon serves.
pub struct Options {
    /// Where sessions take their tree from; loaded once at start to check it.
    pub tree: Arc<dyn Tree>,
    /// Connections, shared by all sessions.
    pub services: Arc<HostServices>,
    /// Ends with its last client, and with the client that started it (`run`).
    pub private: bool,
    /// Whether sessions may ask questions; a client can only narrow it.
    pub interactive: bool,
    /// How many isolations of one parallel action run at once; `None`: all.
    pub parallel_limit: Option<usize>,
}

/// Serves until `stop` is cancelled (or, when private, until the last client is gone); ends every session, waits for
/// what they run, removes the socket.
///
/// # Errors
/// When the socket cannot be served any more.
pub async fn serve(_socket: BoundSocket, _options: Options, _stop: CancellationToken) -> anyhow::Result<()> {
    todo!("daemon helper")
}
