//! Certificates for keys: beside their files, named by the configuration, in the agent.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::Certificate;
use russh::keys::agent::AgentIdentity;

use super::file::MAX_FILE;
use super::{Candidate, Identity, Keys, from_agent, held};
use crate::host::ssh::certificate;

impl Keys {
    /// Finds the certificates, makes candidates of them and puts them first. As in OpenSSH, files beside the keys count
    /// only where the configuration names no certificates.
    pub(super) fn add_certificates(&mut self, identity: &Identity, agent: &[AgentIdentity]) {
        if identity.certificate_files.is_empty() {
            let keys = identity.key_file.iter().chain(&identity.configured_files).chain(&identity.default_files);
            for file in keys {
                let beside = beside(file);
                self.add_certificate(&beside, false, agent);
            }
        } else {
            for file in &identity.certificate_files {
                self.add_certificate(file, true, agent);
            }
        }
        self.candidates.retain(|candidate| match &candidate.certificate {
            Some(shown) if !certificate::is_for_users(shown) => {
                self.notes.push(format!("{} (it is a certificate of a host)", candidate.label));
                false
            }
            _ => true,
        });
        self.candidates.sort_by_key(|candidate| candidate.certificate.is_none());
    }

    fn add_certificate(&mut self, file: &Path, named: bool, agent: &[AgentIdentity]) {
        let label = format!("certificate {}", file.display());
        let shown = match load(file) {
            Ok(Some(shown)) => shown,
            Ok(None) if !named => return,
            Ok(None) => return self.notes.push(format!("{label} (it does not exist)")),
            Err(why) => return self.notes.push(format!("{label} ({why})")),
        };
        let is_its_key = |candidate: &&Candidate| {
            candidate.certificate.is_none()
                && candidate.public.as_ref().is_some_and(|public| public.key_data() == shown.public_key())
        };
        let key = self.candidates.iter().find(is_its_key).cloned();
        // The agent may hold the key although IdentitiesOnly leaves it out: the certificate names it.
        let key = key.or_else(|| held(agent, shown.public_key()).map(from_agent));
        match key {
            Some(key) => self.push(Candidate { label, certificate: Some(Arc::new(shown)), ..key }),
            None => self.notes.push(format!("{label} (its key is neither in a file nor in the agent)")),
        }
    }
}

/// `key-cert.pub` for `key` and for `key.pub`.
fn beside(key: &Path) -> PathBuf {
    let mut name = match key.extension() {
        Some(extension) if extension == "pub" => key.with_extension("").into_os_string(),
        _ => key.as_os_str().to_owned(),
    };
    name.push("-cert.pub");
    name.into()
}

fn load(file: &Path) -> Result<Option<Certificate>, String> {
    let length = match std::fs::metadata(file) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if length > MAX_FILE {
        return Err(format!("{length} bytes are too many for a certificate"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string())?;
    Certificate::from_openssh(text.trim()).map(Some).map_err(|error| format!("it is no certificate: {error}"))
}
