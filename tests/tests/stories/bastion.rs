//! Hosts that are reached through other hosts.

use std::fs;
use std::net::TcpListener;

use deployer_tests::{Finished, Sshd, World, sshd};

/// The ssh configuration of somebody whose web servers stand behind a bastion: the first address of the farm.
fn configuration(world: &World, farm: &Sshd) -> String {
    let mut text = "Host web*\n  ProxyJump bastion\n".to_string();
    for (index, address) in farm.addresses().iter().enumerate() {
        let name = if index == 0 { "bastion".to_string() } else { format!("web{index}") };
        text.push_str(&format!("Host {name}\n  HostName {address}\n"));
    }
    text.push_str(&format!(
        "Host *\n  Port {}\n  User {}\n  IdentityFile {}\n  UserKnownHostsFile {}\n  StrictHostKeyChecking yes\n",
        farm.port(),
        sshd::user_name(),
        farm.user_key().display(),
        farm.known_hosts().display()
    ));
    let directory = world.home().join(".ssh");
    fs::create_dir_all(&directory).expect("a directory for the configuration");
    let file = directory.join("config");
    fs::write(&file, text).expect("the configuration");
    file.display().to_string()
}

/// A node `Web` with the action `hello` on these hosts.
fn deploy(world: &World, hosts: &str) {
    world.deploy(&format!(
        r#"
{hosts}
local Web = Node {{ Hosts = {{ host = all }} }}
function Web:hello() self.hosts:run("echo hello") end
return Node {{ Web = Web }}
"#
    ));
}

fn hello(world: &World) -> Finished {
    world.run(&["run", "-s", "--path", "Web", "--", "hello"])
}

fn says(finished: &Finished, words: &[&str]) {
    assert_eq!(finished.status, Some(3), "{finished:#?}");
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing: {finished:#?}");
    }
}

// rows: F-63 W-40
#[test]
fn web_servers_behind_a_bastion_of_the_ssh_configuration() {
    let world = World::new();
    let farm = world.sshd(4);
    let config = configuration(&world, &farm);
    deploy(
        &world,
        &format!(
            "local host = SSHHost {{ slug = 'web', config_filename = {config:?} }}
            local all = {{ host {{ slug = 'web1' }}, host {{ slug = 'web2' }}, host {{ slug = 'web3' }} }}"
        ),
    );
    let _daemon = world.listen();
    for _ in 0..2 {
        let finished = world.run(&["connect", "--path", "Web", "--", "hello"]);
        assert_eq!(finished.status, Some(0), "{finished:#?}");
        assert_eq!(finished.stdout.matches("hello").count(), 3, "{finished:#?}");
    }
    // The bastion and each of the three, once, whatever runs.
    assert_eq!(farm.logins(), [1, 1, 1, 1]);
}

// rows: F-68
#[test]
fn a_wrong_key_at_the_second_hop() {
    let world = World::new();
    let (farm, other) = (world.sshd(2), world.sshd(1));
    let (wrong, known) = other.wrong_known_hosts();
    let (right, wrong) = (other.known_hosts().display().to_string(), wrong.display().to_string());
    let inner = other.lua(0, "inner", "").replace(&right, &wrong);
    let web = farm.lua(1, "web1", "proxy_jump = { bastion, inner }");
    deploy(
        &world,
        &format!("local bastion = {}\nlocal inner = {inner}\nlocal all = {web}", farm.lua(0, "bastion", "")),
    );
    let place = format!("hop 2 of 2, {}@{}:{}", sshd::user_name(), other.addresses()[0], other.port());
    says(
        &hello(&world),
        &["web1", &place, "it has changed", &other.fingerprint(), &known, &format!("{wrong}:1"), "ssh-keygen"],
    );
    assert_eq!((farm.logins(), other.logins()), (vec![1, 0], vec![0]));
}

// rows: F-68
#[test]
fn a_dead_hop() {
    let world = World::new();
    let (farm, mut other) = (world.sshd(1), world.sshd(1));
    let web = farm.lua(0, "web1", "proxy_jump = bastion");
    deploy(&world, &format!("local bastion = {}\nlocal all = {web}", other.lua(0, "bastion", "")));
    other.stop();
    let place =
        format!("hop 1 of 1, {}@{}:{}: connection refused", sshd::user_name(), other.addresses()[0], other.port());
    says(&hello(&world), &["web1", &place]);
    assert_eq!(farm.logins(), [0]);
}

#[test]
fn a_circle_in_the_ssh_configuration() {
    let world = World::new();
    let file = world.write("config", "Host *\n  User anna\n  ProxyJump bastion\n");
    deploy(
        &world,
        &format!("local all = SSHHost {{ slug = 'web1', config_filename = {:?} }}", file.display().to_string()),
    );
    says(&hello(&world), &["web1", "anna@web1:22 <- anna@bastion:22 <- anna@bastion:22", "ProxyJump none"]);
}

// rows: F-67
#[test]
fn a_slow_connection_is_not_silent_and_can_be_given_up() {
    let world = World::new();
    let farm = world.sshd(1);
    let silent = TcpListener::bind("127.0.0.1:0").expect("a server that says nothing");
    let port = silent.local_addr().expect("its address").port();
    let bastion = farm.lua(0, "bastion", "");
    deploy(
        &world,
        &format!(
            "local bastion = {bastion}
            local all = bastion {{ slug = 'web1', address = '127.0.0.1', port = {port}, timeout = 600, proxy_jump = bastion }}"
        ),
    );
    let _daemon = world.listen();
    let mut session = world.connect("A", &[]);
    session.wait_for_prompt("deploy > ");
    session.send_line("Web hello");
    let line = format!("web1: connecting to {}@127.0.0.1:{port}: connected, waiting", sshd::user_name());
    session.wait_for("it says what it waits for", |screen| screen.contents().replace('\n', "").contains(&line));
    session.send("\x03");
    session.wait_for_prompt("deploy > ");
}
