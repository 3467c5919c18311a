//! Certificates of hosts and of users, made by ssh-keygen, shown and checked by a real sshd.

use std::path::Path;

use super::identity::TestAgent;
use super::sshd::{ssh_keygen, write_key};
use super::*;
use crate::host::QuestionKind;
use crate::node::HostKeyPolicy;

/// Signs the public key of a file with the authority beside it; the certificate is at `FILE-cert.pub`.
fn sign(directory: &Path, authority: &str, key: &str, more: &[&str]) {
    let (authority, key) = (directory.join(authority), directory.join(format!("{key}.pub")));
    let mut arguments = vec!["-q", "-s", authority.to_str().unwrap(), "-I", "an id"];
    arguments.extend(more);
    arguments.push(key.to_str().unwrap());
    ssh_keygen(arguments);
}

/// An sshd that shows a certificate for its host key, made with these arguments.
async fn certified(more: &'static [&'static str]) -> Sshd {
    Sshd::prepared(|directory| {
        write_key(&directory.join("authority"));
        sign(directory, "authority", "host_key", &[&["-h"], more].concat());
        format!("HostCertificate {}/host_key-cert.pub", directory.display())
    })
    .await
}

fn public(sshd: &Sshd, name: &str) -> String {
    std::fs::read_to_string(sshd.path(&format!("{name}.pub"))).unwrap().trim().to_string()
}

/// Settings that know these lines only; `web1` is the name the host is on file under.
fn knowing(sshd: &Sshd, policy: Option<HostKeyPolicy>, lines: &str) -> HostSettings {
    let config = sshd.path("config");
    std::fs::write(&config, "Host *\n HostKeyAlias web1\n").unwrap();
    let settings =
        HostSettings { host_keys: policy, config_filename: Some(config.display().to_string()), ..sshd.settings() };
    std::fs::write(sshd.path("known_hosts"), lines).unwrap();
    settings
}

async fn refused(settings: HostSettings) -> String {
    error(host(settings, &pool()).spawn(piped("true"), &reach()).await)
}

const STRICT: Option<HostKeyPolicy> = Some(HostKeyPolicy::Strict);

// rows: W-06
#[tokio::test]
async fn a_host_whose_authority_is_on_file_needs_no_key_on_file() {
    let sshd = certified(&["-n", "web1,web1.lan"]).await;
    let authority = public(&sshd, "authority");
    let settings = knowing(&sshd, STRICT, &format!("@cert-authority web* {authority}\n"));
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
    // A line that is about other hosts does not count.
    let message = refused(knowing(&sshd, STRICT, &format!("@cert-authority db* {authority}\n"))).await;
    assert!(message.contains("host key: web1 is not known, it shows ED25519 SHA256:"), "{message}");
}

// rows: W-06
#[tokio::test]
async fn a_bad_host_certificate_is_refused_and_says_what_is_wrong_with_it() {
    for (arguments, why) in [
        (&["-n", "web2,db"] as &'static [&str], "it is for web2, db, not for web1"),
        (&["-n", "web1", "-V", "20200101Z:20200201Z"], "it expired on 2020-02-01 00:00 UTC"),
        (&["-n", "web1", "-V", "20900101Z:20910101Z"], "it is not valid before 2090-01-01 00:00 UTC"),
        (&["-n", "*"], "it is for *, not for web1"),
    ] {
        let sshd = certified(arguments).await;
        let line = format!("@cert-authority * {}\n", public(&sshd, "authority"));
        for policy in [STRICT, Some(HostKeyPolicy::AcceptNew), None] {
            let message = refused(knowing(&sshd, policy, &line)).await;
            let expected = "host key: the certificate \"an id\" signed by ED25519 SHA256:";
            assert!(message.contains(expected), "{message}");
            assert!(message.contains(&format!(" is not good: {why}")), "{why} is not in {message}");
            assert!(message.contains("ssh-keygen -s AUTHORITY -h -I web1 -n web1"), "{message}");
        }
        assert_eq!(sshd.logins(), 0);
        // As in OpenSSH: a person may take the key instead, is told why, and from then on the key counts.
        let settings = knowing(&sshd, None, &line);
        let person = Person::who_says(&[Ok("yes")]);
        let process = host(settings.clone(), &pool()).spawn(piped("echo in"), &person.reach()).await.unwrap();
        assert_eq!(finish(process).await.out(), "in\n");
        let questions = person.questions();
        assert_eq!((questions.len(), &questions[0].kind), (1, &QuestionKind::Confirm));
        assert!(questions[0].notice.contains("About its certificate: the certificate"), "{questions:?}");
        assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
    }
}

// rows: W-06
#[tokio::test]
async fn another_authority_than_the_one_on_file_is_named() {
    let sshd = certified(&["-n", "web1"]).await;
    write_key(&sshd.path("other"));
    let line = format!("# ours\n@cert-authority * {}\n", public(&sshd, "other"));
    let message = refused(knowing(&sshd, STRICT, &line)).await;
    let fingerprint = |name| super::trust::fingerprint_of(&sshd.path(name));
    for part in [
        "host key: web1 is not known; it shows a certificate \"an id\" signed by ED25519 ".to_string(),
        fingerprint("authority.pub"),
        format!("but {}:2 trusts ED25519 {}", sshd.path("known_hosts").display(), fingerprint("other.pub")),
    ] {
        assert!(message.contains(&part), "{part} is not in {message}");
    }
    // The key in the certificate may be on file by itself.
    let line = format!("{line}web1 {}\n", public(&sshd, "host_key"));
    assert_eq!(run(&host(knowing(&sshd, STRICT, &line), &pool()), piped("echo in")).await.out(), "in\n");
}

// rows: W-06
#[tokio::test]
async fn a_revoked_authority_and_a_revoked_key_are_refused() {
    let sshd = certified(&["-n", "web1"]).await;
    let (authority, key) = (public(&sshd, "authority"), public(&sshd, "host_key"));
    for revoked in [&authority, &key] {
        let lines = format!("@cert-authority * {authority}\nweb1 {key}\n@revoked * {revoked}\n");
        for policy in [STRICT, Some(HostKeyPolicy::AcceptNew), None] {
            let message = refused(knowing(&sshd, policy, &lines)).await;
            let expected = format!("is revoked by {}:3", sshd.path("known_hosts").display());
            assert!(message.contains(&expected), "{message}");
        }
    }
    assert_eq!(sshd.logins(), 0);
}

// rows: W-06
#[tokio::test]
async fn an_authority_must_sign_as_the_configuration_wants_it() {
    let sshd = certified(&["-n", "web1"]).await;
    let line = format!("@cert-authority * {}\n", public(&sshd, "authority"));
    let wanting = |list: &str| {
        let settings = knowing(&sshd, STRICT, &line);
        std::fs::write(sshd.path("config"), format!("HostKeyAlias web1\nCASignatureAlgorithms {list}\n")).unwrap();
        settings
    };
    for list in ["ssh-ed25519", "^rsa-sha2-512", "-ecdsa-*"] {
        assert_eq!(run(&host(wanting(list), &pool()), piped("echo in")).await.out(), "in\n", "{list}");
    }
    let logins = sshd.logins();
    for list in ["rsa-sha2-512", "-ssh-ed25519"] {
        let message = refused(wanting(list)).await;
        let expected = "its authority signed it with ssh-ed25519, and CASignatureAlgorithms of the ssh configuration \
                        allows ";
        assert!(message.contains(expected), "{message}");
        // ssh refuses it as well.
        let said = said_by_ssh(&sshd);
        assert!(said.contains("Certificate signed with disallowed algorithm"), "{said}");
    }
    assert_eq!(sshd.logins(), logins);
}

/// What ssh itself says with the configuration beside a server.
fn said_by_ssh(sshd: &Sshd) -> String {
    let ssh = std::process::Command::new("ssh")
        .args(["-F", sshd.path("config").to_str().unwrap(), "-p", &sshd.port.to_string(), "-o", "BatchMode=yes"])
        .arg("-o")
        .arg(format!("UserKnownHostsFile={}", sshd.path("known_hosts").display()))
        .args(["-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"])
        .args(["-i", sshd.path("user_key").to_str().unwrap(), "127.0.0.1", "echo", "in"])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[ssh.stdout, ssh.stderr].concat()).into_owned()
}

// rows: W-06
#[tokio::test]
async fn a_key_in_a_file_of_revoked_keys_is_refused_whoever_trusts_it() {
    let sshd = certified(&["-n", "web1"]).await;
    let (key, authority, other) = (public(&sshd, "host_key"), public(&sshd, "authority"), public(&sshd, "user_key"));
    let file = sshd.path("revoked");
    let revoking = |known: &str, content: &str| {
        let settings = knowing(&sshd, STRICT, known);
        std::fs::write(sshd.path("config"), format!("HostKeyAlias web1\nRevokedHostKeys {}\n", file.display()))
            .unwrap();
        std::fs::write(&file, content).unwrap();
        settings
    };
    let (plain, certified) = (format!("web1 {key}\n"), format!("@cert-authority * {authority}\n"));
    for known in [&plain, &certified] {
        // An authority counts also where nobody needs one: the host shows its certificate all the same.
        for revoked in [&key, &authority] {
            let message = refused(revoking(known, &format!("# gone\n\n  {revoked}\n"))).await;
            assert!(message.contains(&format!("is revoked by {}:3", file.display())), "{message}");
            assert!(said_by_ssh(&sshd).contains("revoked by file"), "{}", said_by_ssh(&sshd));
        }
    }
    let settings = revoking(&plain, &format!("{other}\n"));
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
    assert_eq!(said_by_ssh(&sshd), "in\n");

    let logins = sshd.logins();
    for (content, why) in [
        ("\nssh-ed25519 AAAA\n", "line 2 is not a public key"),
        ("SSHKRL\n\0\0", "it is a key revocation list (KRL), and ssh-keygen -Q ended (status 255): "),
    ] {
        let message = refused(revoking(&plain, content)).await;
        assert!(message.contains(why) && message.contains("no host is trusted"), "{message}");
        assert!(!said_by_ssh(&sshd).contains("in\n"), "ssh trusts it with {content:?}");
    }
    let settings = revoking(&plain, "");
    std::fs::remove_file(&file).unwrap();
    let message = refused(settings).await;
    assert!(message.contains(&format!("RevokedHostKeys: cannot read {}", file.display())), "{message}");
    assert!(!said_by_ssh(&sshd).contains("in\n"));
    assert_eq!(sshd.logins(), logins);
}

// rows: W-06
#[tokio::test]
async fn key_revocation_lists_mean_what_they_mean_to_ssh() {
    let sshd = certified(&["-n", "web1", "-z", "4711"]).await;
    write_key(&sshd.path("other_authority"));
    let list = sshd.path("list");
    // What is revoked, as lines for ssh-keygen -k; the authority by which certificates are revoked.
    let file = |name: &str| std::fs::read_to_string(sshd.path(name)).unwrap();
    let hash = format!("sha256: {}\n", file("host_key.pub").trim());
    let cases: [(&str, &str, &str, bool); 12] = [
        ("the key", &file("host_key.pub"), "", true),
        ("its hash", &hash, "", true),
        ("the certificate", &file("host_key-cert.pub"), "", true),
        ("the authority", &file("authority.pub"), "", true),
        ("another key", &file("user_key.pub"), "", false),
        ("nothing", "", "", false),
        ("the number", "serial: 4711\n", "authority.pub", true),
        ("a range of numbers", "serial: 4000-5000\n", "authority.pub", true),
        ("the id", "id: an id\n", "authority.pub", true),
        ("another number", "serial: 4712\n", "authority.pub", false),
        ("the number of another authority", "serial: 4711\n", "other_authority.pub", false),
        ("another id", "id: an i\n", "authority.pub", false),
    ];
    let (key, authority) = (public(&sshd, "host_key"), public(&sshd, "authority"));
    let revoking = |known: &str| {
        let settings = knowing(&sshd, STRICT, known);
        let lines = format!("HostKeyAlias web1\nRevokedHostKeys {}\n", list.display());
        std::fs::write(sshd.path("config"), lines).unwrap();
        settings
    };
    for (what, lines, of, revoked) in cases {
        let source = sshd.path("revoke");
        std::fs::write(&source, lines).unwrap();
        let (of, paths) = (sshd.path(of), [&list, &source].map(|path| path.to_str().unwrap()));
        let mut arguments = vec!["-q", "-k", "-f", paths[0]];
        if of.is_file() {
            arguments.extend(["-s", of.to_str().unwrap()]);
        }
        arguments.push(paths[1]);
        ssh_keygen(arguments);
        for known in [format!("web1 {key}\n"), format!("@cert-authority * {authority}\n")] {
            let logins = sshd.logins();
            let settings = revoking(&known);
            if revoked {
                let message = refused(settings).await;
                assert!(message.contains(&format!("is revoked by {}", list.display())), "{what}, {known}: {message}");
                assert!(said_by_ssh(&sshd).contains("revoked by file"), "{what}, {known}: {}", said_by_ssh(&sshd));
                assert_eq!(sshd.logins(), logins);
            } else {
                let out = run(&host(settings, &pool()), piped("echo in")).await;
                assert_eq!(out.out(), "in\n", "{what}, {known}");
                assert_eq!(said_by_ssh(&sshd), "in\n", "{what}, {known}");
            }
        }
    }
}

// rows: W-06
#[tokio::test]
async fn an_authority_that_is_revoked_for_a_host_counts_although_its_key_is_on_file() {
    let sshd = certified(&["-n", "web1"]).await;
    let (key, authority) = (public(&sshd, "host_key"), public(&sshd, "authority"));
    let message = refused(knowing(&sshd, STRICT, &format!("web1 {key}\n@revoked * {authority}\n"))).await;
    assert!(message.contains(&format!("is revoked by {}:2", sshd.path("known_hosts").display())), "{message}");
    assert!(said_by_ssh(&sshd).contains("REVOKED HOST KEY DETECTED"), "{}", said_by_ssh(&sshd));
    let settings = knowing(&sshd, STRICT, &format!("web1 {key}\n@revoked db* {authority}\n"));
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
    assert_eq!(said_by_ssh(&sshd), "in\n");
}

/// An sshd that lets in whoever has a certificate of its authority for the user, and no plain key.
async fn for_users() -> Sshd {
    let sshd = Sshd::prepared(|directory| {
        write_key(&directory.join("authority"));
        format!("TrustedUserCAKeys {}/authority.pub", directory.display())
    })
    .await;
    std::fs::write(sshd.path("authorized_keys"), "").unwrap();
    sshd
}

// rows: F-62
#[tokio::test]
async fn a_certificate_beside_the_key_lets_in() {
    let sshd = for_users().await;
    let message = refused(sshd.settings()).await;
    assert!(message.contains("permission denied; tried key"), "{message}");
    sign(&sshd.path(""), "authority", "user_key", &["-n", "root"]);
    assert_eq!(run(&host(sshd.settings(), &pool()), piped("echo in")).await.out(), "in\n");
    assert!(sshd.log().contains("ED25519-CERT"), "{}", sshd.log());
}

// rows: F-62
#[tokio::test]
async fn certificates_for_rsa_keys_sign_with_sha2() {
    let sshd = for_users().await;
    let key = sshd.path("rsa");
    ssh_keygen(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", key.to_str().unwrap()]);
    sign(&sshd.path(""), "authority", "rsa", &["-n", "root"]);
    let settings = HostSettings { key_filename: Some(key.display().to_string()), ..sshd.settings() };
    assert_eq!(run(&host(settings.clone(), &pool()), piped("echo in")).await.out(), "in\n");
    // The same without a certificate.
    std::fs::remove_file(sshd.path("rsa-cert.pub")).unwrap();
    std::fs::copy(sshd.path("rsa.pub"), sshd.path("authorized_keys")).unwrap();
    assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n");
}

// rows: F-68
#[tokio::test]
async fn a_refused_certificate_says_what_may_be_wrong_with_it() {
    let sshd = for_users().await;
    for (arguments, why) in [
        (
            &["-n", "root", "-V", "20200101Z:20200201Z"] as &[&str],
            "user_key-cert.pub (it expired on 2020-02-01 00:00 UTC)",
        ),
        (&["-n", "anna,berta"], "user_key-cert.pub (it is for anna, berta, not for root)"),
        (&["-h", "-n", "root"], "user_key-cert.pub (it is a certificate of a host)"),
    ] {
        sign(&sshd.path(""), "authority", "user_key", arguments);
        let message = refused(sshd.settings()).await;
        assert!(message.contains("permission denied") && message.contains(why), "{why} is not in {message}");
    }
}

// rows: F-62
#[tokio::test]
async fn certificates_in_the_agent_and_for_keys_of_the_agent_let_in() {
    let sshd = for_users().await;
    // The agent holds the key only; the configuration names the certificate.
    let agent = TestAgent::holding(&sshd, "user_key").await;
    sign(&sshd.path(""), "authority", "user_key", &["-n", "root"]);
    let certificate = sshd.path("elsewhere");
    std::fs::rename(sshd.path("user_key-cert.pub"), &certificate).unwrap();
    let config = sshd.path("config");
    let in_agent = |lines: String| {
        std::fs::write(&config, lines).unwrap();
        let settings =
            HostSettings { key_filename: None, config_filename: Some(config.display().to_string()), ..sshd.settings() };
        let options = SshOptions { agent: Some(agent.socket.clone()), home: Some("/nonexistent".into()) };
        host(settings, &SshPool::new(options))
    };
    let named = in_agent(format!("CertificateFile {}\n", certificate.display()));
    assert_eq!(run(&named, piped("echo in")).await.out(), "in\n");
    let plain = in_agent(String::new());
    assert!(error(plain.spawn(piped("true"), &reach()).await).contains("permission denied"));
    // The agent holds both: ssh-add takes the certificate from beside the key.
    std::fs::rename(&certificate, sshd.path("user_key-cert.pub")).unwrap();
    agent.add(&sshd.path("user_key"));
    let plain = in_agent(String::new());
    assert_eq!(run(&plain, piped("echo in")).await.out(), "in\n");
}
