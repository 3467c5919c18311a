//! Hosts reached over SSH: one pool of connections, authentication, host keys (design 6).
//!
//! From top to bottom: [`SshHost`] is what the framework sees. `target` puts definition, configuration and defaults
//! together, `hops` finds the way to it, `pool` shares connections, `dial` makes them (`governor`, `algorithms`,
//! `host_key`, `known_hosts`, `krl`, `auth`), `connection` looks after one, `channel` runs one command, `helper` keeps
//! shells open for many.

mod account;
mod algorithms;
mod auth;
mod certificate;
mod channel;
mod client;
mod config;
mod connection;
mod dial;
mod failure;
mod governor;
mod helper;
mod hops;
mod host;
mod host_key;
mod known_hosts;
mod krl;
mod pool;
mod progress;
mod questions;
mod sftp;
mod tap;
mod target;
#[cfg(test)]
mod tests;
mod tool;
mod vitals;
mod wildcard;

pub use host::SshHost;
pub use pool::{ConnectionInfo, SshPool};

/// Whether a text is one hop as `ProxyJump` writes it, `[user@]host[:port]`.
///
/// # Errors
/// What it is not.
pub(crate) fn check_jump(text: &str) -> Result<(), String> {
    hops::Hop::parse_list(text).map(drop)
}

/// Settings of a pool that are not a host's own.
#[derive(Clone, Debug, Default)]
pub struct SshOptions {
    /// Socket of the agent; `None`: no agent. Never another operator's (design 6).
    pub agent: Option<std::path::PathBuf>,
    /// Home directory of the user, for `~/.ssh`; `None`: looked up.
    pub home: Option<std::path::PathBuf>,
}
