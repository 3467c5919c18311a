//! Keys that may let us in: from the deployment, from files, from the agent; with their certificates.

mod certificates;
mod file;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Certificate, PrivateKey, PublicKey};
use zeroize::Zeroizing;

use crate::host::ssh::failure::{Failure, printable};
use crate::host::ssh::target::Identity;

use file::{load, public_half, read_key};

/// A key that may let us in.
#[derive(Clone)]
pub(super) struct Candidate {
    /// How it is named to people.
    pub(super) label: String,
    /// Unknown for some kinds of encrypted files.
    pub(super) public: Option<PublicKey>,
    /// What is shown instead of the public key.
    pub(super) certificate: Option<Arc<Certificate>>,
    pub(super) source: Source,
}

impl Candidate {
    /// What tells certificates for one key apart; their comments do not.
    fn signature(&self) -> Option<&Signature> {
        self.certificate.as_ref().map(|certificate| certificate.signature())
    }
}

/// Where signatures of a key come from.
#[derive(Clone)]
pub(super) enum Source {
    Ready(Arc<PrivateKey>),
    /// Encrypted; the text and the file it is from.
    Locked(Arc<Zeroizing<String>>, PathBuf),
    Agent(Box<AgentIdentity>),
}

/// Keys in the order in which they are tried, and what is to be said about those that cannot be.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) candidates: Vec<Candidate>,
    pub(super) notes: Vec<String>,
}

impl Keys {
    /// Collects: the key of the deployment, its key file, the files of the SSH configuration, the agent, the default
    /// files. Each key once; one that the agent holds too is used through the agent when its file is encrypted. Then puts
    /// what has a certificate first: whoever has one means it to be used. Blocks.
    ///
    /// # Errors
    /// A key that the deployment names and that cannot be used.
    pub(super) fn gather(identity: &Identity, agent: &[AgentIdentity]) -> Result<Keys, Failure> {
        let mut keys = Keys::default();
        if let Some(text) = &identity.key {
            let locked = Path::new("the key of the deployment");
            let candidate = read_key(text.reveal(), locked, None).map_err(|why| Failure::new(format!("key: {why}")))?;
            keys.add(candidate, agent);
        }
        if let Some(file) = &identity.key_file {
            match load(file) {
                Ok(Some(candidate)) => keys.add(candidate, agent),
                Ok(None) => {
                    return Err(Failure::new(format!("key file {} does not exist", file.display()))
                        .hint("key_filename of the host names it"));
                }
                Err(why) => return Err(Failure::new(format!("key file {}: {why}", file.display()))),
            }
        }
        keys.add_files(&identity.configured_files, agent);
        keys.add_agent(identity, agent);
        keys.add_files(&identity.default_files, agent);
        keys.add_certificates(identity, agent);
        Ok(keys)
    }

    fn add_files(&mut self, files: &[PathBuf], agent: &[AgentIdentity]) {
        for file in files {
            match load(file) {
                Ok(Some(candidate)) => self.add(candidate, agent),
                Ok(None) => self.add_public_half(file, agent),
                Err(why) => self.notes.push(format!("key {} ({why})", file.display())),
            }
        }
    }

    /// A file may name a key by its public half only; the other half is in the agent.
    fn add_public_half(&mut self, file: &Path, agent: &[AgentIdentity]) {
        let Some(public) = public_half(file) else { return };
        if let Some(held) = held(agent, public.key_data()) {
            self.push(from_agent(held));
        }
    }

    fn add_agent(&mut self, identity: &Identity, agent: &[AgentIdentity]) {
        let wanted: Vec<PublicKey> = match identity.identities_only {
            true => self.candidates.iter().filter_map(|candidate| candidate.public.clone()).collect(),
            false => Vec::new(),
        };
        for held in agent {
            let public = held.public_key();
            if !identity.identities_only || wanted.iter().any(|key| key.key_data() == public.key_data()) {
                self.push(from_agent(held));
            }
        }
    }

    fn add(&mut self, candidate: Candidate, agent: &[AgentIdentity]) {
        let held = candidate.public.as_ref().and_then(|public| held(agent, public.key_data()));
        match (&candidate.source, held) {
            (Source::Locked(..), Some(held)) => {
                let label = candidate.label.clone();
                self.push(Candidate { label, ..from_agent(held) });
            }
            _ => self.push(candidate),
        }
    }

    fn push(&mut self, new: Candidate) {
        let same = |old: &&Candidate| match (&old.public, &new.public) {
            (Some(old_key), Some(new_key)) => {
                old_key.key_data() == new_key.key_data() && old.signature() == new.signature()
            }
            _ => false,
        };
        if self.candidates.iter().find(same).is_none() {
            self.candidates.push(new);
        }
    }
}

fn held<'a>(agent: &'a [AgentIdentity], public: &KeyData) -> Option<&'a AgentIdentity> {
    agent.iter().find(|held| matches!(held, AgentIdentity::PublicKey { key, .. } if key.key_data() == public))
}

fn from_agent(held: &AgentIdentity) -> Candidate {
    let comment = held.comment();
    let public = held.public_key().into_owned();
    let name = if comment.is_empty() { public.algorithm().as_str().to_string() } else { comment.to_string() };
    let what = if matches!(held, AgentIdentity::Certificate { .. }) { "certificate " } else { "" };
    Candidate {
        label: format!("{what}{} from the agent", printable(&name, 80)),
        public: Some(public),
        certificate: match held {
            AgentIdentity::Certificate { certificate, .. } => Some(Arc::new(certificate.clone())),
            AgentIdentity::PublicKey { .. } => None,
        },
        source: Source::Agent(Box::new(held.clone())),
    }
}
