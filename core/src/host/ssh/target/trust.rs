//! What proves who the server is, put together.

use std::path::PathBuf;

use crate::host::ssh::config::{Settings, StrictHostKeys, Tokens, home_path};
use crate::host::ssh::failure::Failure;
use crate::node::{HostKeyPolicy, HostSettings};

/// What proves who the server is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) struct Trust {
    pub(in crate::host::ssh) policy: HostKeys,
    /// The name the host is on file under.
    pub(in crate::host::ssh) name: String,
    pub(in crate::host::ssh) port: u16,
    /// Known-hosts files; accepted keys are added to the first.
    pub(in crate::host::ssh) files: Vec<PathBuf>,
    /// Files with keys that nobody may show (`RevokedHostKeys`).
    pub(in crate::host::ssh) revoked: Vec<PathBuf>,
    /// Names of the signatures with which an authority may vouch for the host (`CASignatureAlgorithms`).
    pub(in crate::host::ssh) authorities: Vec<String>,
}

/// [`HostKeyPolicy`], hashable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::host::ssh) enum HostKeys {
    Strict,
    AcceptNew,
    Ask,
}

impl Trust {
    /// What the deployment says, then the SSH configuration.
    pub(super) fn of(
        said: &HostSettings,
        configured: &Settings,
        tokens: &Tokens<'_>,
        address: &str,
    ) -> Result<Trust, Failure> {
        let files = match &said.known_hosts {
            Some(files) => {
                files.iter().map(|file| home_path(file, tokens.home)).collect::<Result<_, _>>().map_err(Failure::new)?
            }
            None => known_hosts_files(configured, tokens)?,
        };
        // An alias stands for the host whatever port it is reached on, as in OpenSSH.
        let (name, port) = match &configured.host_key_alias {
            Some(alias) => (alias.clone(), 22),
            None => (address.to_string(), tokens.port),
        };
        let policy = policy(said.host_keys, configured.strict_host_keys);
        // Whatever the deployment says of known-hosts files: a key that was withdrawn stays so.
        let revoked = configured.revoked_host_keys.iter().flatten().map(|file| tokens.path(file));
        let revoked =
            revoked.collect::<Result<_, _>>().map_err(|why| Failure::new(format!("RevokedHostKeys: {why}")))?;
        Ok(Trust { policy, name, port, files, revoked, authorities: Vec::new() })
    }
}

fn known_hosts_files(configured: &Settings, tokens: &Tokens<'_>) -> Result<Vec<PathBuf>, Failure> {
    let user = configured.user_known_hosts.clone().unwrap_or_else(|| match tokens.home {
        Some(_) => vec!["~/.ssh/known_hosts".into(), "~/.ssh/known_hosts2".into()],
        None => Vec::new(),
    });
    let system = configured
        .global_known_hosts
        .clone()
        .unwrap_or_else(|| vec!["/etc/ssh/ssh_known_hosts".into(), "/etc/ssh/ssh_known_hosts2".into()]);
    let expanded = user.iter().chain(&system).map(|file| tokens.path(file));
    expanded.collect::<Result<_, _>>().map_err(|why| Failure::new(format!("known-hosts file: {why}")))
}

fn policy(said: Option<HostKeyPolicy>, configured: Option<StrictHostKeys>) -> HostKeys {
    match (said, configured) {
        (Some(HostKeyPolicy::Strict), _) | (None, Some(StrictHostKeys::Yes)) => HostKeys::Strict,
        (Some(HostKeyPolicy::AcceptNew), _) | (None, Some(StrictHostKeys::AcceptNew | StrictHostKeys::No)) => {
            HostKeys::AcceptNew
        }
        (Some(HostKeyPolicy::Ask), _) | (None, Some(StrictHostKeys::Ask) | None) => HostKeys::Ask,
    }
}
