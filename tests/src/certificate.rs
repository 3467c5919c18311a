//! Certificates for the servers of a farm.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::sshd::make_key;

/// Signs `host_key` in a directory with a new authority; the certificate is `host_key-cert.pub`.
pub(crate) fn sign_host_key(dir: &Path, more: &[String]) {
    make_key(&dir.join("authority"));
    let mut command = Command::new("ssh-keygen");
    command.args(["-q", "-h", "-I", "story", "-s"]).arg(dir.join("authority")).args(more);
    command.arg(dir.join("host_key.pub")).stdin(Stdio::null());
    assert!(command.status().expect("ssh-keygen").success(), "ssh-keygen signed nothing");
}
