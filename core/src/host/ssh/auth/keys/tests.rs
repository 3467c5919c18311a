#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use russh::keys::Algorithm;
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::certificate::CertType;

use super::*;
use crate::host::ssh::certificate::tests::signed;
use crate::node::Secret;

fn identity() -> Identity {
    Identity {
        key: None,
        key_file: None,
        configured_files: Vec::new(),
        default_files: Vec::new(),
        key_password: None,
        password: None,
        agent: None,
        identities_only: false,
        certificate_files: Vec::new(),
    }
}

fn new_key() -> PrivateKey {
    PrivateKey::random(&mut russh::keys::key::safe_rng(), Algorithm::Ed25519).unwrap()
}

fn write(directory: &Path, name: &str, key: &PrivateKey) -> PathBuf {
    let file = directory.join(name);
    std::fs::write(&file, key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    file
}

fn in_agent(key: &PrivateKey, comment: &str) -> AgentIdentity {
    AgentIdentity::PublicKey { key: key.public_key().clone(), comment: comment.into() }
}

fn labels(keys: &Keys) -> Vec<String> {
    keys.candidates.iter().map(|candidate| candidate.label.rsplit('/').next().unwrap().to_string()).collect()
}

// rows: F-62
#[test]
fn order_of_keys() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (text, shared) = (new_key(), new_key());
    let identity = Identity {
        key: Some(Secret::new(text.to_openssh(LineEnding::LF).unwrap().as_str())),
        key_file: Some(write(directory, "named", &new_key())),
        configured_files: vec![directory.join("missing"), write(directory, "configured", &shared)],
        default_files: vec![write(directory, "default", &new_key())],
        ..identity()
    };
    let agent = [in_agent(&shared, "shared"), in_agent(&new_key(), "mine")];
    let keys = Keys::gather(&identity, &agent).unwrap();
    let expected = ["key the key of the deployment", "named", "configured", "mine from the agent", "default"];
    assert_eq!(labels(&keys), expected);
    let only = Identity { identities_only: true, ..identity };
    assert!(!labels(&Keys::gather(&only, &agent).unwrap()).contains(&"mine from the agent".to_string()));
}

// rows: F-68
#[test]
fn a_named_key_that_cannot_be_used_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let gather = |file: PathBuf| match Keys::gather(&Identity { key_file: Some(file), ..identity() }, &[]) {
        Ok(keys) => panic!("{:?}", labels(&keys)),
        Err(failure) => failure.reason,
    };
    let missing = directory.path().join("missing");
    assert_eq!(gather(missing.clone()), format!("key file {} does not exist", missing.display()));
    let open = write(directory.path(), "open", &new_key());
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(gather(open).contains("chmod 600"));
    let junk = directory.path().join("junk");
    std::fs::write(&junk, "junk").unwrap();
    std::fs::set_permissions(&junk, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(gather(junk).contains("not a private key"));
}

#[test]
fn an_encrypted_file_tells_its_public_half_and_the_agent_unlocks_it() {
    let directory = tempfile::tempdir().unwrap();
    let key = new_key();
    let locked = key.encrypt(&mut russh::keys::key::safe_rng(), "secret").unwrap();
    let file = write(directory.path(), "locked", &locked);
    let identity = Identity { key_file: Some(file), ..identity() };
    let alone = Keys::gather(&identity, &[]).unwrap();
    assert!(matches!(alone.candidates[0].source, Source::Locked(..)));
    assert_eq!(alone.candidates[0].public.as_ref().unwrap().key_data(), key.public_key().key_data());
    let held = Keys::gather(&identity, &[in_agent(&key, "held")]).unwrap();
    assert_eq!((held.candidates.len(), labels(&held)[0].as_str()), (1, "locked"));
    assert!(matches!(held.candidates[0].source, Source::Agent(_)));
}

#[test]
fn a_public_half_names_a_key_of_the_agent() {
    let directory = tempfile::tempdir().unwrap();
    let key = new_key();
    let file = directory.path().join("token.pub");
    std::fs::write(&file, key.public_key().to_openssh().unwrap()).unwrap();
    let identity = Identity { configured_files: vec![file], identities_only: true, ..identity() };
    let agent = [in_agent(&new_key(), "other"), in_agent(&key, "token")];
    assert_eq!(labels(&Keys::gather(&identity, &agent).unwrap()), ["token from the agent"]);
}

fn certify(key: &PrivateKey, kind: CertType, file: &Path) -> Certificate {
    let certificate = signed(&new_key(), key, kind, |builder| {
        builder.valid_principal("anna").unwrap();
    });
    std::fs::write(file, certificate.to_openssh().unwrap()).unwrap();
    certificate
}

#[test]
fn certificates_are_found_and_go_first() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (named, other, token) = (new_key(), new_key(), new_key());
    let identity = Identity {
        key_file: Some(write(directory, "named", &named)),
        configured_files: vec![write(directory, "configured", &other), directory.join("token.pub")],
        ..identity()
    };
    certify(&other, CertType::User, &directory.join("configured-cert.pub"));
    std::fs::write(directory.join("token.pub"), token.public_key().to_openssh().unwrap()).unwrap();
    certify(&token, CertType::User, &directory.join("token-cert.pub"));
    let agent = [in_agent(&token, "token")];
    let keys = Keys::gather(&identity, &agent).unwrap();
    let expected = ["configured-cert.pub", "token-cert.pub", "named", "configured", "token from the agent"];
    assert_eq!(labels(&keys), expected, "{:?}", keys.notes);
    assert!(keys.candidates[..2].iter().all(|candidate| candidate.certificate.is_some()));

    // Where the configuration names certificates, those beside the keys do not count.
    let elsewhere = directory.join("elsewhere");
    certify(&named, CertType::User, &elsewhere);
    certify(&new_key(), CertType::User, &directory.join("stray"));
    std::fs::write(directory.join("junk"), "junk").unwrap();
    let files = ["elsewhere", "stray", "junk", "missing"].map(|name| directory.join(name)).to_vec();
    let keys = Keys::gather(&Identity { certificate_files: files, ..identity }, &[]).unwrap();
    assert_eq!(labels(&keys), ["elsewhere", "named", "configured"]);
    let notes = keys.notes.join("\n");
    for part in [
        "stray (its key is neither in a file nor in the agent)",
        "junk (it is no certificate",
        "missing (it does not exist)",
    ] {
        assert!(notes.contains(part), "{part} is not in {notes}");
    }
}

#[test]
fn certificates_of_hosts_let_nobody_in() {
    let directory = tempfile::tempdir().unwrap();
    let key = new_key();
    let file = write(directory.path(), "key", &key);
    certify(&key, CertType::Host, &directory.path().join("key-cert.pub"));
    let keys = Keys::gather(&Identity { key_file: Some(file), ..identity() }, &[]).unwrap();
    assert_eq!(labels(&keys), ["key"]);
    assert!(keys.notes[0].contains("key-cert.pub (it is a certificate of a host)"), "{:?}", keys.notes);
}
