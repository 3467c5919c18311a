//! What goes wrong, and whether it is said in words that help.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use deployer_tests::{Finished, Sshd, World, sshd};

/// A node `Box` with the action `hello`, on a host written as `host`.
fn deploy_box(world: &World, host: &str) {
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:hello() self.hosts:run("echo hello") end
return Node {{ Box = Box }}
"#
    ));
}

fn hello(world: &World) -> Finished {
    world.run(&["run", "-s", "--path", "Box", "--", "hello"])
}

fn says(finished: &Finished, status: i32, words: &[&str]) {
    assert_eq!(finished.status, Some(status), "{finished:#?}");
    assert!(!finished.stderr.contains("panicked"), "{finished:#?}");
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing: {finished:#?}");
    }
}

fn place(farm: &Sshd) -> String {
    farm.addresses()[0].to_string()
}

#[test]
fn a_wrong_password() {
    let world = World::new();
    let farm = world.sshd_with(&sshd::Setup::addresses(1).config("PasswordAuthentication yes"));
    let key = format!("key_filename = {:?}", farm.user_key().display().to_string());
    deploy_box(&world, &farm.lua(0, "box", "password = \"sesame-not\"").replace(&format!("{key}, "), ""));
    let finished = hello(&world);
    says(&finished, 3, &["box", &sshd::user_name(), "password"]);
    assert!(!finished.stderr.contains("sesame-not"), "{finished:#?}");
}

// rows: F-65 W-06
#[test]
fn an_unknown_host_key_is_refused_with_its_fingerprint() {
    let world = World::new();
    let farm = world.sshd(1);
    std::fs::write(farm.known_hosts(), "").unwrap();
    deploy_box(&world, &farm.lua(0, "box", ""));
    let finished = hello(&world);
    says(&finished, 3, &["box", &farm.fingerprint(), &farm.known_hosts().display().to_string()]);
    assert_eq!(farm.logins(), [0]);
}

// rows: W-06
#[test]
fn a_changed_host_key_is_refused_with_both_fingerprints_file_line_and_a_command() {
    let world = World::new();
    let farm = world.sshd(1);
    let (wrong, known) = farm.wrong_known_hosts();
    let (right, wrong) = (farm.known_hosts().display().to_string(), wrong.display().to_string());
    deploy_box(&world, &farm.lua(0, "box", "").replace(&right, &wrong));
    let finished = hello(&world);
    says(&finished, 3, &["box", &farm.fingerprint(), &known, &format!("{wrong}:1"), "ssh-keygen -f", "-R"]);
    assert_eq!(farm.logins(), [0]);
}

// rows: F-68
#[test]
fn a_refused_connection_names_the_host_and_the_port() {
    let world = World::new();
    let mut farm = world.sshd(1);
    deploy_box(&world, &farm.lua(0, "box", ""));
    farm.stop();
    says(&hello(&world), 3, &["box", &place(&farm), &farm.port().to_string(), "refused"]);
}

// rows: F-68 W-14
#[test]
fn the_summary_says_first_why_a_host_is_out_of_reach_and_what_to_do() {
    let world = World::new();
    let farm = world.sshd(1);
    let mut gone = world.sshd(1);
    let dead = gone.lua(0, "dead", "");
    gone.stop();
    let (wrong, known) = farm.wrong_known_hosts();
    let changed = farm.lua(0, "changed", "");
    let changed = changed.replace(&farm.known_hosts().display().to_string(), &wrong.display().to_string());
    world.deploy(&format!(
        "local Web = ParallelNode {{}}\nfunction Web:hello() self.host:run(\"echo hello\") end\n\
         return Node {{ Hosts = {{ web = {{ {}, {dead}, {changed} }} }}, \
         Web = Web.Array {{ Hosts = deployer.map_roles {{ host = \"web\" }} }} }}\n",
        farm.lua(0, "good", "")
    ));
    let mut operator = world.terminal_sized("operator", "deployer", &["run", "-s"], 40, 80);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("Web hello");
    operator.wait_for_text("the totals", "1 ok, 2 failed");
    let row = |slug: &str, words: &str| {
        let screen = operator.contents();
        let found = screen.lines().any(|line| line.starts_with(&format!("  {slug}")) && line.contains(words));
        assert!(found, "{slug}: {words}\n{}", operator.evidence());
    };
    row("good", " ok ");
    row("dead", "connection refused");
    row("changed", "host key: it has changed.");
    let place = format!("{}@{}:{}", sshd::user_name(), gone.addresses()[0], gone.port());
    let by_hand = format!("| {place}\n      | try it by hand: ssh -p {} ", gone.port());
    operator.wait_for_text("where the dead one was looked for, and what to try", &by_hand);
    operator.wait_for_text("the key on file", &known);
    operator.wait_for_text("what to do about a changed key", "ssh-keygen -f");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}

// rows: P-11 W-20
#[test]
fn an_unknown_action_or_path_is_said_and_nothing_runs() {
    let world = World::new();
    let farm = world.sshd(1);
    deploy_box(&world, &farm.lua(0, "box", ""));
    says(&world.run(&["run", "-s", "--path", "Box", "--", "helo"]), 2, &["helo", "Box"]);
    says(&world.run(&["run", "-s", "--path", "Bax", "--", "hello"]), 2, &["Bax"]);
    says(&world.run(&["run", "-s", "--path", "Box.hello.x"]), 2, &["hello"]);
    assert_eq!(farm.logins(), [0]);
}

#[test]
fn a_broken_file_is_said_with_its_line() {
    let world = World::new();
    world.write("deploy.lua", "local deployer = require \"deployer\"\nreturn deployer.Node {\n  a = = 1,\n}\n");
    for args in [&["run", "-s"][..], &["run"], &["listen"]] {
        says(&world.run(args), 2, &["deploy.lua:3"]);
    }
}

#[test]
fn a_file_that_is_not_there_is_said_with_an_example() {
    let world = World::new();
    for args in [&["run", "-s"][..], &["run"], &["listen"]] {
        says(&world.run(args), 2, &["deploy.lua", "return"]);
    }
    says(&world.run(&["-f", "elsewhere.lua", "run"]), 2, &["elsewhere.lua"]);
}

#[test]
fn no_daemon_is_status_5_and_says_how_to_start_one() {
    let world = World::new();
    says(&world.run(&["connect"]), 5, &["deployer listen"]);
    let socket = world.runtime_dir().join("none.sock").display().to_string();
    says(&world.run(&["connect", "--socket", &socket]), 5, &["none.sock"]);
}

// rows: P-08 W-37
#[test]
fn a_second_daemon_on_a_live_socket_is_refused_and_a_stale_socket_is_replaced() {
    let world = World::new();
    world.deploy("return Node {}");
    let mut first = world.listen_with(&["listen", "--socket", "3"]);
    let socket = first.socket().display().to_string();
    says(&world.run(&["listen", "--socket", "3"]), 5, &[&socket]);
    let still = world.run(&["list-sessions", "--json"]);
    assert!(still.stdout.contains(&socket), "{still:#?}");
    first.kill_9();
    assert!(Path::new(&socket).exists(), "a crash leaves the socket");
    let second = world.listen_with(&["listen", "--socket", "3"]);
    assert_eq!(second.socket(), Path::new(&socket));
    let mut shell = world.connect("shell", &["--socket", "3"]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
}

// rows: W-01 W-57
#[test]
fn silent_and_garbage_peers_disturb_nobody() {
    let world = World::new();
    world.deploy("return Node {}");
    let daemon = world.listen();
    let silent: Vec<UnixStream> = (0..50).map(|_| UnixStream::connect(daemon.socket()).unwrap()).collect();
    let garbage = [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0xff; 64], &[0; 64], &[0x7f, 0xff, 0xff, 0xff, 0, 1, 0, 0]];
    for bytes in garbage {
        let mut peer = UnixStream::connect(daemon.socket()).unwrap();
        peer.write_all(bytes).unwrap();
        peer.shutdown(std::net::Shutdown::Write).unwrap();
        // The daemon hangs up; what it says before is not of interest here.
        let _answer = peer.read_to_end(&mut Vec::new());
    }
    let mut shell = world.connect("shell", &[]);
    shell.wait_for_prompt("deploy > ");
    shell.send_line("exit");
    assert_eq!(shell.exit_status(), 0);
    drop(silent);
}
