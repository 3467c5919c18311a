//! What proves who we are, put together.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::host::ssh::config::{Settings, Tokens, home_path};
use crate::host::ssh::failure::Failure;
use crate::node::{HostSettings, Secret};

/// What proves who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host::ssh) struct Identity {
    pub(in crate::host::ssh) key: Option<Secret>,
    /// The key file the deployment names; it must exist.
    pub(in crate::host::ssh) key_file: Option<PathBuf>,
    /// Key files of the SSH configuration; they may be missing.
    pub(in crate::host::ssh) configured_files: Vec<PathBuf>,
    /// Certificate files of the SSH configuration; without any, those beside the key files count.
    pub(in crate::host::ssh) certificate_files: Vec<PathBuf>,
    /// Key files that are tried when none is named.
    pub(in crate::host::ssh) default_files: Vec<PathBuf>,
    pub(in crate::host::ssh) key_password: Option<Secret>,
    pub(in crate::host::ssh) password: Option<Secret>,
    /// Socket of the agent.
    pub(in crate::host::ssh) agent: Option<PathBuf>,
    /// Only keys of the agent that the files name too.
    pub(in crate::host::ssh) identities_only: bool,
}

impl Hash for Identity {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Secrets only need to be equal to be equal; files spread the hashes well enough.
        (&self.key_file, &self.configured_files, &self.agent, self.identities_only).hash(state);
    }
}

impl Identity {
    /// What the deployment says, then the SSH configuration, then the default key files.
    pub(super) fn of(
        said: &HostSettings,
        configured: &Settings,
        agent: Option<&Path>,
        tokens: &Tokens<'_>,
    ) -> Result<Identity, Failure> {
        let named =
            said.key_filename.as_ref().map(|file| home_path(file, tokens.home).map_err(Failure::new)).transpose()?;
        let mut files = Vec::new();
        for file in configured.identity_files.iter().filter(|file| !file.eq_ignore_ascii_case("none")) {
            files.push(tokens.path(file).map_err(|why| Failure::new(format!("IdentityFile: {why}")))?);
        }
        let mut certificates = Vec::new();
        for file in configured.certificate_files.iter().filter(|file| !file.eq_ignore_ascii_case("none")) {
            certificates.push(tokens.path(file).map_err(|why| Failure::new(format!("CertificateFile: {why}")))?);
        }
        let chosen = said.key.is_some() || named.is_some() || !configured.identity_files.is_empty();
        Ok(Identity {
            key: said.key.clone(),
            key_file: named,
            configured_files: files,
            certificate_files: certificates,
            default_files: if chosen { Vec::new() } else { default_files(tokens.home) },
            key_password: said.key_password.clone(),
            password: said.password.clone(),
            agent: agent.map(Path::to_path_buf),
            identities_only: configured.identities_only.unwrap_or(false),
        })
    }
}

fn default_files(home: Option<&Path>) -> Vec<PathBuf> {
    let Some(home) = home else { return Vec::new() };
    ["id_ed25519", "id_ecdsa", "id_rsa"].iter().map(|name| home.join(".ssh").join(name)).collect()
}
