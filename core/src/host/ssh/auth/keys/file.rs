//! Key files.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use russh::keys::{Error, PrivateKey, PublicKey, decode_secret_key};
use zeroize::Zeroizing;

use super::{Candidate, Source};
use crate::host::ssh::failure::explained;

/// Key files are small: 64 KiB.
pub(super) const MAX_FILE: u64 = 64 * 1024;

/// Reads a key file. `None`: there is none.
pub(super) fn load(file: &Path) -> Result<Option<Candidate>, String> {
    let metadata = match std::fs::metadata(file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(explained(&error)),
    };
    if metadata.len() > MAX_FILE {
        return Err(format!("{} bytes are too many for a key", metadata.len()));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| explained(&error))?);
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

pub(super) fn read_key(text: &str, file: &Path, public: Option<PublicKey>) -> Result<Candidate, String> {
    let label = format!("key {}", file.display());
    let locked = |public| Candidate {
        label: label.clone(),
        public,
        certificate: None,
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
            certificate: None,
            source: Source::Ready(Arc::new(key)),
            label: label.clone(),
        }),
        Err(_) if text.contains("ENCRYPTED") => Ok(locked(public)),
        Err(Error::CouldNotReadKey) => Err("it is not a private key in a known form".into()),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn public_half(file: &Path) -> Option<PublicKey> {
    let mut name = file.as_os_str().to_owned();
    if file.extension().is_none_or(|extension| extension != "pub") {
        name.push(".pub");
    }
    PublicKey::from_openssh(&std::fs::read_to_string(name).ok()?).ok()
}
