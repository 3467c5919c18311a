//! A way that is open: everything up to the last step, the stream itself.

use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};

use super::command;
use super::journey::Journey;
use super::route::Route;
use super::{direct, through};
use crate::host::Reach;
use crate::host::ssh::failure::Failure;
use crate::host::ssh::pool::{Lease, Shared};
use crate::host::ssh::target::Target;
use crate::host::ssh::vitals::Forward;

/// A two-way stream of bytes, whatever it is made of.
pub(in crate::host::ssh) trait Bytes: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Bytes for T {}

/// A stream that ends at an SSH server, one hopes.
pub(in crate::host::ssh) struct Stream {
    pub(in crate::host::ssh) bytes: Box<dyn Bytes>,
    /// The program at our end of it.
    pub(in crate::host::ssh) command: Option<command::Watch>,
    /// Counts as a channel that leads on, for as long as the connection lives.
    pub(in crate::host::ssh) forward: Option<Forward>,
}

/// How a target is reached, with what is needed for it at hand.
pub(in crate::host::ssh) enum Way {
    Direct,
    /// The connection to the hop is kept for as long as the lease.
    Through(Lease),
    Command,
}

impl Way {
    /// Gets ready: connects to the hop, when there is one.
    ///
    /// # Errors
    /// Why the hop cannot be reached; the hop is named.
    pub(in crate::host::ssh) async fn find(
        target: &Target,
        journey: &Journey,
        reach: &Reach,
        pool: &Arc<Shared>,
    ) -> Result<Way, Failure> {
        match &target.route {
            Route::Direct => Ok(Way::Direct),
            Route::Command(_) => Ok(Way::Command),
            Route::Jump(hop) => {
                let lease = pool.lease_hop(hop, journey, reach).await.map_err(|failure| failure.at(hop))?;
                Ok(Way::Through(lease))
            }
        }
    }

    /// Opens a stream to the target.
    ///
    /// # Errors
    /// Why there is none.
    pub(in crate::host::ssh) async fn open(&self, target: &Target, agent: Option<&Path>) -> Result<Stream, Failure> {
        match (self, &target.route) {
            (Way::Through(lease), Route::Jump(hop)) => match through::open(lease, hop, target).await {
                Ok((stream, forward)) => Ok(Stream { bytes: Box::new(stream), command: None, forward: Some(forward) }),
                Err(through::Blocked::Lost(why)) => Err(Failure::new(why).at(hop)),
                Err(through::Blocked::Failed(failure)) => Err(failure),
            },
            (Way::Command, Route::Command(command)) => {
                let (stream, watch) = command::start(&command.line, agent)
                    .await
                    .map_err(|error| Failure::new(format!("proxy command: cannot start it: {error}")))?;
                Ok(Stream { bytes: Box::new(stream), command: Some(watch), forward: None })
            }
            _ => Ok(Stream { bytes: Box::new(direct::open(target).await?), command: None, forward: None }),
        }
    }

    /// The lease of the hop's connection, for whoever keeps the stream.
    pub(in crate::host::ssh) fn into_lease(self) -> Option<Lease> {
        match self {
            Way::Through(lease) => Some(lease),
            Way::Direct | Way::Command => None,
        }
    }

    /// Whether the hop's connection is gone meanwhile.
    pub(in crate::host::ssh) fn is_lost(&self) -> bool {
        matches!(self, Way::Through(lease) if lease.connection.is_dead())
    }
}
