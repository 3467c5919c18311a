//! The same files, read by OpenSSH and by us.

use std::path::Path;
use std::process::Command;

use crate::host::ssh::SshOptions;
use crate::host::ssh::target::Target;
use crate::node::{HostDef, HostKind, HostSettings};

const CONFIG: &str = r#"
# Every host is asked for below.
Host plain
    HostName 10.0.0.1
    Port 2201

Host alias web?  "quoted"
    User=deploy
    ConnectTimeout = 7
    IdentityFile /keys/%r-%h-%p-%n

Host *.example.org !bad.example.org
    User example
    IdentityFile "/keys/with space"

Match originalhost web7 user deploy
    Port 2207

Match host 10.0.0.* !originalhost plain
    User never

Host short
    HostName %h.lan

Match host short.lan
    Port 2208

Match !originalhost plain originalhost p*
    User matched

Host twice
    Port 1
    Port 2
Host twice
    Port 3
    User second

Include conf.d/*.conf

Match all
    IdentityFile /keys/all
Host *
    User fallback
"#;

const INCLUDED: &str = "Host included plain\n  Port 2299\n  User included\nHost nobody\n  User never\n";

fn asked_of_ssh(config: &Path, host: &str, setting: &str) -> Vec<String> {
    let output = Command::new("ssh").arg("-G").arg("-F").arg(config).arg(host).output();
    let output = output.expect("these tests need ssh: apt-get install openssh-client");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let values = text.lines().filter_map(|line| line.split_once(' ')).filter(|(name, _)| *name == setting);
    values.map(|(_, value)| value.to_string()).collect()
}

// rows: F-63 W-40
#[test]
fn the_configuration_is_read_as_ssh_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("conf.d")).unwrap();
    std::fs::write(at("conf.d/one.conf"), INCLUDED).unwrap();
    // Relative names are relative to ~/.ssh, which ssh takes from the passwd file.
    let text = CONFIG.replace("Include conf.d", &format!("Include {}", at("conf.d").display()));
    std::fs::write(at("config"), text).unwrap();
    for host in [
        "plain",
        "alias",
        "web7",
        "web77",
        "quoted",
        "a.example.org",
        "bad.example.org",
        "example.org",
        "short",
        "pear",
        "twice",
        "included",
        "other",
        "10.0.0.5",
    ] {
        let settings = HostSettings {
            slug: host.into(),
            config_filename: Some(at("config").display().to_string()),
            ..HostSettings::default()
        };
        let options = SshOptions { agent: None, home: Some(directory.path().into()) };
        let target = Target::of(&HostDef::new(HostKind::Ssh, settings), &options).unwrap();
        let ssh = |setting| asked_of_ssh(&at("config"), host, setting);
        assert_eq!(vec![target.address.clone()], ssh("hostname"), "{host}");
        assert_eq!(vec![target.port.to_string()], ssh("port"), "{host}");
        assert_eq!(vec![target.user.clone()], ssh("user"), "{host}");
        let files = &target.identity.configured_files;
        // ssh leaves the tokens in.
        let theirs = ssh("identityfile")
            .iter()
            .map(|file| {
                let file = file.replace("%r", &target.user).replace("%h", &target.address).replace("%n", host);
                file.replace("%p", &target.port.to_string())
            })
            .collect::<Vec<_>>();
        assert_eq!(files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>(), theirs, "{host}");
        let timeout = ssh("connecttimeout").pop().filter(|limit| limit != "none" && limit != "0");
        assert_eq!(target.timeout.as_secs().to_string(), timeout.unwrap_or("10".into()), "{host}");
    }
}
