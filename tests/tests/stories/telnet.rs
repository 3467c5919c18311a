//! Operators who come by telnet, with the telnet of the system.

use deployer_tests::terminal::{CTRL_BACKSLASH, ESCAPE};
use deployer_tests::{Daemon, Terminal, World};

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:size() self.hosts:run("stty size; echo term $TERM") end
function Box:say(word) self.hosts:run("echo " .. deployer.esc1(word)) end
function Box:nap() self.hosts:run("echo napping; sleep 600") end
return Box
"#;

/// A daemon with a telnet port, and the words that reach it.
fn server(world: &World) -> (Daemon, [String; 2]) {
    let daemon = world.listen_with(&["-f", "deploy.lua", "telnet-server", "--port", "0"]);
    let port = daemon.telnet_port();
    (daemon, ["127.0.0.1".to_string(), port])
}

fn telnet(world: &World, name: &str, [ip, port]: &[String; 2], rows: u16, cols: u16) -> Terminal {
    let terminal = world.terminal_sized(name, "/usr/bin/telnet", &[ip, port], rows, cols);
    terminal.wait_for_prompt("deploy > ");
    terminal
}

// rows: P-24 R-01 R-03 R-04 R-10
#[test]
fn a_telnet_client_has_a_shell_of_its_size() {
    let world = World::new();
    world.deploy(LOCAL);
    let (_daemon, port) = server(&world);
    let mut operator = telnet(&world, "operator", &port, 30, 100);
    operator.send_line("size");
    operator.wait_for_line("the size", "30 100");
    operator.wait_for_line("the terminal", "term xterm-256color");
    operator.wait_for_prompt("deploy > ");
    operator.resize(40, 120);
    operator.send_line("size");
    operator.wait_for_line("the new size", "40 120");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("say grüße,漢字");
    operator.wait_for_line("eight bits", "grüße,漢字");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("nap");
    operator.wait_for_line("it runs", "napping");
    operator.send("\x03");
    operator.wait_for_text("Ctrl-C is a key", "interrupted");
    operator.wait_for_prompt("deploy > ");
    operator.send_line("exit");
    operator.wait_for_text("the end of the line", "Connection closed by foreign host");
    operator.exit_status();
    world.eventually_sessions("no session is left", <[_]>::is_empty);
}

// rows: F-32 F-35
#[test]
fn an_editor_on_a_host_fills_a_telnet_client() {
    let world = World::new();
    let farm = world.sshd(1);
    let notes = farm.home().join("notes.txt");
    std::fs::write(&notes, "first line\n").unwrap();
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:edit() self.hosts:run("vim -u NONE -N -i NONE ~/notes.txt") end
return Box
"#,
        host = farm.lua(0, "box", "")
    ));
    let (_daemon, port) = server(&world);
    let mut operator = telnet(&world, "operator", &port, 24, 80);
    let fills = |rows: usize| {
        move |screen: &vt100::Screen| {
            let lines: Vec<String> = screen.rows(0, 200).collect();
            lines[0].starts_with("first line") && lines[2..rows - 1].iter().all(|row| row.trim_end() == "~")
        }
    };
    operator.send_line("edit");
    operator.wait_for("the editor fills 24 lines", fills(24));
    operator.send("osecond line");
    operator.send(ESCAPE);
    operator.resize(50, 132);
    operator.wait_for("the editor fills 50 lines", fills(50));
    operator.send(":wq\r");
    operator.wait_for_prompt("deploy > ");
    assert_eq!(std::fs::read_to_string(&notes).unwrap(), "first line\nsecond line\n");
    operator.send_line("exit");
    operator.exit_status();
}

// rows: R-01 R-08 R-11
#[test]
fn telnet_and_socket_clients_are_at_work_in_one_daemon() {
    let world = World::new();
    world.deploy(LOCAL);
    let (_daemon, port) = server(&world);
    let mut by_telnet = telnet(&world, "by telnet", &port, 24, 80);
    let mut by_socket = world.connect("by socket", &[]);
    by_socket.wait_for_prompt("deploy > ");
    by_socket.send_line("nap");
    by_socket.wait_for_line("it runs", "napping");
    by_telnet.send_line("w");
    by_telnet.wait_for("both sessions, one idle, one at work", |screen| {
        let contents = screen.contents();
        contents.contains("*s1") && contents.contains("idle at deploy") && contents.contains("deploy.nap for")
    });
    by_telnet.send(CTRL_BACKSLASH);
    by_telnet.wait_for_text("how to come back", "`deployer connect --session s1` comes back");
    by_telnet.exit_status();
    let mut back = world.connect("back", &["--session", "s1"]);
    back.wait_for_prompt("deploy > ");
    back.send_line("exit");
    assert_eq!(back.exit_status(), 0);
    by_socket.send("\x03");
    by_socket.wait_for_prompt("deploy > ");
}

// rows: R-02 R-05 W-03
#[test]
fn only_the_loopback_is_served() {
    let world = World::new();
    world.deploy(LOCAL);
    for address in ["0.0.0.0", "::", "192.0.2.7"] {
        let refused = world.run(&["-f", "deploy.lua", "telnet-server", "--bind", address, "--port", "0"]);
        assert_eq!(refused.status, Some(2), "{refused:#?}");
        assert!(refused.stderr.contains("no login") && refused.stderr.contains("ssh -L"), "{refused:#?}");
    }
}

/// Loopback is not private on a machine with several users.
// rows: R-05
#[test]
#[allow(clippy::print_stderr, reason = "a story that cannot be told says so in the test's output")]
fn another_user_of_the_machine_is_refused() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("not told: only root can become somebody else");
        return;
    }
    let world = World::new();
    world.deploy(LOCAL);
    let (_daemon, [ip, port]) = server(&world);
    let args = ["--reuid=65534", "--regid=65534", "--clear-groups", "/usr/bin/telnet", &ip, &port];
    let mut stranger = world.terminal("stranger", "setpriv", &args);
    stranger.wait_for_text("the end of the line", "Connection closed by foreign host");
    stranger.exit_status();
    assert!(!stranger.contents().contains("deploy > "), "{}", stranger.evidence());
    assert!(world.sessions().is_empty());
    let log = || std::fs::read_to_string(world.daemon_log()).unwrap();
    let told = || log().lines().any(|line| line.contains("another user") && line.contains("65534"));
    deployer_tests::eventually("the refusal is in the log", told, log);
}
