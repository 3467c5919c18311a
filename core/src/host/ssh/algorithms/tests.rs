#![allow(clippy::unwrap_used)]

use russh::{AlgorithmKind, Error};

use super::*;

fn ciphers(wish: &str) -> String {
    let wishes = Wishes { ciphers: Some(wish.into()), ..Wishes::default() };
    match wishes.resolve() {
        Ok(algorithms) => names(&algorithms.ciphers).join(","),
        Err(failure) => failure.reason,
    }
}

#[test]
fn lists_replace_add_take_away_and_go_first() {
    let defaults = names(default_ciphers());
    let without = |gone: &[&str]| {
        defaults.iter().filter(|name| !gone.contains(&name.as_str())).cloned().collect::<Vec<_>>().join(",")
    };
    let all = defaults.join(",");
    for (wish, expected) in [
        ("aes128-ctr", "aes128-ctr".to_string()),
        ("aes256-ctr,aes128-ctr", "aes256-ctr,aes128-ctr".into()),
        ("aes128-ctr,aes128-ctr", "aes128-ctr".into()),
        ("none-such,aes128-ctr", "aes128-ctr".into()),
        ("aes*-ctr", "aes128-ctr,aes192-ctr,aes256-ctr".into()),
        ("+aes128-cbc", format!("{all},aes128-cbc")),
        ("+aes128-ctr", all.clone()),
        ("+none-such", all.clone()),
        ("-aes*-ctr", without(&["aes256-ctr", "aes192-ctr", "aes128-ctr"])),
        ("-none-such", all.clone()),
        ("^aes128-ctr", format!("aes128-ctr,{}", without(&["aes128-ctr"]))),
        ("^aes128-cbc", format!("aes128-cbc,{all}")),
        ("none-such", "the ssh configuration says Ciphers none-such: that leaves nothing to offer".into()),
        ("-*", "the ssh configuration says Ciphers -*: that leaves nothing to offer".into()),
        ("none", "the ssh configuration says Ciphers none: that leaves nothing to offer".into()),
        ("aes128-ctr,", "the ssh configuration says Ciphers aes128-ctr,: \"\" is no algorithm".into()),
        ("", "the ssh configuration says Ciphers : \"\" is no algorithm".into()),
    ] {
        assert_eq!(ciphers(wish), expected, "{wish}");
    }
}

#[test]
fn what_is_wanted_and_missing_is_remembered() {
    let wishes = Wishes {
        kex: Some("sntrup761x25519-sha512@openssh.com,curve25519-sha256".into()),
        macs: Some("^umac-64@openssh.com".into()),
        ..Wishes::default()
    };
    let algorithms = wishes.resolve().unwrap();
    assert_eq!(algorithms.missing(), ["sntrup761x25519-sha512@openssh.com", "umac-64@openssh.com"]);
    assert_eq!(names(&algorithms.kex), ["curve25519-sha256"]);
}

#[test]
fn kinds_of_keys_on_file_are_asked_for_first() {
    let offer = |known: &[Algorithm], certificates| {
        let offer = Wishes::default().resolve().unwrap().offer(known, certificates);
        let keys = offer.key.iter().map(|key| key.as_str().to_string()).collect::<Vec<_>>().join(" ");
        (keys, offer.host_key_certificates.len())
    };
    let ecdsa = "ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521";
    let sk = "sk-ssh-ed25519@openssh.com sk-ecdsa-sha2-nistp256@openssh.com";
    assert_eq!(offer(&[], Certificates::None), (format!("ssh-ed25519 {ecdsa} {sk} rsa-sha2-512 rsa-sha2-256"), 0));
    let rsa = [Algorithm::Rsa { hash: None }];
    assert_eq!(offer(&rsa, Certificates::Any), (format!("rsa-sha2-512 rsa-sha2-256 ssh-ed25519 {ecdsa} {sk}"), 8));
    // A certificate that could only be refused must not stand in the way of a key that is on file.
    assert_eq!(offer(&rsa, Certificates::OfKnownKinds).1, 2);
    assert_eq!(offer(&[Algorithm::Ed25519], Certificates::OfKnownKinds).1, 1);
    assert_eq!(offer(&[], Certificates::OfKnownKinds).1, 8);
}

#[test]
fn sha1_needs_a_word_in_the_configuration() {
    let default = Wishes::default().resolve().unwrap();
    assert!(!default.takes_sha1());
    let rsa = Algorithm::Rsa { hash: None };
    assert!(default.takes_user_key(&rsa, false) && default.takes_user_key(&rsa, true));
    let more = Wishes { user_keys: Some("+ssh-rsa".into()), ..Wishes::default() }.resolve().unwrap();
    assert!(more.takes_sha1());
    let only = Wishes { user_keys: Some("ssh-ed25519".into()), ..Wishes::default() }.resolve().unwrap();
    assert!(!only.takes_user_key(&rsa, false) && !only.takes_user_key(&Algorithm::Ed25519, true));
    assert!(only.takes_user_key(&Algorithm::Ed25519, false));
}

#[test]
fn a_disagreement_names_both_lists_and_the_way_out() {
    let told = |theirs: &[&str], wish: Option<&str>| {
        let wishes = Wishes { kex: wish.map(str::to_string), ..Wishes::default() };
        let algorithms = wishes.resolve().unwrap();
        let (ours, theirs) = (vec!["ext-info-c".to_string(), "curve25519-sha256".into()], names(theirs));
        let error = Error::NoCommonAlgo { kind: AlgorithmKind::Kex, ours, theirs };
        let failure = disagreement(&error, &algorithms).unwrap();
        format!("{}\n{}", failure.reason, failure.hint.unwrap())
    };
    let old = told(&["diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1"], None);
    assert!(old.contains("we offer curve25519-sha256; the server offers diffie-hellman-group1-sha1,"), "{old}");
    assert!(old.contains("KexAlgorithms +diffie-hellman-group1-sha1,diffie-hellman-group14-sha1 in the ssh"), "{old}");
    let odd = told(&["x@example.org\x1b[2J"], Some("^sntrup761x25519-sha512@openssh.com"));
    assert!(
        odd.contains("deployer has none of those of the server (the ssh configuration also asks for sntrup"),
        "{odd}"
    );
    assert!(!odd.contains('\x1b'));
    assert!(disagreement(&Error::HUP, &Wishes::default().resolve().unwrap()).is_none());
}
