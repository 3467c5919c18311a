//! The known-hosts files: which keys a host may show.
//!
//! Reads what OpenSSH writes: plain and hashed names, lists, patterns, negation, `[host]:port`, `@revoked` and
//! `@cert-authority` lines, any number of files, and files of revoked keys. Nothing here asks or connects, and nothing
//! looks into certificates: see `host_key` and `certificate`.

mod append;
mod line;
mod revoked;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, Certificate, HashAlg, PublicKey};

use line::{Line, Marker};
use revoked::Revoked;

use super::failure::{Failure, explained};

pub(super) use append::append;

/// Files larger than this are refused rather than read: 64 MiB.
const MAX_FILE: u64 = 64 * 1024 * 1024;

/// Where one line was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A key that is on file for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownKey {
    pub(super) place: Place,
    /// The name the line was found under: `host` or `[host]:port`.
    pub(super) name: String,
    pub(super) algorithm: Algorithm,
    /// `SHA256:...`
    pub(super) fingerprint: String,
}

/// What the files say about a key that a host shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the host's key.
    Known,
    /// The host is known, with other keys only.
    Changed(KnownKey),
    /// It must not be trusted any more.
    Revoked(Place),
    /// The host is not known.
    Unknown,
}

/// What the files say about the authority of a certificate that a host shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Authority {
    /// It may vouch for this host.
    Trusted,
    /// The key of the host, or the authority, must not be trusted any more.
    Revoked(Place),
    /// It is not on file for this host; the first one that is, if there is one.
    Unknown(Option<KnownKey>),
}

/// The files, read once for one connection attempt.
#[derive(Debug)]
pub(super) struct KnownHosts {
    files: Vec<(PathBuf, String)>,
    /// Of any host.
    revoked: Revoked,
}

impl KnownHosts {
    /// Reads the files. A file that does not exist is empty; one that cannot be read is an error, because it could
    /// hold the line that says no.
    pub(super) fn read(files: &[PathBuf]) -> Result<KnownHosts, Failure> {
        let mut read = Vec::new();
        for file in files {
            match read_bounded(file) {
                Ok(text) => read.push((file.clone(), text)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => {
                    return Err(Failure::new(format!(
                        "known hosts: cannot read {}: {}",
                        file.display(),
                        explained(&error)
                    ))
                    .hint("no host is trusted while this file cannot be read"));
                }
            }
        }
        Ok(KnownHosts { files: read, revoked: Revoked::default() })
    }

    /// The same, without the keys in these files (`RevokedHostKeys`).
    ///
    /// # Errors
    /// A file that is not there or cannot be understood: it could hold the key that a host shows.
    pub(super) fn except(self, revoked: &[PathBuf]) -> Result<KnownHosts, Failure> {
        Ok(KnownHosts { revoked: Revoked::read(revoked)?, ..self })
    }

    #[cfg(test)]
    pub(super) fn from_texts(texts: &[(&str, &str)]) -> KnownHosts {
        let files = texts.iter().map(|(file, text)| (file.into(), text.to_string())).collect();
        KnownHosts { files, revoked: Revoked::default() }
    }

    /// The lines about a name, and what they say about their key.
    #[cfg(test)]
    pub(super) fn lines_about(&self, name: &str) -> Vec<(usize, &'static str)> {
        let about = self.about(name);
        let word = |marker| match marker {
            Marker::None => "",
            Marker::Revoked => "REVOKED",
            Marker::CertAuthority => "CA",
        };
        about.map(|(place, line)| (place.line, word(line.marker))).collect()
    }

    /// Judges the key that `host` shows on `port`.
    pub(super) fn check(&self, host: &str, port: u16, key: &PublicKey) -> Verdict {
        if let Some(place) = self.revoked.place(&[key.key_data()]) {
            return Verdict::Revoked(place);
        }
        let verdict = self.check_name(&name(host, port), key);
        if verdict != Verdict::Unknown || port == 22 {
            return verdict;
        }
        // As OpenSSH does: a key that is on file for the bare name is good on any port, but another one says nothing
        // about this port.
        match self.check_name(&name(host, 22), key) {
            Verdict::Changed(_) => Verdict::Unknown,
            verdict => verdict,
        }
    }

    /// Looks for the authority of a certificate that `host` shows on `port`.
    pub(super) fn authority(&self, host: &str, port: u16, certificate: &Certificate) -> Authority {
        if let Some(place) = self.revoked.place(&[certificate.signature_key(), certificate.public_key()]) {
            return Authority::Revoked(place);
        }
        let mut on_file = None;
        let mut trusted = false;
        for name in names(host, port) {
            for (place, line) in self.about(&name) {
                let signed = line.key.key_data() == certificate.signature_key();
                match line.marker {
                    Marker::Revoked if signed || line.key.key_data() == certificate.public_key() => {
                        return Authority::Revoked(place);
                    }
                    Marker::CertAuthority if signed => trusted = true,
                    Marker::CertAuthority => {
                        on_file.get_or_insert_with(|| known_key(place, &name, &line));
                    }
                    Marker::Revoked | Marker::None => {}
                }
            }
        }
        if trusted { Authority::Trusted } else { Authority::Unknown(on_file) }
    }

    /// Whether an authority is on file for a host. Only then is a server asked for a certificate.
    pub(super) fn has_authority(&self, host: &str, port: u16) -> bool {
        let authority = |name: &String| self.about(name).any(|(_, line)| line.marker == Marker::CertAuthority);
        self.mentions("@cert-authority") && names(host, port).iter().any(authority)
    }

    /// Whether a certificate may be revoked that the host shows: then it is asked for, as ssh does, although nobody vouches
    /// for it.
    pub(super) fn may_revoke(&self, host: &str, port: u16) -> bool {
        let revoked = |name: &String| self.about(name).any(|(_, line)| line.marker == Marker::Revoked);
        !self.revoked.is_empty() || self.mentions("@revoked") && names(host, port).iter().any(revoked)
    }

    /// Files of revoked keys that are key revocation lists, which are not read here.
    pub(super) fn lists(&self) -> &[PathBuf] {
        self.revoked.lists()
    }

    /// Kinds of keys on file for a host, in file order. A server is asked for these first, so that a host known by one
    /// kind does not look unknown by another.
    pub(super) fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let mut found = Vec::new();
        for name in names(host, port) {
            for (_, line) in self.about(&name).filter(|(_, line)| line.marker == Marker::None) {
                let algorithm = line.key.algorithm();
                if !found.contains(&algorithm) {
                    found.push(algorithm);
                }
            }
        }
        found
    }

    fn check_name(&self, name: &str, key: &PublicKey) -> Verdict {
        let mut known = false;
        let mut other: Option<KnownKey> = None;
        for (place, line) in self.about(name) {
            let same = line.key.key_data() == key.key_data();
            match line.marker {
                Marker::Revoked if same => return Verdict::Revoked(place),
                Marker::None if same => known = true,
                Marker::None => {
                    // Of several other keys, one of the same kind tells most.
                    if other.as_ref().is_none_or(|other| other.algorithm != key.algorithm()) {
                        other = Some(known_key(place, name, &line));
                    }
                }
                Marker::Revoked | Marker::CertAuthority => {}
            }
        }
        match other {
            _ if known => Verdict::Known,
            Some(other) => Verdict::Changed(other),
            None => Verdict::Unknown,
        }
    }

    /// The lines about a name, in order.
    fn about(&self, name: &str) -> impl Iterator<Item = (Place, Line)> {
        self.files.iter().flat_map(move |(file, text)| {
            text.lines().enumerate().filter_map(move |(index, text)| {
                let line = Line::about(name, text)?;
                Some((Place { file: file.clone(), line: index + 1 }, line))
            })
        })
    }

    /// Whether there may be a line with this marker at all.
    fn mentions(&self, marker: &str) -> bool {
        self.files.iter().any(|(_, text)| text.contains(marker))
    }
}

fn known_key(place: Place, name: &str, line: &Line) -> KnownKey {
    let key: &KeyData = line.key.key_data();
    let fingerprint = key.fingerprint(HashAlg::Sha256).to_string();
    KnownKey { place, name: name.to_string(), algorithm: key.algorithm(), fingerprint }
}

/// The names under which a host may be on file: what is on file for the bare name is good on any port, as in OpenSSH.
fn names(host: &str, port: u16) -> Vec<String> {
    let mut names = vec![name(host, port)];
    if port != 22 {
        names.push(name(host, 22));
    }
    names
}

/// How a key is named to people: `SHA256:...`
pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The name under which a host is on file: lower-case, with the port unless it is 22.
pub(super) fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

fn read_bounded(file: &Path) -> io::Result<String> {
    let length = std::fs::metadata(file)?.len();
    if length > MAX_FILE {
        return Err(io::Error::other(format!("{length} bytes are too many")));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
}
