//! Known-hosts files as OpenSSH reads them and as we do: the same files, the same questions.

use std::path::Path;
use std::process::{Command, Stdio};

use super::sshd::{Sshd, ssh_keygen, write_key};
use crate::host::ssh::known_hosts::{KnownHosts, Verdict};

/// Lines of one file; `K` is a key. What is odd is odd on purpose.
const LINES: &[&str] = &[
    "web1 K",
    "web1 K comment",
    "web1\tK",
    "  web1 \t K",
    "web1 K\r",
    "web1 K comment\r",
    "WEB1 K",
    "web1,web2 K",
    "web2,web1,10.0.0.1 K",
    "web1,,web2 K",
    ",web1 K",
    "web1, K",
    ", K",
    "web* K",
    "web? K",
    "*eb1 K",
    "* K",
    "*.example.org K",
    "*.EXAMPLE.org K",
    "web1.example.org K",
    "!web1 K",
    "!web1,web* K",
    "web*,!web1 K",
    "*,!*.example.org K",
    "!* K",
    "*,!* K",
    "web1,!web2 K",
    "!!web1,web2 K",
    "! K",
    "10.0.0.* K",
    "10.0.?.1 K",
    "2001:db8::1 K",
    "2001:DB8::1 K",
    "[2001:db8::1]:2222 K",
    "[web1]:2222 K",
    "[web1]:22 K",
    "[web*]:2222 K",
    "[*]:2222 K",
    "[web1]:* K",
    "[web1]:222? K",
    "[*]:* K",
    "[web1] K",
    "web1:2222 K",
    "*:2222 K",
    "[web1]:2222,!web1 K",
    "\"web1\" K",
    "web\\1 K",
    "# web1 K",
    "   # web1 K",
    "#",
    "",
    "   \t ",
    "web1 # K",
    "web1#K",
    "web1",
    "web1 ",
    "web1 ssh-ed25519",
    "web1 ssh-ed25519 ",
    "web1 ssh-ed25519 #",
    "web1 ssh-ed25519 AAAA",
    "web1 ssh-ed25519 not/base64!",
    "web1 ssh-rsa B",
    "web1 ssh-unknown B",
    "web1 B",
    "web1 1024 35 123456789",
    "web1 ssh-ed25519 BB",
    "web1 ssh-ed25519\t\tB\tcomment",
    "@revoked web1 K",
    "@cert-authority web1 K",
    "@revoked   web* K",
    "@revoked\tweb1\tssh-ed25519\tB",
    "@cert-authority * K",
    "@cert-authority *.example.org,!bad.example.org K",
    "@REVOKED web1 K",
    "@new web1 K",
    "@ web1 K",
    "@revoked",
    "@revoked K",
    "@revoked @revoked web1 K",
    "@revoked @cert-authority web1 K",
    "@revokedweb1 K",
    "@revoked |1|x|y K",
    "|1|x|y K",
    "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA= K",
    "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= K",
    "|2|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= K",
    "web1,|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|AAAAAAAAAAAAAAAAAAAAAAAAAAA= K",
    "H0 K",
    "H1 K",
    "H2 K comment",
    "@revoked H0 K",
    "@cert-authority H1 K",
    "H0,web2 K",
    "H0x K",
    "web1\u{b}K",
    "\u{feff}web1 K",
    "web1 K \u{1}\u{7f}\u{fffd}",
    "w\u{e9}b1,web1 K",
    "L K",
    "web1,L K",
    "L,web1 K",
    "M K",
    "web1 K C",
];

/// Names that are looked up.
const NAMES: &[&str] = &[
    "web1",
    "web2",
    "web12",
    "web",
    "web1.example.org",
    "bad.example.org",
    "example.org",
    "10.0.0.1",
    "10.0.20.1",
    "2001:db8::1",
    "[2001:db8::1]:2222",
    "[web1]:2222",
    "[web1]:22",
    "[web2]:2222",
    "[web1]",
    "w\u{e9}b1",
    "x",
];

/// Lines whose key cannot be read: ssh-keygen looks at the name only, ssh passes over them.
const BROKEN_KEYS: &[&str] = &[
    "web1 ssh-ed25519 ",
    "web1 ssh-ed25519 AAAA",
    "web1 ssh-ed25519 not/base64!",
    "web1 ssh-rsa B",
    "web1 ssh-ed25519 BB",
];

fn lines(directory: &Path) -> Vec<String> {
    let key = write_key(&directory.join("key")).public_key().to_openssh().unwrap();
    let base64 = key.split(' ').nth(1).unwrap().to_string();
    let hashed = hash(directory, &["web1", "[web1]:2222", "web1.example.org"], &key);
    let many = (0..3000).map(|index| format!("host{index}")).collect::<Vec<_>>().join(",");
    let expand = |line: &&str| {
        let mut out = Vec::new();
        for word in line.split(' ') {
            let (start, list) = word.rsplit_once(',').map_or(("", word), |(start, end)| (start, end));
            let comma = if word.contains(',') { "," } else { "" };
            let expanded = match (list, word) {
                (_, "K") => key.clone(),
                (_, "K\r") => format!("{key}\r"),
                (_, "\tK" | "web1\tK") => word.replace('K', &key),
                (_, "B") => base64.clone(),
                (_, "BB") => format!("{base64}{base64}"),
                (_, "C") => "c".repeat(100_000),
                (_, "M") => format!("{many},web1"),
                ("L", _) => format!("{start}{comma}{}", "l".repeat(1100)),
                (_, "L,web1") => format!("{},web1", "l".repeat(1100)),
                (_, "H0" | "H0,web2" | "H0x") => word.replace("H0", &hashed[0]),
                (_, "H1") => hashed[1].clone(),
                (_, "H2") => hashed[2].clone(),
                (_, word) => word.replace("\tB", &format!("\t{base64}")),
            };
            out.push(expanded);
        }
        out.join(" ")
    };
    LINES.iter().map(expand).collect()
}

/// Names as ssh-keygen hashes them.
fn hash(directory: &Path, names: &[&str], key: &str) -> Vec<String> {
    let file = directory.join("hashed");
    std::fs::write(&file, names.iter().map(|name| format!("{name} {key}\n")).collect::<String>()).unwrap();
    ssh_keygen(["-q", "-H", "-f", file.to_str().unwrap()]);
    let text = std::fs::read_to_string(&file).unwrap();
    text.lines().map(|line| line.split(' ').next().unwrap().to_string()).collect()
}

/// The lines that ssh-keygen finds for a name, and what it says about them.
fn found_by_ssh_keygen(file: &Path, name: &str) -> Vec<(usize, String)> {
    let output = Command::new("ssh-keygen").arg("-F").arg(name).arg("-f").arg(file).stdin(Stdio::null()).output();
    let output = output.expect("these tests need ssh-keygen: apt-get install openssh-client");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = text.lines().filter_map(|line| line.strip_prefix("# Host ")?.split_once(" found: line "));
    found
        .map(|(_, place)| {
            let (line, marker) = place.split_once(' ').unwrap_or((place, ""));
            (line.trim().parse().unwrap(), marker.trim().to_string())
        })
        .collect()
}

// rows: W-06
#[test]
fn the_same_lines_are_about_a_host_as_for_ssh_keygen() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("known_hosts");
    let lines = lines(directory.path());
    let mut wrong = String::new();
    for end in ["\n", "\r\n", ""] {
        let last = if end.is_empty() { "" } else { end };
        let text = lines.join(if end.is_empty() { "\n" } else { end }) + last;
        std::fs::write(&file, text).unwrap();
        let ours = KnownHosts::read(std::slice::from_ref(&file)).unwrap();
        let mut cases = 0;
        for name in NAMES {
            let theirs = found_by_ssh_keygen(&file, name);
            let ours: Vec<(usize, String)> =
                ours.lines_about(name).into_iter().map(|(line, word)| (line, word.to_string())).collect();
            for (index, line) in LINES.iter().enumerate() {
                let about = |found: &[(usize, String)]| found.iter().find(|(line, _)| *line == index + 1).cloned();
                let expected = if BROKEN_KEYS.contains(line) { None } else { about(&theirs) };
                if about(&ours) != expected {
                    let (ours, place) = (about(&ours), index + 1);
                    wrong.push_str(&format!(
                        "line {place} {line:?} about {name}, ends {end:?}: {ours:?}, not {expected:?}\n"
                    ));
                }
                cases += 1;
            }
        }
        assert!(cases > 1000, "{cases}");
    }
    assert_eq!(wrong, "");
}

/// Files, and what ssh makes of a server that shows the key `K`. `H` is the name of the server with its port, `B`
/// without; `O` is another key of the same kind, `E` one of another kind; `/` begins the next file.
const VERDICTS: &[&str] = &[
    "",
    "H K",
    "B K",
    "H O",
    "B O",
    "H E",
    "B E",
    "H O\nH K",
    "H K\nH O",
    "H E\nH K",
    "H E\nH O",
    "H E\nB K",
    "H O\nB K",
    "B O\nH K",
    "B E\nB K",
    "[*]:* K",
    "* K",
    "* O",
    "*,!B K",
    "*,!H K",
    "H,!H K",
    "other K",
    "other O",
    "other K\nH K",
    "@revoked H K",
    "@revoked B K",
    "@revoked * K",
    "@revoked other K\nH K",
    "@revoked H O\nH K",
    "@revoked H K\nH K",
    "H K\n@revoked H K",
    "H K\n@revoked B K",
    "B K\n@revoked H K",
    "H O\n@revoked H K",
    "@cert-authority H K",
    "@cert-authority * O",
    "@cert-authority * O\nH K",
    "@cert-authority H K\nH O",
    "# H K",
    "H K\r",
    "H ssh-ed25519",
    "H broken\nH K",
    "H ssh-ed25519 AAAA",
    "H ssh-ed25519 not/base64!",
    "H ssh-rsa b",
    "H ssh-unknown b",
    "H b",
    "H ssh-ed25519 bb",
    "H ssh-ed25519 b comment",
    "H ssh-ed25519\tb",
    "@revoked\tH\tssh-ed25519\tb\nH K",
    "@new H K",
    "@revoked @revoked H K\nH K",
    "/H K",
    "H K/",
    "H O/H K",
    "H K/H O",
    "H E/H O",
    "B K/H O",
    "H O/B K",
    "H K/@revoked H K",
    "@revoked H K/H K",
    "B O/H K",
];

// rows: W-06
#[tokio::test]
async fn the_same_keys_are_known_changed_and_revoked_as_for_ssh() {
    let sshd = Sshd::start().await;
    write_key(&sshd.path("other"));
    ssh_keygen(["-q", "-t", "ecdsa", "-N", "", "-f", sshd.path("ecdsa").to_str().unwrap()]);
    let public = |name: &str| std::fs::read_to_string(sshd.path(name)).unwrap().trim().to_string();
    let (key, other, ecdsa) = (public("host_key.pub"), public("other.pub"), public("ecdsa.pub"));
    let base64 = key.split(' ').nth(1).unwrap();
    let shown = russh::keys::load_public_key(sshd.path("host_key.pub")).unwrap();
    let files = [sshd.path("one"), sshd.path("two")];
    for case in VERDICTS {
        for (index, file) in files.iter().enumerate() {
            let text = case.split('/').nth(index).unwrap_or_default();
            let expand = |word: &str| match word {
                "K" => key.clone(),
                "K\r" => format!("{key}\r"),
                "O" => other.clone(),
                "E" => ecdsa.clone(),
                word => {
                    let word = word.replace('H', &format!("[127.0.0.1]:{}", sshd.port)).replace('B', "127.0.0.1");
                    match word.as_str() {
                        "b" => base64.to_string(),
                        "bb" => base64.repeat(2),
                        word => word.replace("\tb", &format!("\t{base64}")),
                    }
                }
            };
            let line = |line: &str| line.split(' ').map(expand).collect::<Vec<_>>().join(" ");
            std::fs::write(file, text.split('\n').map(|text| line(text) + "\n").collect::<String>()).unwrap();
        }
        let ours = match KnownHosts::read(&files).unwrap().check("127.0.0.1", sshd.port, &shown) {
            Verdict::Known => "known",
            Verdict::Unknown => "unknown",
            Verdict::Changed(_) => "changed",
            Verdict::Revoked(_) => "revoked",
        };
        assert_eq!(ours, verdict_of_ssh(&sshd, &files), "{case:?}");
    }
    // The one difference: ssh takes a marker for one only up to the first space, and so passes over this line. Here a
    // revocation counts however it is written.
    let name = format!("[127.0.0.1]:{}", sshd.port);
    std::fs::write(&files[0], format!("@revoked\t{name} {key}\n{name} {key}\n")).unwrap();
    let ours = KnownHosts::read(&files).unwrap().check("127.0.0.1", sshd.port, &shown);
    assert!(matches!(ours, Verdict::Revoked(_)), "{ours:?}");
    assert_eq!(verdict_of_ssh(&sshd, &files), "known");
}

fn verdict_of_ssh(sshd: &Sshd, files: &[std::path::PathBuf]) -> &'static str {
    let mut ssh = Command::new("ssh");
    ssh.args([
        "-F",
        "none",
        "-o",
        "BatchMode=yes",
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        "GlobalKnownHostsFile=none",
    ])
    .args(["-o", "ConnectTimeout=20", "-o", "UpdateHostKeys=no", "-o", "IdentitiesOnly=yes", "-l", "root"])
    .arg("-o")
    .arg(format!("UserKnownHostsFile={} {}", files[0].display(), files[1].display()))
    .arg("-i")
    .arg(sshd.path("user_key"))
    .args(["-p", &sshd.port.to_string(), "127.0.0.1", "true"])
    .env_remove("SSH_AUTH_SOCK")
    .stdin(Stdio::null());
    let output = ssh.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() {
        "known"
    } else if said.contains("REVOKED HOST KEY DETECTED") {
        "revoked"
    } else if said.contains("IDENTIFICATION HAS CHANGED") {
        "changed"
    } else if said.contains("host key is known for") {
        "unknown"
    } else {
        panic!("{said}")
    }
}

// rows: W-06
#[test]
fn names_that_ssh_keygen_has_hashed_are_found() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let names = ["web1", "web1.example.org,10.0.0.1", "[web1]:2222", "2001:db8::1"];
    let mut text = String::new();
    let keys: Vec<_> = (0..names.len()).map(|index| write_key(&at(&format!("key{index}")))).collect();
    for (name, key) in names.iter().zip(&keys) {
        text.push_str(&format!("{name} {}\n", key.public_key().to_openssh().unwrap()));
    }
    std::fs::write(at("known_hosts"), text).unwrap();
    ssh_keygen(["-q", "-H", "-f", at("known_hosts").to_str().unwrap()]);
    assert!(!std::fs::read_to_string(at("known_hosts")).unwrap().contains("web1"));
    let hosts = KnownHosts::read(&[at("known_hosts")]).unwrap();
    for (host, port, key) in
        [("web1", 22, 0), ("WEB1.example.org", 22, 1), ("10.0.0.1", 22, 1), ("web1", 2222, 2), ("2001:db8::1", 22, 3)]
    {
        assert_eq!(hosts.check(host, port, keys[key].public_key()), Verdict::Known, "{host}:{port}");
        let other = keys[(key + 1) % keys.len()].public_key();
        assert!(matches!(hosts.check(host, port, other), Verdict::Changed(_)), "{host}:{port}");
    }
    assert_eq!(hosts.check("web2", 22, keys[0].public_key()), Verdict::Unknown);
}
