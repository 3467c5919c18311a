//! Real servers that are set up as some are: old, strict, small, restless.

use std::process::{Child, Command, Stdio};

use super::identity::TestAgent;
use super::sshd::{free_port, ssh_keygen, write_key};
use super::*;

/// Settings with lines of an ssh configuration.
fn configured(sshd: &Sshd, lines: &str) -> HostSettings {
    let config = sshd.path("config");
    std::fs::write(&config, lines).unwrap();
    HostSettings { config_filename: Some(config.display().to_string()), ..sshd.settings() }
}

// rows: F-68
#[tokio::test]
async fn an_old_server_is_refused_with_what_to_do_and_reached_with_it() {
    for (server, keyword, old) in [
        ("KexAlgorithms diffie-hellman-group14-sha1", "KexAlgorithms", "diffie-hellman-group14-sha1"),
        ("Ciphers aes256-cbc", "Ciphers", "aes256-cbc"),
        ("HostKeyAlgorithms ssh-rsa", "HostKeyAlgorithms", "ssh-rsa"),
    ] {
        let sshd = Sshd::prepared(|directory| {
            let rsa = directory.join("rsa");
            ssh_keygen(["-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa.to_str().unwrap()]);
            format!("{server}\nHostKey {}", rsa.display())
        })
        .await;
        let known = |settings: HostSettings| {
            let keys = ["rsa.pub", "host_key.pub"].map(|name| std::fs::read_to_string(sshd.path(name)).unwrap());
            let lines = keys.map(|key| format!("[127.0.0.1]:{} {}\n", sshd.port, key.trim())).concat();
            std::fs::write(sshd.path("known_hosts"), lines).unwrap();
            settings
        };
        let message = error(host(known(sshd.settings()), &pool()).spawn(piped("true"), &reach()).await);
        for part in [
            "key exchange: no common ".to_string(),
            format!("; the server offers {old}\n"),
            format!("{keyword} +{old} in the ssh configuration"),
        ] {
            assert!(message.contains(&part), "{part} is not in {message}");
        }
        let allowed = known(configured(&sshd, &format!("Host 127.0.0.1\n {keyword} +{old}\n")));
        assert_eq!(run(&host(allowed, &pool()), piped("echo in")).await.out(), "in\n", "{server}");
    }
}

// rows: F-68
#[tokio::test]
async fn algorithms_nobody_here_has_are_named() {
    let sshd = Sshd::start_with("KexAlgorithms sntrup761x25519-sha512@openssh.com").await;
    let message = error(host(sshd.settings(), &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("the server offers sntrup761x25519-sha512@openssh.com"), "{message}");
    assert!(message.contains("deployer has none of those of the server"), "{message}");
    let only = configured(&sshd, "KexAlgorithms sntrup761x25519-sha512@openssh.com\n");
    let message = error(host(only, &pool()).spawn(piped("true"), &reach()).await);
    assert!(
        message.contains("KexAlgorithms sntrup761x25519-sha512@openssh.com: that leaves nothing to offer"),
        "{message}"
    );
    assert!(message.contains("curve25519-sha256"), "{message}");
}

#[tokio::test]
async fn the_configuration_chooses_the_algorithms() {
    let sshd = Sshd::start().await;
    for (lines, expected) in [
        ("", "cipher: aes256-gcm@openssh.com"),
        ("Ciphers ^chacha20-poly1305@openssh.com\n", "cipher: chacha20-poly1305@openssh.com"),
        ("Ciphers aes128-ctr\nMACs hmac-sha2-512\n", "cipher: aes128-ctr MAC: hmac-sha2-512 "),
        ("KexAlgorithms ecdh-sha2-nistp384\n", "kex: algorithm: ecdh-sha2-nistp384"),
        ("KexAlgorithms diffie-hellman-group14*,none-such\n", "kex: algorithm: diffie-hellman-group14-sha256"),
    ] {
        // Big numbers take their time in a program that is not optimised.
        let settings = HostSettings { timeout: Some(Duration::from_secs(50)), ..configured(&sshd, lines) };
        assert_eq!(run(&host(settings, &pool()), piped("echo in")).await.out(), "in\n", "{lines}");
        let log = sshd.log();
        let last = log.rfind("kex: algorithm: ").unwrap();
        assert!(log[last..].contains(expected), "{expected} is not in {}", &log[last..]);
    }
}

#[tokio::test]
async fn keys_change_while_output_flows_and_input_too() {
    let sshd = Sshd::start_with("RekeyLimit 64K 5s").await;
    let pool = pool();
    let host = Arc::new(host(sshd.settings(), &pool));
    let mut running = tokio::task::JoinSet::new();
    for number in 0..3 {
        let host = host.clone();
        running.spawn(async move {
            let line = format!("cat | md5sum; head -c 6000000 /dev/zero | tr '\\0' {number} | md5sum; seq 1 100000");
            let process = host.spawn(piped(&line), &reach()).await.unwrap();
            for _ in 0..32 {
                process.control.input(Bytes::from(vec![b'x'; 32 * 1024])).await;
            }
            process.control.eof().await;
            let finished = finish(process).await;
            assert_eq!(finished.status, ExitStatus::Code(0));
            let sums: Vec<String> = finished.out().lines().take(2).map(|line| line[..32].to_string()).collect();
            assert_eq!(finished.out().lines().skip(2).collect::<Vec<_>>().len(), 100_000);
            assert_eq!(finished.out().lines().last(), Some("100000"));
            sums
        });
    }
    let sums = running.join_all().await;
    let local = Command::new("sh").arg("-c").arg("head -c 1048576 /dev/zero | tr '\\0' x | md5sum").output().unwrap();
    let expected = String::from_utf8_lossy(&local.stdout)[..32].to_string();
    assert!(sums.iter().all(|sums| sums[0] == expected), "{sums:?}");
    assert_eq!(sshd.logins(), 1);
    let rekeys =
        sshd.log().matches("rekeying in progress").count() + sshd.log().matches("SSH2_MSG_KEXINIT received").count();
    assert!(rekeys > 10, "{rekeys} changes of keys");
}

#[tokio::test]
async fn two_sessions_on_a_connection_are_used_and_no_more() {
    let sshd = Sshd::start_with("MaxSessions 2").await;
    let pool = pool();
    let host = Arc::new(host(sshd.settings(), &pool));
    let mut processes = Vec::new();
    for _ in 0..5 {
        let mut process = host.spawn(piped("echo ready; read line; echo $line"), &reach()).await.unwrap();
        read_until(&mut process, "ready").await;
        processes.push(process);
    }
    assert!(pool.connections().iter().all(|connection| connection.channels <= 2), "{:?}", pool.connections());
    assert_eq!(sshd.logins(), 3);
    for process in processes {
        process.control.input(bytes("hello\n")).await;
        assert_eq!(finish(process).await.out(), "hello\n");
    }
}

// rows: F-62
#[tokio::test]
async fn an_agent_with_many_keys_does_not_use_up_the_tries_of_the_server() {
    let sshd = Sshd::start_with("MaxAuthTries 4").await;
    let names = ["a", "b", "c", "d", "e", "f"];
    names.iter().for_each(|name| drop(write_key(&sshd.path(name))));
    let agent = TestAgent::holding(&sshd, "a").await;
    names[1..].iter().for_each(|name| agent.add(&sshd.path(name)));
    agent.add(&sshd.path("user_key"));
    let in_agent = |lines: &str| {
        let settings = HostSettings { key_filename: None, ..configured(&sshd, lines) };
        let options = SshOptions { agent: Some(agent.socket.clone()), home: Some("/nonexistent".into()) };
        host(settings, &SshPool::new(options))
    };
    let message = error(in_agent("").spawn(piped("true"), &reach()).await);
    assert!(message.contains("Too many authentication failures"), "{message}");
    assert!(message.contains("from the agent") && message.contains("IdentitiesOnly"), "{message}");
    // The configuration says which key is meant: by its public half, or by the file.
    let one = format!("IdentitiesOnly yes\nIdentityFile {}\n", sshd.path("user_key.pub").display());
    assert_eq!(run(&in_agent(&one), piped("echo in")).await.out(), "in\n");
    let first = format!("IdentityFile {}\n", sshd.path("user_key").display());
    assert_eq!(run(&in_agent(&first), piped("echo in")).await.out(), "in\n");
}

/// A second kind of server: dropbear.
struct Dropbear {
    child: Child,
    directory: tempfile::TempDir,
    port: u16,
}

impl Dropbear {
    async fn start() -> Dropbear {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("dropbear_key");
        let made = Command::new("dropbearkey")
            .args(["-t", "ed25519", "-f"])
            .arg(&key)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("these tests need dropbear: apt-get install dropbear-bin").success());
        let port = free_port();
        let child = Command::new("dropbear")
            .args(["-F", "-E", "-r"])
            .arg(&key)
            .args(["-p", &format!("127.0.0.1:{port}"), "-P"])
            .arg(directory.path().join("pid"))
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(directory.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        until("dropbear listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()).await;
        Dropbear { child, directory, port }
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        let _gone_already = self.child.kill();
        let _reaped = self.child.wait();
    }
}

// rows: F-68
#[tokio::test]
async fn dropbear_is_talked_to_and_its_refusal_told() {
    let dropbear = Dropbear::start().await;
    let key = dropbear.directory.path().join("stranger");
    write_key(&key);
    let settings = HostSettings {
        slug: "small".into(),
        address: Some("127.0.0.1".into()),
        port: Some(dropbear.port),
        username: Some("root".into()),
        key_filename: Some(key.display().to_string()),
        known_hosts: Some(vec![dropbear.directory.path().join("known_hosts").display().to_string()]),
        host_keys: Some(crate::node::HostKeyPolicy::AcceptNew),
        config_filename: Some("/dev/null".into()),
        ..HostSettings::default()
    };
    let message = error(host(settings, &pool()).spawn(piped("true"), &reach()).await);
    assert!(message.contains("authentication: permission denied; tried key "), "{message}");
    assert!(message.contains("the server allows publickey"), "{message}");
    let known = std::fs::read_to_string(dropbear.directory.path().join("known_hosts")).unwrap();
    assert!(known.contains("ssh-ed25519"), "{known}");
}
