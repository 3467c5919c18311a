//! One line of a known-hosts file.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use russh::keys::PublicKey;
use sha1::Sha1;

use crate::host::ssh::wildcard;

/// What a line says about its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// It is a key of these hosts.
    None,
    /// It must not be trusted.
    Revoked,
    /// It signs certificates of these hosts.
    CertAuthority,
}

/// A line that could be read.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) key: PublicKey,
    hosts: Hosts,
}

#[derive(Clone, Debug)]
enum Hosts {
    Patterns(Vec<String>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl Line {
    /// Reads a line; `None` for comments, empty lines and lines that OpenSSH would skip too (damaged, unknown kinds).
    pub(super) fn parse(text: &str) -> Option<Line> {
        let mut words = text.split_ascii_whitespace();
        let mut first = words.next().filter(|word| !word.starts_with('#'))?;
        let marker = match first {
            "@revoked" => Marker::Revoked,
            "@cert-authority" => Marker::CertAuthority,
            _ if first.starts_with('@') => return None,
            _ => Marker::None,
        };
        if marker != Marker::None {
            first = words.next()?;
        }
        let (kind, key) = (words.next()?, words.next()?);
        // Nothing may follow the key inside its own text.
        let key =
            PublicKey::from_bytes(&STANDARD.decode(key).ok()?).ok().filter(|key| key.algorithm().as_str() == kind)?;
        Some(Line { marker, key, hosts: Hosts::parse(first)? })
    }

    /// Whether the line is about the host of this name (as [`super::name`] makes it).
    pub(super) fn names(&self, name: &str) -> bool {
        match &self.hosts {
            Hosts::Patterns(patterns) => wildcard::list_matches(patterns.iter().map(String::as_str), name),
            Hosts::Hashed { salt, hash } => digest(salt, name).is_some_and(|mac| mac.verify_slice(hash).is_ok()),
        }
    }
}

impl Hosts {
    fn parse(text: &str) -> Option<Hosts> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return Some(Hosts::Patterns(text.to_ascii_lowercase().split(',').map(str::to_string).collect()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        Some(Hosts::Hashed { salt: STANDARD.decode(salt).ok()?, hash: STANDARD.decode(hash).ok()? })
    }
}

fn digest(salt: &[u8], name: &str) -> Option<Hmac<Sha1>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).ok()?;
    mac.update(name.as_bytes());
    Some(mac)
}
