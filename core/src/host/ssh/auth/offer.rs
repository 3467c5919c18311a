//! Offering keys.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{AgentAuthError, Signer};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::keys::{Candidate, Source};
use super::{Answered, Login, Trouble, timed};
use crate::host::QuestionKind;
use crate::host::ssh::dial::{is_rsa, thinking_time};
use crate::host::ssh::failure::Failure;

/// How long an agent may take to sign: it may ask its owner first.
const AGENT_LIMIT: Duration = Duration::from_secs(60);

impl Login<'_> {
    pub(super) async fn key(&mut self, index: usize) -> Result<Answered, Trouble> {
        let Candidate { label, public, source } = self.keys[index].clone();
        let answered = match source {
            Source::Ready(key) => self.sign(&label, key).await?,
            Source::Agent(held) => self.agent_key(&label, &held).await?,
            Source::Locked(text, file) => self.locked_key(&label, public.as_ref(), text, &file).await?,
        };
        if !matches!(answered, Answered::In) && self.notes.last().is_none_or(|note| !note.starts_with(&label)) {
            self.notes.push(label);
        }
        Ok(answered)
    }

    async fn locked_key(
        &mut self,
        label: &str,
        public: Option<&PublicKey>,
        text: Arc<Zeroizing<String>>,
        file: &Path,
    ) -> Result<Answered, Trouble> {
        let key = match self.memory.key(file) {
            Some(key) => key,
            None => {
                if let Some(answered) = self.probe(label, public).await? {
                    return Ok(answered);
                }
                let Some(key) = self.unlock(label, text).await? else { return Ok(Answered::NotOffered) };
                self.memory.remember_key(file, key.clone());
                key
            }
        };
        self.sign(label, key).await
    }

    async fn sign(&mut self, label: &str, key: Arc<PrivateKey>) -> Result<Answered, Trouble> {
        let Some(hash) = self.hash(label, &key.algorithm()).await? else { return Ok(Answered::NotOffered) };
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let user = self.target.user.clone();
        timed(self.target, self.link.handle.authenticate_publickey(user, key)).await.map(Answered::from)
    }

    async fn agent_key(&mut self, label: &str, held: &AgentIdentity) -> Result<Answered, Trouble> {
        let Some(hash) = self.hash(label, &held.public_key().algorithm()).await? else {
            return Ok(Answered::NotOffered);
        };
        let Some(agent) = self.agent.as_mut() else { return Ok(Answered::NotOffered) };
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let signed = timeout(thinking_time(self.target.timeout) + AGENT_LIMIT, async {
            match held {
                AgentIdentity::PublicKey { key, .. } => {
                    handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent.client).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut agent.client).await
                }
            }
        });
        match signed.await {
            Ok(Ok(result)) => Ok(result.into()),
            Ok(Err(AgentAuthError::Send(_))) => Err(Trouble::Gone),
            Ok(Err(AgentAuthError::Key(error))) => {
                self.notes.push(format!("{label} (the agent did not sign: {error})"));
                Ok(Answered::NotOffered)
            }
            Err(_) => Err(Failure::late("authentication", AGENT_LIMIT).into()),
        }
    }

    /// Finds out whether the server would take the key of an encrypted file; only then is anybody asked to unlock it.
    /// `None`: it would.
    async fn probe(&mut self, label: &str, public: Option<&PublicKey>) -> Result<Option<Answered>, Trouble> {
        let Some(public) = public else { return Ok(None) };
        let Some(hash) = self.hash(label, &public.algorithm()).await? else { return Ok(Some(Answered::NotOffered)) };
        let mut probe = Probe { wanted: false };
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let asking = handle.authenticate_publickey_with(user, public.clone(), hash, &mut probe);
        let limit = thinking_time(self.target.timeout);
        match timeout(limit, asking).await {
            Ok(Err(AgentAuthError::Key(_))) if probe.wanted => Ok(None),
            Ok(Ok(result)) => Ok(Some(result.into())),
            Ok(Err(_)) => Err(Trouble::Gone),
            Err(_) => Err(Failure::late("authentication", limit).into()),
        }
    }

    async fn unlock(&mut self, label: &str, text: Arc<Zeroizing<String>>) -> Result<Option<Arc<PrivateKey>>, Trouble> {
        let passphrase = match &self.target.identity.key_password {
            Some(given) => given.clone(),
            None => {
                let prompt = format!("passphrase of {label}");
                let Some(answer) = self.ask(String::new(), prompt, QuestionKind::Secret).await? else {
                    self.notes.push(format!("{label} (encrypted, and nobody is there to unlock it)"));
                    return Ok(None);
                };
                answer
            }
        };
        // Takes a tenth of a second or more, by design of the key's makers.
        let unlocked = tokio::task::spawn_blocking(move || decode_secret_key(&text, Some(passphrase.reveal()))).await;
        match unlocked {
            Ok(Ok(key)) => Ok(Some(Arc::new(key))),
            Ok(Err(_)) => {
                self.notes.push(format!("{label} (wrong passphrase)"));
                Ok(None)
            }
            Err(stopped) => Err(Failure::new(stopped.to_string()).into()),
        }
    }

    /// The hash for signatures of RSA keys, the best the server knows. `None`: it wants SHA-1 only, and does not get it.
    async fn hash(&mut self, label: &str, algorithm: &Algorithm) -> Result<Option<Option<HashAlg>>, Trouble> {
        if !is_rsa(algorithm) {
            return Ok(Some(None));
        }
        match timed(self.target, self.link.handle.best_supported_rsa_hash()).await? {
            Some(None) => {
                self.notes.push(format!("{label} (the server wants signatures with SHA-1, which are not safe)"));
                Ok(None)
            }
            Some(best) => Ok(Some(best)),
            None => Ok(Some(Some(HashAlg::Sha512))),
        }
    }
}

/// Signs nothing; finds out whether a signature would be wanted.
struct Probe {
    wanted: bool,
}

impl Signer for Probe {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        self.wanted = true;
        Err(AgentAuthError::Key(russh::keys::Error::AgentFailure))
    }
}
