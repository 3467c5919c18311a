//! What russh calls back: the check of the server's key, and what happens to channels and the connection.

use std::sync::Arc;

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, ChannelId, ChannelOpenFailure, Error, Names};

use super::host_key::Inspector;
use super::vitals::{Vitals, describe_end};

/// Our side of a connection, inside russh's task.
pub(super) struct Client {
    vitals: Arc<Vitals>,
    /// Until the server has shown its key. russh asks once for a connection, rekeying included, and what the inspector
    /// knows is as large as the known-hosts files: nothing to keep for months, hundreds of times.
    inspector: Option<Inspector>,
}

impl Client {
    pub(super) fn new(vitals: Arc<Vitals>, inspector: Inspector) -> Client {
        Client { vitals, inspector: Some(inspector) }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // russh drops its handler when a connection is over, whichever way it ended, a panic included.
        self.vitals.ended().cancel();
    }
}

impl Handler for Client {
    type Error = Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Error> {
        let Some(inspector) = self.inspector.take() else { return Ok(false) };
        match shown {
            PublicKeyOrCertificate::PublicKey { key, .. } => Ok(inspector.examine(key).await),
            PublicKeyOrCertificate::Certificate(certificate) => Ok(inspector.examine_certificate(certificate).await),
        }
    }

    async fn auth_banner(&mut self, banner: &str, _: &mut Session) -> Result<(), Error> {
        self.vitals.banner_line(banner);
        Ok(())
    }

    async fn kex_done(&mut self, _: Option<&[u8]>, names: &Names, _: &mut Session) -> Result<(), Error> {
        let mut agreed = format!("{}, {}, {}", names.kex.as_ref(), names.key, names.cipher.as_ref());
        if !agreed.contains("gcm") && !agreed.contains("poly1305") {
            agreed.push_str(&format!(", {}", names.client_mac.as_ref()));
        }
        self.vitals.agreed(agreed);
        Ok(())
    }

    async fn channel_open_confirmation(&mut self, _: ChannelId, _: u32, _: u32, _: &mut Session) -> Result<(), Error> {
        self.vitals.opened();
        Ok(())
    }

    async fn channel_open_failure(
        &mut self,
        _: ChannelId,
        reason: ChannelOpenFailure,
        said: &str,
        _: &str,
        _: &mut Session,
    ) -> Result<(), Error> {
        self.vitals.failed_to_open(&reason, said);
        Ok(())
    }

    async fn channel_close(&mut self, _: ChannelId, _: &mut Session) -> Result<(), Error> {
        self.vitals.closed();
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        self.vitals.ending(describe_end(&reason));
        match reason {
            DisconnectReason::ReceivedDisconnect(_) => Ok(()),
            DisconnectReason::Error(error) => Err(error),
        }
    }

    // A server has no business opening channels to us: nothing is forwarded. Dropping the reply refuses.

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        drop(reply);
        Ok(())
    }
}
