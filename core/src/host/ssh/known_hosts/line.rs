//! One line of a known-hosts file.

use std::borrow::Cow;

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

/// A line that could be read, about a host that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) marker: Marker,
    pub(super) key: PublicKey,
}

impl Line {
    /// Reads a line if it is about the host of this name (as [`super::name`] makes it). `None` too for comments, empty lines
    /// and lines that OpenSSH would skip (damaged, unknown kinds).
    ///
    /// Names come first: a file has a line for each host there is, and keys are what is expensive to read.
    pub(super) fn about(name: &str, text: &str) -> Option<Line> {
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
        if !names(first, name)? {
            return None;
        }
        Some(Line { marker, key: public_key(&mut words)? })
    }
}

/// The key in the next two words: its kind, and itself in base64.
pub(super) fn public_key<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<PublicKey> {
    let (kind, key) = (words.next()?, words.next()?);
    // Nothing may follow the key inside its own text.
    let key = PublicKey::from_bytes(&STANDARD.decode(key).ok()?).ok()?;
    (key.algorithm().as_str() == kind).then_some(key)
}

/// Whether the names of a line, patterns or a hash, take this one. `None`: they are damaged.
fn names(names: &str, name: &str) -> Option<bool> {
    let Some(hashed) = names.strip_prefix("|1|") else {
        let names = match names.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(names.to_ascii_lowercase()),
            false => Cow::Borrowed(names),
        };
        return Some(wildcard::list_matches(names.split(','), name));
    };
    let (salt, hash) = hashed.split_once('|')?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&STANDARD.decode(salt).ok()?).ok()?;
    mac.update(name.as_bytes());
    Some(mac.verify_slice(&STANDARD.decode(hash).ok()?).is_ok())
}
