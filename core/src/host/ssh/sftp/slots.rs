//! Which SFTP channel belongs to which destination.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::session::{Session, User};
use crate::host::ssh::target::Key;

/// The channels of a pool. Whoever comes first opens one, the others wait for it.
#[derive(Default)]
pub(in crate::host::ssh) struct Slots(Mutex<HashMap<Key, Slot>>);

type Slot = Arc<OnceCell<Arc<Session>>>;

impl Slots {
    /// The channel to a destination; `open` is called when there is none.
    ///
    /// # Errors
    /// What `open` says.
    pub(super) async fn user<E, F: Future<Output = Result<Arc<Session>, E>> + Send>(
        &self,
        key: &Key,
        open: impl Fn() -> F + Send + Sync,
    ) -> Result<User, E> {
        loop {
            let slot = self.slot(key);
            let session = slot.get_or_try_init(&open).await?;
            match session.enter() {
                Some(user) => return Ok(user),
                None => self.forget(key, &slot),
            }
        }
    }

    fn slot(&self, key: &Key) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(key.clone()).or_default().clone()
    }

    fn forget(&self, key: &Key, slot: &Slot) {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.get(key).is_some_and(|current| Arc::ptr_eq(current, slot)) {
            slots.remove(key);
        }
    }
}
