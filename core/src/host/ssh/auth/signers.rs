//! Who signs when a server wants a proof: a key we have, the agent, or nobody.

use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{Error, HashAlg, PrivateKey};
use russh::{AgentAuthError, Signer};
use tokio::net::UnixStream;

/// Signs with a key; for certificates, because russh signs for those with no choice of the hash.
pub(super) struct KeySigner {
    pub(super) key: Arc<PrivateKey>,
}

impl Signer for KeySigner {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        let signature = match self.key.key_data() {
            KeypairData::Rsa(pair) => (pair, hash).try_sign(&to_sign),
            other => other.try_sign(&to_sign),
        };
        let signature =
            signature.map_err(|_| AgentAuthError::Key(Error::SshKey(russh::keys::ssh_key::Error::Crypto)))?;
        let added = signature.encode_prefixed(&mut to_sign);
        added.map_err(|error| AgentAuthError::Key(Error::SshEncoding(error)))?;
        Ok(to_sign)
    }
}

/// Signs with a key of the agent, which need not know the certificate that is shown.
pub(super) struct ThroughAgent<'a> {
    pub(super) agent: &'a mut AgentClient<UnixStream>,
    pub(super) held: &'a AgentIdentity,
}

impl Signer for ThroughAgent<'_> {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        hash: Option<HashAlg>,
        to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        Ok(self.agent.sign_request(self.held, hash, to_sign).await?)
    }
}

/// Signs nothing; finds out whether a signature would be wanted.
pub(super) struct Probe {
    pub(super) wanted: bool,
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
        Err(AgentAuthError::Key(Error::AgentFailure))
    }
}
