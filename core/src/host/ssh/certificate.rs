//! What a certificate says, and whether it is good for what it is shown for. No input, no output.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{Algorithm, Certificate, HashAlg};

use super::failure::printable;

/// How much of a name or list in a certificate is shown.
const SHOWN: usize = 120;

/// Whether a certificate, whose authority is trusted, vouches for the host of this name now. The checks and their order
/// are those of OpenSSH 9.2, measured: names are compared as they are, without patterns; no names at all means any host.
/// `signatures` are the names of those that an authority may sign with.
///
/// # Errors
/// Which check failed, as the rest of a sentence that begins with the certificate.
pub(super) fn check_host(certificate: &Certificate, name: &str, now: u64, signatures: &[String]) -> Result<(), String> {
    if certificate.cert_type() != CertType::Host {
        return Err("it is a certificate of a user, not of a host".into());
    }
    if let Some(why) = outside_window(certificate, now) {
        return Err(why);
    }
    let names = certificate.valid_principals();
    let name = name.to_ascii_lowercase();
    if !names.is_empty() && !names.contains(&name) {
        return Err(format!("it is for {}, not for {name}", list(names)));
    }
    let options: Vec<String> = certificate.critical_options().keys().cloned().collect();
    if !options.is_empty() {
        return Err(format!("it has options that hosts do not have: {}", list(&options)));
    }
    if certificate.signature().algorithm() == (Algorithm::Rsa { hash: None }) {
        return Err("its authority signed it with SHA-1, which is not safe".into());
    }
    let signed_with = certificate.signature().algorithm();
    if !signatures.iter().any(|allowed| allowed == signed_with.as_str()) {
        let (signed_with, allowed) = (printable(signed_with.as_str(), SHOWN), list(signatures));
        return Err(format!(
            "its authority signed it with {signed_with}, and CASignatureAlgorithms of the ssh configuration allows {allowed}"
        ));
    }
    // By itself this proves nothing; the caller has compared the authority with those on file.
    certificate.verify_signature().map_err(|_| "the signature of its authority is wrong".to_string())
}

/// What may be wrong with a certificate of a user, for whoever was refused with it; only the server knows.
pub(super) fn doubt(certificate: &Certificate, user: &str, now: u64) -> Option<String> {
    if let Some(why) = outside_window(certificate, now) {
        return Some(why);
    }
    let names = certificate.valid_principals();
    let named = names.is_empty() || names.iter().any(|name| name == user);
    (!named).then(|| format!("it is for {}, not for {user}", list(names)))
}

pub(super) fn is_for_users(certificate: &Certificate) -> bool {
    certificate.cert_type() == CertType::User
}

fn outside_window(certificate: &Certificate, now: u64) -> Option<String> {
    if now < certificate.valid_after() {
        Some(format!("it is not valid before {}", moment(certificate.valid_after())))
    } else if now >= certificate.valid_before() {
        Some(format!("it expired on {}", moment(certificate.valid_before())))
    } else {
        None
    }
}

/// A certificate as it is named to people: its id and its authority.
pub(super) fn describe(certificate: &Certificate) -> String {
    format!("certificate {:?} signed by {}", printable(certificate.key_id(), SHOWN), authority(certificate))
}

/// The authority of a certificate: kind and fingerprint.
pub(super) fn authority(certificate: &Certificate) -> String {
    let key = certificate.signature_key();
    format!("{} {}", super::host_key::kind(&key.algorithm()), key.fingerprint(HashAlg::Sha256))
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    // A clock before 1970 makes every certificate not valid yet.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.map_or_else(|| "a day that never comes".into(), |moment| moment.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn list(names: &[String]) -> String {
    printable(&names.join(", "), SHOWN)
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]

    use russh::keys::PrivateKey;
    use russh::keys::ssh_key::certificate::Builder;

    use super::*;

    pub(in crate::host::ssh) fn key() -> PrivateKey {
        PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
    }

    /// A certificate valid from 1000 to 2000, signed by `authority`, changed as the test likes.
    pub(in crate::host::ssh) fn signed(
        authority: &PrivateKey,
        subject: &PrivateKey,
        kind: CertType,
        change: impl FnOnce(&mut Builder),
    ) -> Certificate {
        let rng = &mut russh::keys::key::safe_rng();
        let mut builder = Builder::new_with_random_nonce(rng, subject.public_key().clone(), 1000, 2000).unwrap();
        builder.cert_type(kind).unwrap().key_id("web1").unwrap();
        change(&mut builder);
        builder.sign(authority).unwrap()
    }

    fn host(change: impl FnOnce(&mut Builder)) -> Certificate {
        signed(&key(), &key(), CertType::Host, change)
    }

    fn named(builder: &mut Builder) {
        builder.valid_principal("web1").unwrap().valid_principal("web1.lan").unwrap();
    }

    fn check(certificate: &Certificate, name: &str, now: u64) -> Result<(), String> {
        check_host(certificate, name, now, &["ssh-ed25519".to_string()])
    }

    #[test]
    fn each_check_fails_by_its_own_name() {
        let good = host(named);
        assert_eq!(check(&good, "web1", 1500), Ok(()));
        assert_eq!(check(&good, "WEB1.lan", 1000), Ok(()));
        let failed = |certificate: &Certificate, name, now| check(certificate, name, now).unwrap_err();
        assert_eq!(failed(&good, "web1", 999), "it is not valid before 1970-01-01 00:16 UTC");
        assert_eq!(failed(&good, "web1", 2000), "it expired on 1970-01-01 00:33 UTC");
        assert_eq!(failed(&good, "web2", 1500), "it is for web1, web1.lan, not for web2");
        let user = signed(&key(), &key(), CertType::User, named);
        assert_eq!(failed(&user, "web1", 1500), "it is a certificate of a user, not of a host");
        let odd = host(|builder| {
            named(builder);
            builder.critical_option("force-command", "x").unwrap();
        });
        assert_eq!(failed(&odd, "web1", 1500), "it has options that hosts do not have: force-command");
        let pattern = host(|builder| {
            builder.valid_principal("*").unwrap();
        });
        assert_eq!(failed(&pattern, "web1", 1500), "it is for *, not for web1");
        let everybody = host(|builder| {
            builder.all_principals_valid().unwrap();
        });
        assert_eq!(check(&everybody, "web1", 1500), Ok(()));
        let others = ["rsa-sha2-512", "ecdsa-sha2-nistp256"].map(str::to_string);
        assert_eq!(
            check_host(&good, "web1", 1500, &others).unwrap_err(),
            "its authority signed it with ssh-ed25519, and CASignatureAlgorithms of the ssh configuration allows \
             rsa-sha2-512, ecdsa-sha2-nistp256"
        );
    }

    #[test]
    fn a_certificate_that_was_changed_after_it_was_signed_is_found_out() {
        let good = host(named);
        let bytes = good.to_bytes().unwrap();
        let at = bytes.windows(4).position(|window| window == b"web1").unwrap();
        let mut found_out = 0;
        // Every byte from the names on: it is no certificate any more, or a check fails.
        for index in at..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let Ok(certificate) = Certificate::from_bytes(&changed) else { continue };
            assert!(check(&certificate, "web1", 1500).is_err(), "byte {index}");
            found_out += 1;
        }
        assert!(found_out > 50, "{found_out}");
    }

    #[test]
    fn users_are_told_what_may_be_wrong_with_theirs() {
        let certificate = signed(&key(), &key(), CertType::User, |builder| {
            builder.valid_principal("anna").unwrap();
        });
        assert_eq!(doubt(&certificate, "anna", 1500), None);
        assert_eq!(doubt(&certificate, "root", 1500).unwrap(), "it is for anna, not for root");
        assert_eq!(doubt(&certificate, "anna", 5000).unwrap(), "it expired on 1970-01-01 00:33 UTC");
    }

    #[test]
    fn what_a_certificate_says_cannot_steer_the_terminal() {
        let certificate = host(|builder| {
            builder.valid_principal("\x1b[2Jevil").unwrap();
        });
        assert_eq!(check(&certificate, "web1", 1500).unwrap_err(), "it is for [2Jevil, not for web1");
        assert!(describe(&certificate).starts_with("certificate \"web1\" signed by ED25519 SHA256:"));
    }
}
