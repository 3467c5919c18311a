#![allow(clippy::unwrap_used)]

use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use russh::keys::parse_public_key_base64;
use sha1::Sha1;

use super::*;

const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIK2pr+Bfus1hvPof4Wb/plZCzSbqadHH0u+/f4ODtKnE";
const P256: &str = "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBMxBTpMIGvo7CnordO7wP0QQRqpBwUjOLl4eMhfucfE1sjTYyK5wmTl1UqoSDS1PtRVTBdl+0+9pquFb46U7fwg=";

fn key(base64: &str) -> PublicKey {
    parse_public_key_base64(base64).unwrap()
}

fn verdict(text: &str, host: &str, port: u16, base64: &str) -> String {
    match KnownHosts::from_texts(&[("kh", text)]).check(host, port, &key(base64)) {
        Verdict::Known => "known".into(),
        Verdict::Unknown => "unknown".into(),
        Verdict::Revoked(place) => format!("revoked line {}", place.line),
        Verdict::Changed(other) => format!("changed line {} {}", other.place.line, other.name),
    }
}

fn hashed(name: &str) -> String {
    let salt = b"twenty bytes of salt";
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).unwrap();
    mac.update(name.as_bytes());
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(mac.finalize().into_bytes()))
}

// rows: W-06
#[test]
fn lines_of_every_form_are_understood() {
    let hashed22 = hashed("web1");
    let hashed2222 = hashed("[web1]:2222");
    let ed = "ssh-ed25519";
    for (line, host, port, shown, expected) in [
        (format!("web1 {ed} {A}"), "web1", 22, A, "known"),
        (format!("web1 {ed} {A}"), "WEB1", 22, A, "known"),
        (format!("Web1\t{ed}\t{A}\tcomment"), "web1", 22, A, "known"),
        (format!("web1 {ed} {A}"), "web2", 22, A, "unknown"),
        (format!("web1 {ed} {A}"), "web1", 22, B, "changed line 1 web1"),
        (format!("web0,web1,10.0.0.1 {ed} {A}"), "10.0.0.1", 22, A, "known"),
        (format!("*.example.org,!bad.example.org {ed} {A}"), "a.example.org", 22, A, "known"),
        (format!("*.example.org,!bad.example.org {ed} {A}"), "bad.example.org", 22, A, "unknown"),
        (format!("[web1]:2222 {ed} {A}"), "web1", 2222, A, "known"),
        (format!("[web1]:2222 {ed} {A}"), "web1", 2222, B, "changed line 1 [web1]:2222"),
        (format!("[web1]:2222 {ed} {A}"), "web1", 22, A, "unknown"),
        (format!("[*]:2222 {ed} {A}"), "web9", 2222, A, "known"),
        (format!("{hashed22} {ed} {A}"), "web1", 22, A, "known"),
        (format!("{hashed22} {ed} {A}"), "web1", 22, B, "changed line 1 web1"),
        (format!("{hashed22} {ed} {A}"), "web2", 22, A, "unknown"),
        (format!("{hashed2222} {ed} {A}"), "web1", 2222, A, "known"),
        // The bare name is good for other ports, but says nothing against another key there.
        (format!("web1 {ed} {A}"), "web1", 2222, A, "known"),
        (format!("web1 {ed} {A}"), "web1", 2222, B, "unknown"),
        // Another kind of key on file is a change too: "accept new" must not let an impostor in by the other door.
        (format!("web1 ecdsa-sha2-nistp256 {P256}"), "web1", 22, A, "changed line 1 web1"),
        (format!("web1 ecdsa-sha2-nistp256 {P256}\nweb1 {ed} {A}"), "web1", 22, A, "known"),
        (format!("web1 {ed} {B}\nweb1 {ed} {A}"), "web1", 22, A, "known"),
        (format!("web1 ecdsa-sha2-nistp256 {P256}\nweb1 {ed} {A}"), "web1", 22, B, "changed line 2 web1"),
        (format!("web1 {ed} {A}\n@revoked * {ed} {A}"), "web1", 22, A, "revoked line 2"),
        (format!("@revoked web2 {ed} {A}\nweb1 {ed} {A}"), "web1", 22, A, "known"),
        (format!("@revoked * {ed} {B}"), "web1", 22, A, "unknown"),
        (format!("@revoked web1 {ed} {A}"), "web1", 2222, A, "revoked line 1"),
        (format!("@cert-authority * {ed} {A}"), "web1", 22, A, "unknown"),
        // Lines that cannot be read count for nothing.
        (format!("# web1 {ed} {A}"), "web1", 22, A, "unknown"),
        (format!("web1 ssh-rsa {A}"), "web1", 22, A, "unknown"),
        (format!("@new web1 {ed} {A}"), "web1", 22, A, "unknown"),
        (format!("|1|not base64|x {ed} {A}"), "web1", 22, A, "unknown"),
        (format!("web1 {ed}"), "web1", 22, A, "unknown"),
        ("".to_string(), "web1", 22, A, "unknown"),
    ] {
        assert_eq!(verdict(&line, host, port, shown), expected, "{line} for {host}:{port}");
    }
}

#[test]
fn a_second_file_counts_and_is_named() {
    let texts = [("one", "other ssh-ed25519 x".to_string()), ("two", format!("\n\nweb1 ssh-ed25519 {A}"))];
    let hosts = KnownHosts::from_texts(&[(texts[0].0, &texts[0].1), (texts[1].0, &texts[1].1)]);
    assert_eq!(hosts.check("web1", 22, &key(A)), Verdict::Known);
    let Verdict::Changed(other) = hosts.check("web1", 22, &key(B)) else { panic!("another key must be seen") };
    assert_eq!((other.place.file.to_str().unwrap(), other.place.line), ("two", 3));
    assert_eq!(other.fingerprint, fingerprint(&key(A)));
}

#[test]
fn kinds_on_file_are_told_in_order() {
    let text = format!("web1 ecdsa-sha2-nistp256 {P256}\n@revoked web1 ssh-ed25519 {B}\nweb2 ssh-ed25519 {A}");
    let hosts = KnownHosts::from_texts(&[("kh", &text)]);
    assert_eq!(hosts.algorithms("web1", 22), [key(P256).algorithm()]);
    assert_eq!(hosts.algorithms("web1", 2222), [key(P256).algorithm()]);
    assert_eq!(hosts.algorithms("web3", 22), []);
}

#[test]
fn a_file_that_cannot_be_read_trusts_nobody() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    assert!(KnownHosts::read(&[missing]).is_ok());
    let failure = KnownHosts::read(&[directory.path().to_path_buf()]).unwrap_err();
    assert!(failure.reason.contains(&directory.path().display().to_string()), "{failure:?}");
}

#[test]
fn an_accepted_key_is_remembered_in_a_file_of_the_owner_alone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ssh/known_hosts");
    append(&file, "Web1", 22, &key(A)).unwrap();
    append(&file, "web2", 2222, &key(B)).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text, format!("web1 ssh-ed25519 {A}\n[web2]:2222 ssh-ed25519 {B}\n"));
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
    let hosts = KnownHosts::read(&[file]).unwrap();
    assert_eq!(hosts.check("web2", 2222, &key(B)), Verdict::Known);
}

#[test]
fn a_file_without_a_last_line_end_is_not_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known_hosts");
    std::fs::write(&file, format!("web1 ssh-ed25519 {A}")).unwrap();
    append(&file, "web2", 22, &key(B)).unwrap();
    let hosts = KnownHosts::read(&[file]).unwrap();
    assert_eq!(hosts.check("web1", 22, &key(A)), Verdict::Known);
    assert_eq!(hosts.check("web2", 22, &key(B)), Verdict::Known);
}

#[test]
fn dev_null_remembers_nothing_without_complaint() {
    append(Path::new("/dev/null"), "web1", 22, &key(A)).unwrap();
}
