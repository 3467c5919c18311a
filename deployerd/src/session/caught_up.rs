//! How a session hears that a slow client reads again, without waiting for it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::connection::{ClientId, Outbox};

/// Clients that have read all there was since the last look. Bounded by the number of clients.
#[derive(Default)]
pub(crate) struct CaughtUp {
    ids: Mutex<BTreeSet<ClientId>>,
    changed: Notify,
}

impl CaughtUp {
    /// Notes the client when all that waits for it was handed to the socket.
    pub(super) fn tell_when_sent(self: &Arc<CaughtUp>, id: ClientId, outbox: &Outbox) {
        let this = self.clone();
        outbox.when_sent(move || {
            this.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
            this.changed.notify_one();
        });
    }

    /// Waits for one. Cancel safe.
    pub(crate) async fn next(&self) -> ClientId {
        loop {
            if let Some(id) = self.ids.lock().unwrap_or_else(PoisonError::into_inner).pop_first() {
                return id;
            }
            self.changed.notified().await;
        }
    }
}
