//! Which algorithms are offered to a server: our defaults, changed by what the SSH configuration says about the host.
//!
//! `Ciphers`, `KexAlgorithms`, `MACs`, `HostKeyAlgorithms`, `PubkeyAcceptedAlgorithms` and `CASignatureAlgorithms` are read as OpenSSH reads them:
//! a list replaces the defaults, `+list` adds to them, `-list` takes away, `^list` puts to the front; names may be
//! patterns. What the configuration wants and nobody here can do is kept aside, and told when a server insists on it.

mod disagreement;
pub(super) mod list;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use russh::keys::ssh_key::EcdsaCurve;
use russh::keys::{Algorithm, HashAlg};
use russh::{Preferred, cipher, kex, mac};

use super::failure::Failure;

pub(super) use disagreement::disagreement;

/// The settings as written, `None` where the configuration says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Wishes {
    /// `KexAlgorithms`.
    pub(super) kex: Option<String>,
    /// `HostKeyAlgorithms`.
    pub(super) host_keys: Option<String>,
    /// `Ciphers`.
    pub(super) ciphers: Option<String>,
    /// `MACs`.
    pub(super) macs: Option<String>,
    /// `PubkeyAcceptedAlgorithms`.
    pub(super) user_keys: Option<String>,
    /// `CASignatureAlgorithms`.
    pub(super) authorities: Option<String>,
}

/// What is offered, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Algorithms {
    kex: Vec<kex::Name>,
    ciphers: Vec<cipher::Name>,
    macs: Vec<mac::Name>,
    host_keys: Vec<Algorithm>,
    /// Kinds of host keys that may be vouched for by a certificate.
    certificates: Vec<Algorithm>,
    /// Names of the kinds of keys that may let us in.
    user_keys: Vec<String>,
    /// Names of the signatures with which an authority may vouch for a host.
    authorities: Vec<String>,
    /// What the configuration asks for and nobody here can do.
    missing: Vec<String>,
}

impl Wishes {
    /// Applies the wishes to the defaults.
    ///
    /// # Errors
    /// A list that leaves nothing to offer, or a name that is none.
    pub(super) fn resolve(&self) -> Result<Algorithms, Failure> {
        let mut missing = Vec::new();
        let mut take = |keyword: &str, wish: &Option<String>, defaults: Vec<String>, all: Vec<String>| {
            let Some(wish) = wish else { return Ok(defaults) };
            let chosen = list::apply(keyword, wish, &defaults, &all)?;
            missing.extend(chosen.missing);
            Ok::<_, Failure>(chosen.names)
        };
        let kex = take("KexAlgorithms", &self.kex, names(default_kex()), kex_names())?;
        let ciphers = take("Ciphers", &self.ciphers, names(default_ciphers()), cipher_names())?;
        let macs = take("MACs", &self.macs, names(DEFAULT_MACS), mac_names())?;
        let keys = take("HostKeyAlgorithms", &self.host_keys, default_keys(), key_names())?;
        let user_keys = take("PubkeyAcceptedAlgorithms", &self.user_keys, default_keys(), key_names())?;
        // Nothing is offered by this one, so a server cannot miss anything of it.
        let authorities = match &self.authorities {
            Some(wish) => list::apply("CASignatureAlgorithms", wish, &signatures(), &signatures())?.names,
            None => signatures(),
        };
        Ok(Algorithms {
            kex: kex.iter().filter_map(|name| kex::Name::try_from(name.as_str()).ok()).collect(),
            ciphers: ciphers.iter().filter_map(|name| cipher::Name::try_from(name.as_str()).ok()).collect(),
            macs: macs.iter().filter_map(|name| mac::Name::try_from(name.as_str()).ok()).collect(),
            host_keys: plain(&keys),
            certificates: certified(&keys),
            user_keys,
            authorities,
            missing,
        })
    }
}

/// Of which kinds a server is asked for certificates, before keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certificates {
    /// An authority is on file that could vouch for the host.
    Any,
    /// Nobody vouches for it, but its certificate may be revoked: the key in it must be one that can be compared.
    OfKnownKinds,
    /// Nobody needs one.
    None,
}

impl Algorithms {
    /// The offer for a server of which keys of these kinds are on file.
    pub(super) fn offer(&self, known: &[Algorithm], certificates: Certificates) -> Preferred {
        let mut kex = self.kex.clone();
        // Not algorithms: they tell the server what we understand.
        kex.extend([kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT]);
        let mut certified = self.certificates.clone();
        match certificates {
            Certificates::Any => {}
            Certificates::OfKnownKinds if known.is_empty() => {}
            Certificates::OfKnownKinds => certified.retain(|kind| on_file(kind, known)),
            Certificates::None => certified.clear(),
        }
        Preferred {
            kex: Cow::Owned(kex),
            key: Cow::Owned(known_first(&self.host_keys, known)),
            host_key_certificates: Cow::Owned(certified),
            cipher: Cow::Owned(self.ciphers.clone()),
            mac: Cow::Owned(self.macs.clone()),
            ..Preferred::DEFAULT
        }
    }

    /// Whether a key, or a certificate, of this kind may be offered to let us in.
    pub(super) fn takes_user_key(&self, algorithm: &Algorithm, certificate: bool) -> bool {
        let named = |name: &str| self.user_keys.iter().any(|taken| taken == name);
        let name = |algorithm: &Algorithm| match certificate {
            true => algorithm.to_certificate_type(),
            false => algorithm.as_str().to_string(),
        };
        match algorithm {
            Algorithm::Rsa { .. } => rsa_kinds().iter().any(|kind| named(&name(kind))),
            other => named(&name(other)),
        }
    }

    /// Whether signatures with SHA-1, which are not safe, are allowed for this host.
    pub(super) fn takes_sha1(&self) -> bool {
        self.user_keys.iter().any(|name| name == "ssh-rsa" || name == "ssh-rsa-cert-v01@openssh.com")
    }

    /// Names of the signatures with which an authority may vouch for a host.
    pub(super) fn authorities(&self) -> &[String] {
        &self.authorities
    }

    /// What the configuration asks for and nobody here can do.
    pub(super) fn missing(&self) -> &[String] {
        &self.missing
    }
}

/// Kinds of host keys to ask for, those on file first, as OpenSSH orders them: the server then shows a key that can be
/// compared, and not another one that would look new.
fn known_first(all: &[Algorithm], known: &[Algorithm]) -> Vec<Algorithm> {
    let (mut order, rest): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|kind| on_file(kind, known));
    order.extend(rest);
    order
}

fn on_file(kind: &Algorithm, known: &[Algorithm]) -> bool {
    match kind {
        Algorithm::Rsa { .. } => known.iter().any(is_rsa),
        other => known.contains(other),
    }
}

pub(super) fn is_rsa(algorithm: &Algorithm) -> bool {
    matches!(algorithm, Algorithm::Rsa { .. })
}

/// What OpenSSH offers too; nothing that needs SHA-1.
fn default_kex() -> &'static [kex::Name] {
    &[
        kex::MLKEM768X25519_SHA256,
        kex::CURVE25519,
        kex::CURVE25519_PRE_RFC_8731,
        kex::ECDH_SHA2_NISTP256,
        kex::ECDH_SHA2_NISTP384,
        kex::ECDH_SHA2_NISTP521,
        kex::DH_GEX_SHA256,
        kex::DH_G16_SHA512,
        kex::DH_G18_SHA512,
        kex::DH_G17_SHA512,
        kex::DH_G15_SHA512,
        kex::DH_G14_SHA256,
    ]
}

/// Ciphers in order: AES-GCM costs half of ChaCha20 where the processor has AES instructions, measured.
fn default_ciphers() -> &'static [cipher::Name] {
    const AES: &[cipher::Name] = &[
        cipher::AES_256_GCM,
        cipher::AES_128_GCM,
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_CTR,
        cipher::AES_192_CTR,
        cipher::AES_128_CTR,
    ];
    const CHACHA: &[cipher::Name] = &[
        cipher::CHACHA20_POLY1305,
        cipher::AES_256_GCM,
        cipher::AES_128_GCM,
        cipher::AES_256_CTR,
        cipher::AES_192_CTR,
        cipher::AES_128_CTR,
    ];
    if has_aes() { AES } else { CHACHA }
}

fn has_aes() -> bool {
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    return std::arch::is_x86_feature_detected!("aes") && std::arch::is_x86_feature_detected!("pclmulqdq");
    #[cfg(target_arch = "aarch64")]
    return std::arch::is_aarch64_feature_detected!("aes");
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
    return false;
}

/// HMAC with SHA-1 comes last, as in OpenSSH: the weakness of SHA-1 does not reach it, and old servers know no other.
const DEFAULT_MACS: &[mac::Name] = &[
    mac::HMAC_SHA256_ETM,
    mac::HMAC_SHA512_ETM,
    mac::HMAC_SHA256,
    mac::HMAC_SHA512,
    mac::HMAC_SHA1_ETM,
    mac::HMAC_SHA1,
];

fn rsa_kinds() -> [Algorithm; 3] {
    [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].map(|hash| Algorithm::Rsa { hash })
}

/// Kinds of keys, the best first; the last one signs with SHA-1 and is no default.
fn keys() -> Vec<Algorithm> {
    let curves = [EcdsaCurve::NistP256, EcdsaCurve::NistP384, EcdsaCurve::NistP521];
    let mut keys = vec![Algorithm::Ed25519];
    keys.extend(curves.map(|curve| Algorithm::Ecdsa { curve }));
    keys.extend([Algorithm::SkEd25519, Algorithm::SkEcdsaSha2NistP256]);
    keys.extend(rsa_kinds());
    keys
}

/// Names of all kinds, certificates first.
fn key_names() -> Vec<String> {
    let plain = keys().into_iter().map(|key| key.as_str().to_string());
    keys().iter().map(Algorithm::to_certificate_type).chain(plain).collect()
}

fn default_keys() -> Vec<String> {
    key_names().into_iter().filter(|name| name != "ssh-rsa" && name != "ssh-rsa-cert-v01@openssh.com").collect()
}

/// Names of the signatures that are safe, those of certificates left out: an authority has none itself.
fn signatures() -> Vec<String> {
    keys().iter().map(|key| key.as_str().to_string()).filter(|name| name != "ssh-rsa").collect()
}

fn plain(names: &[String]) -> Vec<Algorithm> {
    let all = keys();
    names.iter().filter_map(|name| all.iter().find(|key| key.as_str() == name).cloned()).collect()
}

fn certified(names: &[String]) -> Vec<Algorithm> {
    let all = keys();
    names.iter().filter_map(|name| all.iter().find(|key| key.to_certificate_type() == *name).cloned()).collect()
}

fn names<N: AsRef<str>>(list: &[N]) -> Vec<String> {
    list.iter().map(|name| name.as_ref().to_string()).collect()
}

fn kex_names() -> Vec<String> {
    names(kex::ALL_KEX_ALGORITHMS.iter().filter(|name| ***name != kex::NONE).collect::<Vec<_>>().as_slice())
}

fn cipher_names() -> Vec<String> {
    let real = cipher::ALL_CIPHERS.iter().filter(|name| ***name != cipher::NONE && ***name != cipher::CLEAR);
    names(real.collect::<Vec<_>>().as_slice())
}

fn mac_names() -> Vec<String> {
    names(mac::ALL_MAC_ALGORITHMS.iter().filter(|name| ***name != mac::NONE).collect::<Vec<_>>().as_slice())
}
