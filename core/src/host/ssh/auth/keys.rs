//! Keys that may let us in: from the deployment, from files, from the agent.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::{Error, PrivateKey, PublicKey, decode_secret_key};
use zeroize::Zeroizing;

use crate::host::ssh::failure::Failure;
use crate::host::ssh::target::Identity;

/// Key files are small: 64 KiB.
const MAX_FILE: u64 = 64 * 1024;

/// A key that may let us in.
#[derive(Clone)]
pub(super) struct Candidate {
    /// How it is named to people.
    pub(super) label: String,
    /// Unknown for some kinds of encrypted files.
    pub(super) public: Option<PublicKey>,
    pub(super) source: Source,
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
    /// files. Each key once; one that the agent holds too is used through the agent when its file is encrypted. Blocks.
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
        if let Some(held) = held(agent, &public) {
            self.push(from_agent(held));
        }
    }

    fn add_agent(&mut self, identity: &Identity, agent: &[AgentIdentity]) {
        let wanted: Vec<PublicKey> = match identity.identities_only {
            true => self.candidates.iter().filter_map(|candidate| candidate.public.clone()).collect(),
            false => Vec::new(),
        };
        // Certificates first, as in OpenSSH: whoever has one means it to be used.
        let certificates = agent.iter().filter(|held| matches!(held, AgentIdentity::Certificate { .. }));
        let plain = agent.iter().filter(|held| matches!(held, AgentIdentity::PublicKey { .. }));
        for held in certificates.chain(plain) {
            let public = held.public_key();
            if !identity.identities_only || wanted.iter().any(|key| key.key_data() == public.key_data()) {
                self.push(from_agent(held));
            }
        }
    }

    fn add(&mut self, candidate: Candidate, agent: &[AgentIdentity]) {
        let held = candidate.public.as_ref().and_then(|public| held(agent, public));
        match (&candidate.source, held) {
            (Source::Locked(..), Some(held)) => {
                let label = candidate.label.clone();
                self.push(Candidate { label, ..from_agent(held) });
            }
            _ => self.push(candidate),
        }
    }

    fn push(&mut self, new: Candidate) {
        let certificate = |candidate: &Candidate| matches!(&candidate.source, Source::Agent(held) if matches!(**held, AgentIdentity::Certificate { .. }));
        let same = |old: &&Candidate| match (&old.public, &new.public) {
            (Some(old_key), Some(new_key)) => {
                old_key.key_data() == new_key.key_data() && certificate(old) == certificate(&new)
            }
            _ => false,
        };
        if self.candidates.iter().find(same).is_none() {
            self.candidates.push(new);
        }
    }
}

fn held<'a>(agent: &'a [AgentIdentity], public: &PublicKey) -> Option<&'a AgentIdentity> {
    agent
        .iter()
        .find(|held| matches!(held, AgentIdentity::PublicKey { key, .. } if key.key_data() == public.key_data()))
}

fn from_agent(held: &AgentIdentity) -> Candidate {
    let comment = held.comment();
    let public = held.public_key().into_owned();
    let name = if comment.is_empty() { public.algorithm().as_str().to_string() } else { comment.to_string() };
    Candidate {
        label: format!("{} from the agent", crate::host::ssh::failure::printable(&name, 80)),
        public: Some(public),
        source: Source::Agent(Box::new(held.clone())),
    }
}

/// Reads a key file. `None`: there is none.
fn load(file: &Path) -> Result<Option<Candidate>, String> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if metadata.len() > MAX_FILE {
        return Err(format!("{} bytes are too many for a key", metadata.len()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| error.to_string())?);
    if PublicKey::from_openssh(&text).is_ok() {
        // Named by its public half.
        return Ok(None);
    }
    let mine = metadata.uid() == rustix::process::getuid().as_raw();
    if mine && metadata.mode() & 0o077 != 0 {
        return Err(format!("others may read it: chmod 600 {}", file.display()));
    }
    read_key(&text, file, public_half(file)).map(Some)
}

fn read_key(text: &str, file: &Path, public: Option<PublicKey>) -> Result<Candidate, String> {
    let label = format!("key {}", file.display());
    let locked = |public| Candidate {
        label: label.clone(),
        public,
        source: Source::Locked(Arc::new(Zeroizing::new(text.to_string())), file.to_path_buf()),
    };
    // This form tells its public half even when it is encrypted.
    if let Ok(key) = PrivateKey::from_openssh(text)
        && key.is_encrypted()
    {
        return Ok(locked(Some(key.public_key().clone())));
    }
    match decode_secret_key(text, None) {
        Ok(key) => Ok(Candidate {
            public: Some(key.public_key().clone()),
            source: Source::Ready(Arc::new(key)),
            label: label.clone(),
        }),
        Err(_) if text.contains("ENCRYPTED") => Ok(locked(public)),
        Err(Error::CouldNotReadKey) => Err("it is not a private key in a known form".into()),
        Err(error) => Err(error.to_string()),
    }
}

fn public_half(file: &Path) -> Option<PublicKey> {
    let mut name = file.as_os_str().to_owned();
    if file.extension().is_none_or(|extension| extension != "pub") {
        name.push(".pub");
    }
    PublicKey::from_openssh(&std::fs::read_to_string(name).ok()?).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt;

    use russh::keys::Algorithm;
    use russh::keys::ssh_key::LineEnding;

    use super::*;
    use crate::node::Secret;

    fn identity() -> Identity {
        Identity {
            key: None,
            key_file: None,
            configured_files: Vec::new(),
            default_files: Vec::new(),
            key_password: None,
            password: None,
            agent: None,
            identities_only: false,
        }
    }

    fn new_key() -> PrivateKey {
        PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
    }

    fn write(directory: &Path, name: &str, key: &PrivateKey) -> PathBuf {
        let file = directory.join(name);
        std::fs::write(&file, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        file
    }

    fn in_agent(key: &PrivateKey, comment: &str) -> AgentIdentity {
        AgentIdentity::PublicKey { key: key.public_key().clone(), comment: comment.into() }
    }

    fn labels(keys: &Keys) -> Vec<String> {
        keys.candidates.iter().map(|candidate| candidate.label.rsplit('/').next().unwrap().to_string()).collect()
    }

    // rows: F-62
    #[test]
    fn order_of_keys() {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let (text, shared) = (new_key(), new_key());
        let identity = Identity {
            key: Some(Secret::new(text.to_openssh(LineEnding::LF).unwrap().as_str())),
            key_file: Some(write(directory, "named", &new_key())),
            configured_files: vec![directory.join("missing"), write(directory, "configured", &shared)],
            default_files: vec![write(directory, "default", &new_key())],
            ..identity()
        };
        let agent = [in_agent(&shared, "shared"), in_agent(&new_key(), "mine")];
        let keys = Keys::gather(&identity, &agent).unwrap();
        let expected = ["key the key of the deployment", "named", "configured", "mine from the agent", "default"];
        assert_eq!(labels(&keys), expected);
        let only = Identity { identities_only: true, ..identity };
        assert!(!labels(&Keys::gather(&only, &agent).unwrap()).contains(&"mine from the agent".to_string()));
    }

    // rows: F-68
    #[test]
    fn a_named_key_that_cannot_be_used_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let gather = |file: PathBuf| match Keys::gather(&Identity { key_file: Some(file), ..identity() }, &[]) {
            Ok(keys) => panic!("{:?}", labels(&keys)),
            Err(failure) => failure.reason,
        };
        let missing = directory.path().join("missing");
        assert_eq!(gather(missing.clone()), format!("key file {} does not exist", missing.display()));
        let open = write(directory.path(), "open", &new_key());
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(gather(open).contains("chmod 600"));
        let junk = directory.path().join("junk");
        std::fs::write(&junk, "junk").unwrap();
        std::fs::set_permissions(&junk, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert!(gather(junk).contains("not a private key"));
    }

    #[test]
    fn an_encrypted_file_tells_its_public_half_and_the_agent_unlocks_it() {
        let directory = tempfile::tempdir().unwrap();
        let key = new_key();
        let locked = key.encrypt(&mut russh::keys::key::safe_rng(), "secret").unwrap();
        let file = write(directory.path(), "locked", &locked);
        let identity = Identity { key_file: Some(file), ..identity() };
        let alone = Keys::gather(&identity, &[]).unwrap();
        assert!(matches!(alone.candidates[0].source, Source::Locked(..)));
        assert_eq!(alone.candidates[0].public.as_ref().unwrap().key_data(), key.public_key().key_data());
        let held = Keys::gather(&identity, &[in_agent(&key, "held")]).unwrap();
        assert_eq!((held.candidates.len(), labels(&held)[0].as_str()), (1, "locked"));
        assert!(matches!(held.candidates[0].source, Source::Agent(_)));
    }

    #[test]
    fn a_public_half_names_a_key_of_the_agent() {
        let directory = tempfile::tempdir().unwrap();
        let key = new_key();
        let file = directory.path().join("token.pub");
        std::fs::write(&file, key.public_key().to_openssh().unwrap()).unwrap();
        let identity = Identity { configured_files: vec![file], identities_only: true, ..identity() };
        let agent = [in_agent(&new_key(), "other"), in_agent(&key, "token")];
        assert_eq!(labels(&Keys::gather(&identity, &agent).unwrap()), ["token from the agent"]);
    }
}
