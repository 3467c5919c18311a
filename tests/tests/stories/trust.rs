//! Whether the host is the right one, whether we are let in, and what is said when it falls silent.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use deployer_tests::terminal::has_line;
use deployer_tests::{Finished, Sshd, TestUser, World, eventually, sshd};

/// A node `Box` with actions on a host written as `host`.
fn deploy_box(world: &World, host: &str) {
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:hello() self.hosts:run("echo hello") end
function Box:wait() self.hosts:run("echo waiting; exec sleep 1000") end
return Node {{ Box = Box }}
"#
    ));
}

fn hello(world: &World) -> Finished {
    world.run(&["run", "-s", "--path", "Box", "--", "hello"])
}

fn says(finished: &Finished, words: &[&str]) {
    assert_eq!(finished.status, Some(3), "{finished:#?}");
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing: {finished:#?}");
    }
}

/// Puts the authority into known_hosts instead of the key.
fn trust_authority(farm: &Sshd, authority: &str) {
    std::fs::write(farm.known_hosts(), format!("@cert-authority 127.* {authority}\n")).unwrap();
}

// rows: W-06
#[test]
fn an_expired_host_certificate_is_refused_with_the_day() {
    let world = World::new();
    let farm = world.sshd_with(&sshd::Setup::addresses(1).host_certificate(&["-V", "20200101Z:20200201Z"]));
    let (authority, fingerprint) = farm.authority();
    trust_authority(&farm, &authority);
    deploy_box(&world, &farm.lua(0, "box", ""));
    says(&hello(&world), &["box", "certificate", &fingerprint, "it expired on 2020-02-01 00:00 UTC", "ssh-keygen -s"]);
    assert_eq!(farm.logins(), [0]);
}

// rows: W-06
#[test]
fn a_host_with_another_authority_is_refused_and_a_person_is_asked_with_the_reason() {
    let world = World::new();
    let farm = world.sshd_with(&sshd::Setup::addresses(1).host_certificate(&[]));
    let other = world.sshd_with(&sshd::Setup::addresses(1).host_certificate(&[]));
    let (authority, fingerprint) = farm.authority();
    let (wrong, known) = other.authority();
    trust_authority(&farm, &wrong);
    deploy_box(&world, &farm.lua(0, "box", ""));
    let line = format!("{}:1 trusts ED25519 {known}", farm.known_hosts().display());
    says(&hello(&world), &["box", "is not known; it shows a certificate", &fingerprint, &line, "@cert-authority"]);
    deploy_box(&world, &farm.lua(0, "box", "").replace("\"strict\"", "\"ask\""));
    let mut operator = world.terminal_sized("operator", "deployer", &["run", "-s"], 50, 200);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Box hello");
    operator.wait_for_text("the reason comes with the question", "About its certificate: it shows a certificate");
    operator.wait_for_text("the question", "Are you sure you want to continue connecting");
    operator.send_line("no");
    operator.wait_for_text("the refusal", "host key: it was not accepted");
    assert_eq!(farm.logins(), [0]);
    // With the right authority nobody is asked anything.
    trust_authority(&farm, &authority);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Box hello");
    operator.wait_for("hello", |screen| has_line(screen, "hello"));
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

fn on_farm(farm: &Sshd, user: &TestUser, more: &str) -> String {
    format!(
        "SSHHost {{ slug = \"box\", address = \"{}\", port = {}, username = {:?}, known_hosts = {{ {:?} }}, \
         host_keys = \"strict\", {more} }}",
        farm.addresses()[0],
        farm.port(),
        user.name,
        farm.known_hosts().display().to_string(),
    )
}

// rows: F-62
#[test]
fn a_one_time_code_is_asked_of_the_operator_after_the_password_of_the_deployment() {
    let Some(user) = TestUser::of_this_run("one-time codes") else { return };
    let world = World::new();
    let setup = sshd::Setup::addresses(1).called(&user.service).config("UsePAM yes");
    let setup = setup.config("KbdInteractiveAuthentication yes").config("AuthenticationMethods keyboard-interactive");
    let farm = world.sshd_with(&setup);
    deploy_box(&world, &on_farm(&farm, &user, &format!("password = {:?}", user.password)));
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Box hello");
    operator.wait_for_text("the code is asked for", "Verification code");
    operator.send_line(&user.codes[0]);
    operator.wait_for("hello", |screen| has_line(screen, "hello"));
    operator.wait_for_prompt("deploy > ");
    let logs = [std::fs::read_to_string(world.daemon_log()).unwrap(), operator.raw()];
    for secret in [&user.password, &user.codes[0]] {
        assert!(!logs.iter().any(|log| log.contains(secret)), "a secret was shown");
    }
    // Where nobody can be asked, that is what is said.
    let alone = hello(&world);
    says(&alone, &["box", "authentication", "keyboard-interactive"]);
    assert!(!alone.stderr.contains(&user.password), "{alone:#?}");
}

// rows: F-36
#[test]
fn a_server_that_freezes_is_told_and_the_outcome_is_unknown() {
    let world = World::new();
    let farm = world.sshd(1);
    deploy_box(&world, &farm.lua(0, "box", "keepalive = 0.3, timeout = 2"));
    let mut operator = world.terminal_sized("operator", "deployer", &["run", "-s"], 24, 120);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Box wait");
    operator.wait_for("the command runs", |screen| has_line(screen, "waiting"));
    farm.freeze();
    operator.wait_for_text("the freeze is told", "does not answer keepalive messages");
    operator.wait_for_text("what to do is asked", "abort, retry or skip?");
    operator.send_line("abort");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Box hello");
    operator.wait_for_text("a frozen server is told with host and step", "SSH greeting: no answer within 2 s");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

/// A dropbear for the users of this machine; it ends when dropped.
struct Dropbear {
    child: Child,
    port: u16,
}

impl Dropbear {
    fn start(dir: &Path) -> Dropbear {
        let key = dir.join("dropbear_key");
        let mut making = Command::new("dropbearkey");
        making.args(["-t", "ed25519", "-f"]).arg(&key).stdout(Stdio::null()).stderr(Stdio::null());
        assert!(making.status().expect("dropbearkey: tests/run installs dropbear-bin").success());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new("dropbear");
        command.args(["-F", "-E", "-p", &format!("127.0.0.1:{port}"), "-r"]).arg(&key).arg("-P").arg(dir.join("pid"));
        let log = std::fs::File::create(dir.join("dropbear.log")).unwrap();
        let child = command.stdin(Stdio::null()).stderr(log).spawn().unwrap();
        eventually(
            "dropbear listens",
            || TcpStream::connect(("127.0.0.1", port)).is_ok(),
            || std::fs::read_to_string(dir.join("dropbear.log")).unwrap_or_default(),
        );
        Dropbear { child, port }
    }
}

impl Drop for Dropbear {
    fn drop(&mut self) {
        deployer_tests::processes::kill_tree(self.child.id() as i32);
        let _reaped = self.child.wait();
    }
}

// rows: F-62
#[test]
fn dropbear_is_a_server_like_others() {
    let Some(user) = TestUser::of_this_run("dropbear") else { return };
    let world = World::new();
    let dropbear = Dropbear::start(world.dir());
    let known = world.dir().join("known").display().to_string();
    deploy_box(
        &world,
        &format!(
            "SSHHost {{ slug = \"box\", address = \"127.0.0.1\", port = {}, username = {:?}, password = {:?}, \
             known_hosts = {{ {known:?} }}, host_keys = \"accept-new\" }}",
            dropbear.port, user.name, user.password
        ),
    );
    let finished = hello(&world);
    assert_eq!((finished.status, finished.stdout.contains("hello")), (Some(0), true), "{finished:#?}");
}
