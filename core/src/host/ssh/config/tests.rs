#![allow(clippy::unwrap_used)]

use std::path::Path;

use super::*;

fn account() -> Account {
    Account { name: Some("anna".into()), home: Some("/home/anna".into()), uid: rustix::process::getuid().as_raw() }
}

fn resolve(files: &Files, query: Query<'_>) -> Result<Settings, Failure> {
    let Reading { settings, undecided, .. } = read(files, query)?;
    assert_eq!(undecided, None);
    Ok(settings)
}

fn undecided(text: &str, host: &str) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, text).unwrap();
    let why = read(&Files::Only(file), Query { host, user: None, account: &account() }).unwrap().undecided?;
    Some(why.rsplit_once("config:").unwrap().1.to_string())
}

fn resolved(text: &str, host: &str) -> Result<Settings, Failure> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, text).unwrap();
    resolve(&Files::Only(file), Query { host, user: None, account: &account() })
}

fn summary(settings: &Settings) -> String {
    let mut out = Vec::new();
    out.extend(settings.hostname.iter().map(|name| format!("at {name}")));
    out.extend(settings.user.iter().map(|user| format!("user {user}")));
    out.extend(settings.port.iter().map(|port| format!("port {port}")));
    out.extend(settings.identity_files.iter().map(|file| format!("key {file}")));
    out.extend(settings.identities_only.iter().map(|only| format!("only {only}")));
    out.extend(settings.connect_timeout.iter().map(|limit| format!("within {}", limit.as_secs())));
    out.extend(settings.proxy.iter().map(|proxy| match proxy {
        Proxy::Direct => "direct".to_string(),
        Proxy::Jump(hops) => format!("through {hops}"),
        Proxy::Command(line) => format!("by {line}"),
    }));
    out.join(", ")
}

// rows: F-63 W-40
#[test]
fn blocks_values_and_spelling() {
    for (text, host, expected) in [
        ("", "web1", ""),
        ("User anna", "web1", "user anna"),
        ("Host web1\n  HostName 10.0.0.1\n  Port 2222", "web1", "at 10.0.0.1, port 2222"),
        ("Host web1\n  HostName 10.0.0.1\n  Port 2222", "web2", ""),
        ("Host web?\n User a\nHost *\n User b", "web1", "user a"),
        ("Host web?\n User a\nHost *\n User b", "db", "user b"),
        ("Host *.org !bad.org\n User a", "good.org", "user a"),
        ("Host *.org !bad.org\n User a", "bad.org", ""),
        ("Host a b c\n User x", "b", "user x"),
        ("Host \"two words\"\n User x", "two words", "user x"),
        ("hOST=web1\nPORT = 22\nuser=\"anna b\"", "web1", "user anna b, port 22"),
        ("# comment\n\nHost web1 # more\n User a # why", "web1", "user a"),
        ("IdentityFile ~/.ssh/a\nHost web1\nIdentityFile '~/.ssh/b c'", "web1", "key ~/.ssh/a, key ~/.ssh/b c"),
        ("IdentitiesOnly yes\nConnectTimeout 1m30s", "web1", "only true, within 90"),
        ("ConnectTimeout none", "web1", ""),
        ("UnheardOf yes\nUser a", "web1", "user a"),
        ("ProxyJump none\nProxyJump bastion", "web1", "direct"),
        ("ProxyJump bastion", "web1", "through bastion"),
        ("ProxyCommand nc -x proxy %h %p", "web1", "by nc -x proxy %h %p"),
        ("ProxyJump none\nProxyCommand nc %h %p", "web1", "by nc %h %p"),
        ("ProxyCommand none\nHost *\nProxyJump bastion", "web1", "direct"),
    ] {
        assert_eq!(summary(&resolved(text, host).unwrap()), expected, "{text:?} for {host}");
    }
}

// rows: W-40
#[test]
fn match_lines() {
    for (text, host, expected) in [
        ("Match all\n User a", "web1", "user a"),
        ("Match host web1\n User a", "web1", "user a"),
        ("Match host web2\n User a", "web1", ""),
        ("Match host \"web1,web2\"\n User a", "web2", "user a"),
        ("Match !host web1\n User a", "web1", ""),
        ("Match !host web1\n User a", "web2", "user a"),
        ("HostName 10.0.0.1\nMatch host 10.*\n User a", "web1", "at 10.0.0.1, user a"),
        ("HostName %h.lan\nMatch host web1.lan\n User a", "web1", "at %h.lan, user a"),
        ("HostName 10.0.0.1\nMatch originalhost web1\n User a", "web1", "at 10.0.0.1, user a"),
        ("HostName 10.0.0.1\nMatch host web1\n User a", "web1", "at 10.0.0.1"),
        ("User deploy\nMatch user deploy\n Port 1", "web1", "user deploy, port 1"),
        ("Match user anna\n Port 1", "web1", "port 1"),
        ("Match localuser anna host web1\n Port 1", "web1", "port 1"),
        ("Match localuser berta host web1\n Port 1", "web1", ""),
        ("Match canonical all\n Port 1", "web1", ""),
        // The block ends at the next Host or Match: its lines must not leak into the block above.
        ("Host web1\n User a\nMatch host web2 exec false\n Port 1", "web1", "user a"),
    ] {
        assert_eq!(summary(&resolved(text, host).unwrap()), expected, "{text:?} for {host}");
    }
}

// rows: W-40
#[test]
fn what_only_ssh_knows_is_left_to_it() {
    for (text, expected) in [
        ("User a\nMatch exec true\n Port 1", Some("2: Match exec")),
        ("Match localnetwork 10.0.0.0/8\n Port 1", Some("1: Match localnetwork")),
        ("Match final host web1\n Port 1", Some("1: Match final")),
        ("CanonicalizeHostname yes", Some("1: CanonicalizeHostname")),
        ("CanonicalizeHostname no", None),
        ("Match host web2 exec true\n Port 1", None),
        ("Host web2\nMatch exec true\n Port 1", Some("2: Match exec")),
        ("Host web2\n CanonicalizeHostname yes", None),
    ] {
        assert_eq!(undecided(text, "web1").as_deref(), expected, "{text:?}");
    }
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, expected) in [
        ("User a\nPort ssh", ":2: ssh is not a port number"),
        ("Port 0", ":1: 0 is not a port number"),
        ("User \"a", ":1: missing closing \""),
        ("ConnectTimeout soon", ":1: soon is not a time"),
        ("Port", ":1: port without a value"),
        ("StrictHostKeyChecking maybe", ":1: StrictHostKeyChecking must be yes, no, ask or accept-new, not maybe"),
        ("Match host", ":1: Match host without a pattern"),
    ] {
        let failure = resolved(text, "web1").unwrap_err();
        assert!(failure.reason.ends_with(expected), "{text:?}: {}", failure.reason);
    }
    assert!(resolved("Host web2\nPort ssh", "web1").is_ok(), "a block for others is not looked at");
}

#[test]
fn a_named_file_must_exist_and_a_default_one_need_not() {
    let account = account();
    let query = Query { host: "web1", user: None, account: &account };
    let missing = Path::new("/nonexistent/config").to_path_buf();
    let failure = resolve(&Files::Only(missing.clone()), query).unwrap_err();
    assert_eq!(failure.reason, "ssh configuration /nonexistent/config does not exist");
    let defaults = Files::Default { user: Some(missing.clone()), system: missing };
    assert_eq!(resolve(&defaults, query).unwrap(), Settings::default());
}

#[test]
fn the_users_file_comes_first_and_is_nobody_elses_to_write() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let (user, system) = (directory.path().join("config"), directory.path().join("ssh_config"));
    std::fs::write(&user, "User a").unwrap();
    std::fs::write(&system, "User b\nPort 2").unwrap();
    std::fs::set_permissions(&user, std::fs::Permissions::from_mode(0o600)).unwrap();
    let account = account();
    let query = Query { host: "web1", user: None, account: &account };
    let files = Files::Default { user: Some(user.clone()), system };
    assert_eq!(summary(&resolve(&files, query).unwrap()), "user a, port 2");
    std::fs::set_permissions(&user, std::fs::Permissions::from_mode(0o620)).unwrap();
    assert!(resolve(&files, query).unwrap_err().reason.starts_with("bad owner or permissions"));
}

#[test]
fn included_files_are_read_in_place() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("conf.d")).unwrap();
    std::fs::write(at("conf.d/20.conf"), "Host web1\n User second\n Port 20").unwrap();
    std::fs::write(at("conf.d/10.conf"), "Host web1\n User first").unwrap();
    std::fs::write(at("conf.d/30.other"), "HostName wrong").unwrap();
    let text = format!(
        "Include {}\nHost web2\n Include {}\nHost *\n User last\n Port 99",
        at("conf.d/*.conf").display(),
        at("conf.d/30.other").display()
    );
    assert_eq!(summary(&resolved(&text, "web1").unwrap()), "user first, port 20");
    assert_eq!(summary(&resolved(&text, "web2").unwrap()), "at wrong, user last, port 99");
    assert_eq!(summary(&resolved(&format!("Include {}", at("none").display()), "web1").unwrap()), "");
}

#[test]
fn files_that_include_themselves_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config");
    std::fs::write(&file, format!("Include {0}\nInclude {0}", file.display())).unwrap();
    let failure = resolve(&Files::Only(file), Query { host: "a", user: None, account: &account() }).unwrap_err();
    assert!(failure.reason.contains("too many Include"), "{}", failure.reason);
}

#[test]
fn tokens_and_homes() {
    let tokens = Tokens {
        host: "10.0.0.1",
        original: "web1",
        port: 2222,
        user: "deploy",
        local_user: "anna",
        home: Some(Path::new("/home/anna")),
        uid: 1000,
    };
    for (text, expected) in [
        ("~/.ssh/%r@%h:%p-%n", Ok("/home/anna/.ssh/deploy@10.0.0.1:2222-web1")),
        ("%d/keys/%u-%i%%", Ok("/home/anna/keys/anna-1000%")),
        ("~", Ok("/home/anna")),
        ("/abs/~", Ok("/abs/~")),
        ("~berta/x", Err("~berta/x: homes of other users are not looked up, write the full path")),
        ("%q", Err("unknown token %q in %q")),
        ("100%", Err("a lone % ends 100%")),
    ] {
        let expanded = tokens.path(text);
        assert_eq!(expanded.as_deref().map_err(String::as_str), expected.map(Path::new), "{text}");
    }
}
