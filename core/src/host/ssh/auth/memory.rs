//! What people typed, for as long as a destination is in use.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::keys::PrivateKey;

use crate::node::Secret;

/// Answers that opened a destination, so that its next connection does not ask again. Forgotten when the destination is.
#[derive(Default)]
pub(in crate::host::ssh) struct Memory(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    password: Option<Secret>,
    keys: HashMap<PathBuf, Arc<PrivateKey>>,
}

impl Memory {
    pub(super) fn password(&self) -> Option<Secret> {
        self.lock().password.clone()
    }

    pub(super) fn remember_password(&self, password: Secret) {
        self.lock().password = Some(password);
    }

    pub(super) fn forget_password(&self) {
        self.lock().password = None;
    }

    pub(super) fn key(&self, file: &Path) -> Option<Arc<PrivateKey>> {
        self.lock().keys.get(file).cloned()
    }

    pub(super) fn remember_key(&self, file: &Path, key: Arc<PrivateKey>) {
        self.lock().keys.insert(file.to_path_buf(), key);
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Memory(..)")
    }
}
