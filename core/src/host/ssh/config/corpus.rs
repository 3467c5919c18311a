//! The same configuration, read by OpenSSH and by us. What they say about a host must be the same.
//!
//! `corpus/cases.txt` has cases that somebody thought of; others are put together from pieces.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::{Proxy, Resolver, Settings, StrictHostKeys, Tokens};
use crate::host::ssh::algorithms::list;
use crate::host::ssh::hops::Hop;
use crate::host::ssh::target::Target;
use crate::node::HostSettings;

/// Read when the test runs, so that a new case needs no compiler.
const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/host/ssh/config/corpus/cases.txt");

/// A configuration and the hosts to ask about.
struct Case {
    title: String,
    /// Name and text of its files; the first is the one that is named.
    files: Vec<(String, String)>,
    hosts: Vec<String>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in std::fs::read_to_string(CASES).unwrap().split_terminator('\n') {
        if let Some(title) = line.strip_prefix("=== ") {
            let files = vec![("config".to_string(), String::new())];
            cases.push(Case { title: title.into(), files, hosts: Vec::new() });
        }
        let Some(case) = cases.last_mut() else { continue };
        if let Some(name) = line.strip_prefix("+++ ") {
            case.files.push((name.into(), String::new()));
        } else if let Some(hosts) = line.strip_prefix("??? ") {
            let hosts = hosts.split('#').next().unwrap();
            case.hosts = hosts.split_whitespace().map(str::to_string).collect();
        } else if !line.starts_with("===") && case.hosts.is_empty() {
            let text = &mut case.files.last_mut().unwrap().1;
            writeln!(text, "{line}").unwrap();
        }
    }
    assert!(cases.iter().all(|case| !case.hosts.is_empty()), "every case asks about somebody");
    cases
}

/// `[user@]host[:port]`
fn asked(host: &str) -> HostSettings {
    let (user, host) = host.split_once('@').map_or((None, host), |(user, host)| (Some(user.to_string()), host));
    let (host, port) = match host.split_once(':') {
        Some((name, port)) if !port.contains(':') => (name, Some(port.parse().unwrap())),
        _ => (host, None),
    };
    HostSettings { slug: host.into(), username: user, port, ..HostSettings::default() }
}

type Facts = BTreeMap<&'static str, String>;

fn printed(command: &mut Command) -> Result<String, String> {
    let output = command.output().expect("these tests need ssh: apt-get install openssh-client");
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn ask_ssh(config: &Path, said: &HostSettings) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut command = Command::new("ssh");
    command.arg("-G").arg("-F").arg(config);
    if let Some(user) = &said.username {
        command.arg("-l").arg(user);
    }
    if let Some(port) = said.port {
        command.arg("-p").arg(port.to_string());
    }
    let output = printed(command.arg("--").arg(&said.slug))?;
    let mut settings: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (keyword, value) in output.lines().filter_map(|line| line.split_once(' ')) {
        settings.entry(keyword.into()).or_default().push(value.into());
    }
    Ok(settings)
}

fn theirs(config: &Path, said: &HostSettings) -> Result<Facts, String> {
    let (printed, defaults) = (ask_ssh(config, said)?, ask_ssh(Path::new("/dev/null"), said)?);
    let one = |keyword: &str| printed.get(keyword).map(|values| values.join("|")).unwrap_or_default();
    let hops = |list: &str| Hop::parse_list(list).unwrap().iter().map(Hop::to_string).collect::<Vec<_>>().join(",");
    Ok(Facts::from([
        ("hostname", one("hostname")),
        ("port", one("port")),
        ("user", one("user")),
        (
            "identityfile",
            match printed.get("identityfile") == defaults.get("identityfile") {
                true => String::new(),
                false => one("identityfile"),
            },
        ),
        ("identitiesonly", one("identitiesonly")),
        ("connecttimeout", one("connecttimeout")),
        ("serveraliveinterval", one("serveraliveinterval")),
        ("serveralivecountmax", one("serveralivecountmax")),
        ("userknownhostsfile", one("userknownhostsfile")),
        ("globalknownhostsfile", one("globalknownhostsfile")),
        ("stricthostkeychecking", one("stricthostkeychecking")),
        ("hostkeyalias", one("hostkeyalias")),
        ("proxyjump", printed.get("proxyjump").map(|list| hops(&list[0])).unwrap_or_default()),
        ("proxycommand", one("proxycommand")),
        ("certificatefile", one("certificatefile")),
        ("ciphers", one("ciphers")),
        ("kexalgorithms", one("kexalgorithms")),
        ("macs", one("macs")),
        ("hostkeyalgorithms", one("hostkeyalgorithms")),
        ("pubkeyacceptedalgorithms", one("pubkeyacceptedalgorithms")),
        ("casignaturealgorithms", one("casignaturealgorithms")),
    ]))
}

async fn ours(config: &Path, said: &HostSettings, resolver: &Resolver) -> Result<Facts, String> {
    let said = HostSettings { config_filename: Some(config.display().to_string()), ..said.clone() };
    let (target, settings) = Target::named(&said.slug, &said, resolver).await.map_err(|failure| failure.reason)?;
    let account = resolver.account();
    let tokens = Tokens {
        host: &target.address,
        original: &said.slug,
        port: target.port,
        user: &target.user,
        local_user: account.name.as_deref().unwrap(),
        home: account.home.as_deref(),
        uid: account.uid,
    };
    let files = |files: Option<Vec<String>>, default: &[&str]| {
        let files = files.unwrap_or_else(|| default.iter().map(|file| file.to_string()).collect());
        let files: Vec<_> = files.iter().map(|file| tokens.path(file).unwrap().display().to_string()).collect();
        if files.is_empty() { "none".into() } else { files.join(" ") }
    };
    let seconds = |limit: Option<std::time::Duration>, none: &str| {
        limit.map_or(none.to_string(), |limit| limit.as_secs().to_string())
    };
    let Settings { identity_files, identities_only, proxy, .. } = settings;
    let wishes = settings.algorithms;
    // What a list of ours makes of ssh's defaults and of what ssh has.
    let defaults = ask_ssh(Path::new("/dev/null"), &said)?;
    let algorithms = |keyword: &str, query: &str, wish: Option<String>| {
        let default: Vec<String> = defaults[keyword][0].split(',').map(str::to_string).collect();
        let Some(wish) = wish else { return Ok(default.join(",")) };
        let all: Vec<String> = printed(Command::new("ssh").arg("-Q").arg(query))?.lines().map(str::to_string).collect();
        list::apply(keyword, &wish, &default, &all)
            .map(|chosen| chosen.names.join(","))
            .map_err(|failure| failure.reason)
    };
    let (jump, command) = match proxy {
        Some(Proxy::Jump(list)) => (Hop::parse_list(&list).unwrap(), String::new()),
        Some(Proxy::Command(line)) => (Vec::new(), line),
        Some(Proxy::Direct) | None => (Vec::new(), String::new()),
    };
    Ok(Facts::from([
        ("hostname", target.address.clone()),
        ("port", target.port.to_string()),
        ("user", target.user.clone()),
        ("identityfile", identity_files.join("|")),
        ("identitiesonly", if identities_only == Some(true) { "yes".into() } else { "no".into() }),
        ("connecttimeout", seconds(settings.connect_timeout, "none")),
        ("serveraliveinterval", seconds(settings.alive_interval, "0")),
        ("serveralivecountmax", settings.alive_count.unwrap_or(3).to_string()),
        ("userknownhostsfile", files(settings.user_known_hosts, &["~/.ssh/known_hosts", "~/.ssh/known_hosts2"])),
        (
            "globalknownhostsfile",
            files(settings.global_known_hosts, &["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]),
        ),
        (
            "stricthostkeychecking",
            match settings.strict_host_keys {
                Some(StrictHostKeys::Yes) => "true".into(),
                Some(StrictHostKeys::No) => "false".into(),
                Some(StrictHostKeys::AcceptNew) => "accept-new".into(),
                Some(StrictHostKeys::Ask) | None => "ask".into(),
            },
        ),
        ("hostkeyalias", settings.host_key_alias.unwrap_or_default()),
        ("proxyjump", jump.iter().map(Hop::to_string).collect::<Vec<_>>().join(",")),
        ("proxycommand", command),
        ("certificatefile", settings.certificate_files.join("|")),
        ("ciphers", algorithms("ciphers", "cipher", wishes.ciphers)?),
        ("kexalgorithms", algorithms("kexalgorithms", "kex", wishes.kex)?),
        ("macs", algorithms("macs", "mac", wishes.macs)?),
        ("hostkeyalgorithms", algorithms("hostkeyalgorithms", "HostKeyAlgorithms", wishes.host_keys)?),
        (
            "pubkeyacceptedalgorithms",
            algorithms("pubkeyacceptedalgorithms", "PubkeyAcceptedAlgorithms", wishes.user_keys)?,
        ),
        ("casignaturealgorithms", algorithms("casignaturealgorithms", "sig", wishes.authorities)?),
    ]))
}

/// Compares a case, and says what is different.
async fn differences(case: &Case, resolver: &Resolver) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { directory.path().join(name) };
    for (name, text) in &case.files {
        std::fs::create_dir_all(at(name).parent().unwrap()).unwrap();
        std::fs::write(at(name), text.replace('@', &directory.path().display().to_string()).replace("%AT%", "@"))
            .unwrap();
    }
    let mut found = Vec::new();
    for host in &case.hosts {
        let said = asked(host);
        let (ours, theirs) = match (ours(&at("config"), &said, resolver).await, theirs(&at("config"), &said)) {
            (Ok(ours), Ok(theirs)) => (ours, theirs),
            (ours, theirs) => {
                found.push(format!("{}, {host}: ssh {:?}, we {:?}", case.title, theirs.err(), ours.err()));
                continue;
            }
        };
        for (keyword, theirs) in theirs {
            let ours = &ours[keyword];
            if *ours != theirs {
                found.push(format!("{}, {host}: {keyword} is {theirs:?} for ssh and {ours:?} for us", case.title));
            }
        }
    }
    found
}

async fn compare(cases: Vec<Case>, at_least: usize) {
    let resolver = std::sync::Arc::new(Resolver::new(None, None));
    let asked: usize = cases.iter().map(|case| case.hosts.len()).sum();
    assert!(asked >= at_least, "{asked} cases");
    let mut running = tokio::task::JoinSet::new();
    let cases = std::sync::Arc::new(cases);
    for worker in 0..4 {
        let (cases, resolver) = (cases.clone(), resolver.clone());
        running.spawn(async move {
            let mut found = Vec::new();
            for case in cases.iter().skip(worker).step_by(4) {
                found.extend(differences(case, &resolver).await);
            }
            found
        });
    }
    let found: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    assert!(found.is_empty(), "{} of {asked} cases:\n{}", found.len(), found.join("\n"));
}

// rows: F-63 W-40
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn we_read_what_ssh_reads() {
    compare(cases(), 150).await;
}

/// Files put together at random from lines that each mean something, always the same ones.
// rows: F-63 W-40
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn we_read_what_ssh_reads_in_files_nobody_thought_of() {
    const HEADS: [&str; 14] = [
        "Host *",
        "Host web1",
        "Host web* !web2",
        "Host !db *",
        "Host db \"web2\"",
        "Host=w?b?",
        "Match all",
        "Match host web1,db",
        "Match host 10.*",
        "Match originalhost web*",
        "Match user anna",
        "Match !user anna host web?",
        "Match originalhost db user !berta,*",
        "Match localuser nobody-there",
    ];
    const LINES: [&str; 29] = [
        "HostName 10.0.0.1",
        "HostName %h.lan",
        "User anna",
        "user = berta",
        "Port 2201",
        "Port=2202",
        "IdentityFile ~/.ssh/%r",
        "IdentityFile \"/keys/a b\"",
        "IdentityFile /keys/c # comment",
        "IdentitiesOnly yes",
        "ConnectTimeout 1m1s",
        "ServerAliveInterval 20",
        "ServerAliveCountMax 9",
        "UserKnownHostsFile /k/%h /k/%r",
        "GlobalKnownHostsFile none",
        "StrictHostKeyChecking accept-new",
        "HostKeyAlias alias",
        "CertificateFile ~/.ssh/cert",
        "Ciphers +aes128-cbc",
        "Ciphers aes256-ctr,aes128-ctr",
        "KexAlgorithms ^diffie-hellman-group14-sha1",
        "MACs -*sha1*",
        "HostKeyAlgorithms ssh-ed25519",
        "PubkeyAcceptedAlgorithms +ssh-rsa",
        "CASignatureAlgorithms rsa-sha2-*,ssh-ed25519",
        "CASignatureAlgorithms -ecdsa-*",
        "ProxyJump anna%AT%bastion:22,inner",
        "ProxyJump none",
        "ProxyCommand nc \"%h\" %p",
    ];
    let mut random = StdRng::seed_from_u64(7);
    let mut cases = Vec::new();
    for number in 0..100 {
        let mut text = String::new();
        let mut included = String::new();
        for block in 0..random.random_range(1..6) {
            let into = if random.random_range(0..4) == 0 { &mut included } else { &mut text };
            if block > 0 || random.random() {
                writeln!(into, "{}", HEADS.choose(&mut random).unwrap()).unwrap();
            }
            for _ in 0..random.random_range(0..5) {
                writeln!(into, "  {}", LINES.choose(&mut random).unwrap()).unwrap();
            }
            if random.random_range(0..3) == 0 {
                writeln!(text, "Include @/more").unwrap();
            }
        }
        cases.push(Case {
            title: format!("generated {number}:\n{text}+++ more\n{included}"),
            files: vec![("config".into(), text), ("more".into(), included)],
            hosts: ["web1", "anna@web2", "db:2200"].map(str::to_string).to_vec(),
        });
    }
    compare(cases, 300).await;
}
