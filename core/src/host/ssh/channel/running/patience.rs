//! What becomes of a running command whose reader is slow.

use std::time::{Duration, Instant};

use super::{Happening, Running};
use crate::host::ssh::channel::waits::{Stall, next_request};

/// How long others on the connection may be kept waiting by one slow reader, in all, until it has caught up.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

impl Running {
    /// The ring is full: nothing is taken from the connection until there is room, or patience ends.
    pub(super) async fn wait_for_reader(&mut self) {
        let alone = self.lease.connection.serves_one();
        let (started, patience) = (Instant::now(), self.patience);
        let _stall = Stall::new(&self.lease);
        let limit = async {
            match alone {
                true => std::future::pending().await,
                false => tokio::time::sleep(patience).await,
            }
        };
        let (events, requests) = (&self.reader.events, &mut self.reader.requests);
        let happening = tokio::select! {
            permit = events.reserve() => {
                if let (Ok(permit), Some(event)) = (permit, self.ring.pop()) {
                    permit.send(event);
                }
                Happening::Delivered
            }
            () = limit => Happening::Impatient,
            request = next_request(requests, self.outbox.has_room()), if self.listening => Happening::Request(request),
        };
        match happening {
            // A request would not get out: russh is waiting for us.
            Happening::Request(request) => {
                self.dropping |= request.is_some();
                self.put(request);
            }
            Happening::Impatient => self.dropping = true,
            _ => {}
        }
        if !alone {
            self.patience = self.patience.saturating_sub(started.elapsed());
        }
        if self.reader.events.is_closed() {
            // The next step sees it; taking must not be what it waits for.
            self.dropping = true;
        }
    }

    pub(super) fn caught_up(&mut self) {
        if self.ring.is_empty() && self.end.is_none() {
            self.dropping = false;
            self.patience = PATIENCE;
        }
    }
}
