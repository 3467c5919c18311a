//! Offering keys, and certificates for them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};
use russh::{AgentAuthError, Signer};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::keys::{Candidate, Source};
use super::signers::{KeySigner, Probe, ThroughAgent};
use super::{Answered, Login, Trouble, timed};
use crate::host::QuestionKind;
use crate::host::ssh::algorithms::is_rsa;
use crate::host::ssh::certificate;
use crate::host::ssh::client::Client;
use crate::host::ssh::dial::thinking_time;
use crate::host::ssh::failure::Failure;

/// How long an agent may take to sign: it may ask its owner first.
const AGENT_LIMIT: Duration = Duration::from_secs(60);

impl Login<'_> {
    pub(super) async fn key(&mut self, index: usize) -> Result<Answered, Trouble> {
        let candidate = self.keys[index].clone();
        let told = self.notes.len();
        let kind = candidate.public.as_ref().map(|public| public.algorithm());
        let certified = candidate.certificate.is_some();
        if kind.is_some_and(|kind| !self.target.algorithms.takes_user_key(&kind, certified)) {
            self.notes.push(format!("{} (left out by PubkeyAcceptedAlgorithms)", candidate.label));
            return Ok(Answered::NotOffered);
        }
        let answered = match candidate.source.clone() {
            Source::Ready(key) => self.sign(&candidate, key).await?,
            Source::Agent(held) => self.agent_key(&candidate, &held).await?,
            Source::Locked(text, file) => self.locked_key(&candidate, text, &file).await?,
        };
        if !matches!(answered, Answered::In) && self.notes.len() == told {
            let shown = candidate.certificate.as_ref();
            let doubt = shown.and_then(|shown| certificate::doubt(shown, &self.target.user, certificate::now()));
            self.notes.push(match doubt {
                Some(doubt) => format!("{} ({doubt})", candidate.label),
                None => candidate.label,
            });
        }
        Ok(answered)
    }

    async fn locked_key(
        &mut self,
        candidate: &Candidate,
        text: Arc<Zeroizing<String>>,
        file: &Path,
    ) -> Result<Answered, Trouble> {
        let key = match self.memory.key(file) {
            Some(key) => key,
            None => {
                if let Some(answered) = self.probe(candidate).await? {
                    return Ok(answered);
                }
                let Some(key) = self.unlock(&candidate.label, text).await? else { return Ok(Answered::NotOffered) };
                self.memory.remember_key(file, key.clone());
                key
            }
        };
        self.sign(candidate, key).await
    }

    async fn sign(&mut self, candidate: &Candidate, key: Arc<PrivateKey>) -> Result<Answered, Trouble> {
        let label = &candidate.label;
        let Some(hash) = self.hash(label, &key.algorithm()).await? else { return Ok(Answered::NotOffered) };
        if candidate.certificate.is_none() {
            let key = PrivateKeyWithHashAlg::new(key, hash);
            let user = self.target.user.clone();
            let offering = self.link.handle.authenticate_publickey(user, key);
            return timed(self.target, offering).await.map(Answered::from);
        }
        let limit = thinking_time(self.target.timeout);
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let presented = timeout(limit, present(handle, user, candidate, hash, &mut KeySigner { key })).await;
        self.signed(label, presented.ok(), "the key did not sign", limit)
    }

    async fn agent_key(&mut self, candidate: &Candidate, held: &AgentIdentity) -> Result<Answered, Trouble> {
        let label = &candidate.label;
        let Some(hash) = self.hash(label, &held.public_key().algorithm()).await? else {
            return Ok(Answered::NotOffered);
        };
        let Some(agent) = self.agent.as_mut() else { return Ok(Answered::NotOffered) };
        let mut signer = ThroughAgent { agent: &mut agent.client, held };
        let limit = thinking_time(self.target.timeout) + AGENT_LIMIT;
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let presented = timeout(limit, present(handle, user, candidate, hash, &mut signer)).await;
        self.signed(label, presented.ok(), "the agent did not sign", limit)
    }

    /// What became of an offer; `None`: nothing within the limit.
    fn signed(
        &mut self,
        label: &str,
        presented: Option<Result<AuthResult, AgentAuthError>>,
        trouble: &str,
        limit: Duration,
    ) -> Result<Answered, Trouble> {
        match presented {
            Some(Ok(result)) => Ok(result.into()),
            Some(Err(AgentAuthError::Send(_))) => Err(Trouble::Gone),
            Some(Err(AgentAuthError::Key(error))) => {
                self.notes.push(format!("{label} ({trouble}: {error})"));
                Ok(Answered::NotOffered)
            }
            None => Err(Failure::late("authentication", limit).into()),
        }
    }

    /// Finds out whether the server would take the key of an encrypted file; only then is anybody asked to unlock it.
    /// `None`: it would.
    async fn probe(&mut self, candidate: &Candidate) -> Result<Option<Answered>, Trouble> {
        let Some(public) = &candidate.public else { return Ok(None) };
        let Some(hash) = self.hash(&candidate.label, &public.algorithm()).await? else {
            return Ok(Some(Answered::NotOffered));
        };
        let mut probe = Probe { wanted: false };
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let limit = thinking_time(self.target.timeout);
        match timeout(limit, present(handle, user, candidate, hash, &mut probe)).await {
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

    /// The hash for signatures of RSA keys, the best the server knows. `None`: it wants SHA-1 only, and does not get it
    /// unless the configuration allows it.
    async fn hash(&mut self, label: &str, algorithm: &Algorithm) -> Result<Option<Option<HashAlg>>, Trouble> {
        if !is_rsa(algorithm) {
            return Ok(Some(None));
        }
        let sha1 = self.target.algorithms.takes_sha1();
        match timed(self.target, self.link.handle.best_supported_rsa_hash()).await? {
            Some(None) if !sha1 => {
                self.notes.push(format!(
                    "{label} (the server wants signatures with SHA-1, which are not safe; \
                     PubkeyAcceptedAlgorithms +ssh-rsa in the ssh configuration allows them)"
                ));
                Ok(None)
            }
            Some(best) => Ok(Some(best)),
            // Servers that do not say what they know are older than SHA-2 in SSH.
            None if sha1 => Ok(Some(None)),
            None => Ok(Some(Some(HashAlg::Sha512))),
        }
    }
}

/// Shows the certificate of a candidate, or else its public key, and signs when the server wants it.
async fn present<S: Signer<Error = AgentAuthError>>(
    handle: &mut Handle<Client>,
    user: String,
    candidate: &Candidate,
    hash: Option<HashAlg>,
    signer: &mut S,
) -> Result<AuthResult, AgentAuthError> {
    match (&candidate.certificate, &candidate.public) {
        (Some(shown), _) => handle.authenticate_certificate_with(user, (**shown).clone(), hash, signer).await,
        (None, Some(public)) => handle.authenticate_publickey_with(user, public.clone(), hash, signer).await,
        (None, None) => Err(AgentAuthError::Key(russh::keys::Error::CouldNotReadKey)),
    }
}
