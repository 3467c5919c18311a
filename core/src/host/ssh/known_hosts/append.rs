//! Remembering a key that was accepted.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use russh::keys::{PublicKey, PublicKeyBase64};

/// Adds a line for `host`. One write in append mode, so that lines of several writers never mix; on disk before it
/// returns. A new file is the owner's alone, so is a new directory.
pub(in crate::host::ssh) fn append(file: &Path, host: &str, port: u16, key: &PublicKey) -> io::Result<()> {
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let mut opened = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    let start = if ends_in_mid_line(&mut opened)? { "\n" } else { "" };
    let name = super::name(host, port);
    let line = format!("{start}{name} {} {}\n", key.algorithm().as_str(), key.public_key_base64());
    opened.write_all(line.as_bytes())?;
    match opened.sync_all() {
        // /dev/null, which people name to remember nothing, cannot be synced.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        synced => synced,
    }
}

fn ends_in_mid_line(file: &mut std::fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
