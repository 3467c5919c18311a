//! Host definitions: what a deployment says about a host. Nothing here connects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Position, Secret};
use crate::host::Host;
use crate::value::Value;

/// A host as written down; identity counts, not content (two definitions with equal settings are two hosts).
#[derive(Clone)]
pub struct HostDef(Arc<Inner>);

struct Inner {
    kind: HostKind,
    settings: HostSettings,
}

/// Which kind of host a definition makes.
#[derive(Clone, Debug)]
pub enum HostKind {
    /// The machine deployer runs on.
    Local,
    /// A host reached over SSH.
    Ssh,
    /// A kind that a program brought along (row F-02).
    Custom(Arc<dyn HostFactory>),
}

/// Makes hosts of a kind that is not built in.
pub trait HostFactory: Send + Sync + fmt::Debug {
    /// The host of a definition.
    fn host(&self, definition: &HostDef) -> Arc<dyn Host>;

    /// Whether these settings make sense; asked when a deployment file writes a host down, so that the message has a
    /// position.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    fn check(&self, settings: &HostSettings) -> Result<(), String> {
        let _any = settings;
        Ok(())
    }
}

/// Everything a deployment can say about a host (row F-61). `None` means "not said": the SSH configuration or the
/// default decides.
#[derive(Clone, Debug, Default)]
pub struct HostSettings {
    /// Short, unique name within a role.
    pub slug: String,
    /// Name or address to connect to; the slug when absent.
    pub address: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// Login name.
    pub username: Option<String>,
    /// Password for login and sudo.
    pub password: Option<Secret>,
    /// Path of a private key, `~` allowed.
    pub key_filename: Option<String>,
    /// Text of a private key (`rsa_key` in the original).
    pub key: Option<Secret>,
    /// Passphrase of the key.
    pub key_password: Option<Secret>,
    /// Limit for connecting; default 10 s.
    pub timeout: Option<Duration>,
    /// Interval of keepalive messages; default 30 s. After three without an answer the peer is dead.
    pub keepalive: Option<Duration>,
    /// How long a connection is kept that nobody uses (design 6); default 10 minutes. Of hosts that share a connection,
    /// the one for which it was made decides. SFTP and a helper shell use it for another minute after their last work.
    pub idle_timeout: Option<Duration>,
    /// SSH configuration file; default `~/.ssh/config`.
    pub config_filename: Option<String>,
    /// `strict`, `accept-new` or `ask`; default `ask` when somebody is there, `strict` otherwise (design 6).
    pub host_keys: Option<HostKeyPolicy>,
    /// Whether commands that nobody watches share a shell kept open on the host (docs/decisions/0016); default no.
    pub helper_shell: Option<bool>,
    /// Known-hosts files to use instead of `~/.ssh/known_hosts` and `/etc/ssh/ssh_known_hosts`; tests and teams
    /// with a shared file set it.
    pub known_hosts: Option<Vec<String>>,
    /// The way to it; `None`: `ProxyJump` or `ProxyCommand` of the SSH configuration, or straight.
    pub proxy: Option<ProxySetting>,
    /// Settings that the built-in kinds do not know; custom kinds read them.
    pub extra: Vec<(String, Value)>,
    /// Where the host was written down.
    pub position: Option<Position>,
}

/// The way to a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxySetting {
    /// Straight, whatever the SSH configuration says.
    Direct,
    /// Through these hosts, nearest first.
    Jump(Vec<JumpHost>),
    /// Through a program that talks to the server on its standard input and output, run by `/bin/sh`; `%h`, `%p`, `%r`,
    /// `%n` and `%%` are replaced.
    Command(String),
}

/// A host to go through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JumpHost {
    /// `[user@]host[:port]`; the rest comes from the SSH configuration.
    Named(String),
    /// A host with settings of its own.
    Host(HostDef),
}

/// What happens when a server shows a key that is not known yet. A changed key is always refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostKeyPolicy {
    /// Refuse.
    Strict,
    /// Accept and remember.
    AcceptNew,
    /// Ask the operator; strict when nobody is there.
    Ask,
}

impl HostDef {
    /// A definition.
    pub fn new(kind: HostKind, settings: HostSettings) -> HostDef {
        HostDef(Arc::new(Inner { kind, settings }))
    }

    /// Which kind of host it makes.
    pub fn kind(&self) -> &HostKind {
        &self.0.kind
    }

    /// Everything that was said about it.
    pub fn settings(&self) -> &HostSettings {
        &self.0.settings
    }

    /// Its slug.
    pub fn slug(&self) -> &str {
        &self.0.settings.slug
    }

    /// Where to connect: the address, or the slug when none was given.
    pub fn address(&self) -> &str {
        self.0.settings.address.as_deref().unwrap_or(match self.0.kind {
            HostKind::Local => "localhost",
            _ => &self.0.settings.slug,
        })
    }
}

impl PartialEq for HostDef {
    fn eq(&self, other: &HostDef) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for HostDef {}

impl std::hash::Hash for HostDef {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for HostDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostDef({})", self.slug())
    }
}

impl fmt::Display for HostDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.slug())
    }
}
