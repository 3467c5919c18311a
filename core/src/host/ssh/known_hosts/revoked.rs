//! Keys that must not be trusted, whichever host shows them: the files of `RevokedHostKeys`.
//!
//! Read as OpenSSH does (`sshkey_in_file`): a public key in each line, and a file or line that cannot be read refuses all
//! hosts. What is in a key revocation list, `ssh-keygen` has to say: see `krl`.

use std::path::{Path, PathBuf};

use russh::keys::PublicKey;
use russh::keys::ssh_key::public::KeyData;

use super::line::public_key;
use super::{Place, read_bounded};
use crate::host::ssh::failure::{Failure, explained};

/// What a key revocation list of `ssh-keygen -k` begins with.
const LIST: &str = "SSHKRL\n\0";

/// All revoked keys, read once for one connection attempt.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    keys: Vec<(Place, PublicKey)>,
    /// Files that are key revocation lists.
    lists: Vec<PathBuf>,
}

impl Revoked {
    pub(super) fn read(files: &[PathBuf]) -> Result<Revoked, Failure> {
        let mut revoked = Revoked::default();
        for file in files {
            read(file, &mut revoked)?;
        }
        Ok(revoked)
    }

    /// The files that are key revocation lists.
    pub(super) fn lists(&self) -> &[PathBuf] {
        &self.lists
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.lists.is_empty()
    }

    /// Where one of these is revoked.
    pub(super) fn place(&self, shown: &[&KeyData]) -> Option<Place> {
        let found = self.keys.iter().find(|(_, key)| shown.contains(&key.key_data()));
        found.map(|(place, _)| place.clone())
    }
}

fn read(file: &Path, revoked: &mut Revoked) -> Result<(), Failure> {
    let refused = |why: String, hint: &str| {
        let hint = format!("no host is trusted before that; {hint}");
        Err(Failure::new(format!("RevokedHostKeys: cannot read {}: {why}", file.display())).hint(hint))
    };
    let text = match read_bounded(file) {
        Ok(text) => text,
        Err(error) => return refused(explained(&error), "make it readable, or take RevokedHostKeys out"),
    };
    if text.starts_with(LIST) {
        revoked.lists.push(file.to_path_buf());
        return Ok(());
    }
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match public_key(&mut line.split_ascii_whitespace()) {
            Some(key) => revoked.keys.push((Place { file: file.to_path_buf(), line: index + 1 }, key)),
            None => {
                let why = format!("line {} is not a public key", index + 1);
                return refused(why, "correct the line or remove it");
            }
        }
    }
    Ok(())
}
