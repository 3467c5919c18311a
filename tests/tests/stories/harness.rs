//! The harness itself works: without these, a failing story would prove nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use deployer_tests::terminal::CTRL_D;
use deployer_tests::{World, eventually, processes};

#[test]
fn a_server_lets_its_user_in_and_knows_who_came() {
    let world = World::new();
    let farm = world.sshd(2);
    let known_hosts = format!("UserKnownHostsFile={}", farm.known_hosts().display());
    let (key, port) = (farm.user_key().display().to_string(), farm.port().to_string());
    let address = farm.addresses()[1].to_string();
    let options = ["-F", "/dev/null", "-o", &known_hosts, "-o", "BatchMode=yes", "-i", &key, "-p", &port, &address];
    let hello = world.run_program(Path::new("ssh"), &[&options[..], &["echo hello from $HOME"]].concat());
    assert_eq!(
        (hello.status, hello.stdout),
        (Some(0), format!("hello from {}\n", farm.home().display())),
        "{}",
        hello.stderr
    );
    assert_eq!(farm.logins(), [0, 1]);
}

#[test]
fn a_server_that_is_stopped_takes_along_what_it_runs() {
    let world = World::new();
    let mut farm = world.sshd(1);
    let known_hosts = format!("UserKnownHostsFile={}", farm.known_hosts().display());
    let (key, port) = (farm.user_key().display().to_string(), farm.port().to_string());
    let address = farm.addresses()[0].to_string();
    let options = ["-F", "/dev/null", "-o", &known_hosts, "-i", &key, "-p", &port, &address];
    let sleeping = "setsid sleep 300 </dev/null >/dev/null 2>&1 & echo asleep; read never";
    let terminal = world.terminal("ssh", "ssh", &[&options[..], &[sleeping]].concat());
    terminal.wait_for_text("the remote shell runs", "asleep");
    let runs = || farm.remote_processes().iter().any(|process| process.command == "sleep 300");
    eventually("the remote sleep runs", runs, || format!("{:?}", farm.remote_processes()));
    farm.stop();
    let left = processes::of_world(&world.dir().display().to_string());
    assert!(!left.iter().any(|process| process.command.starts_with("sleep")), "{left:?}");
}

#[test]
fn a_terminal_shows_what_its_shell_prints_and_has_a_size() {
    let world = World::new();
    let mut terminal = world.terminal("sh", "sh", &[]);
    terminal.wait_for("any prompt", |screen| screen.cursor_position().1 > 0);
    terminal.send_line("PS1='ready''> '; trap 'stty size' WINCH");
    terminal.wait_for_prompt("ready> ");
    terminal.send_line("stty size");
    terminal.wait_for_text("the size", "24 80");
    terminal.wait_for_prompt("ready> ");
    terminal.resize(50, 200);
    terminal.send_line("");
    terminal.wait_for_text("the new size", "50 200");
    terminal.wait_for_prompt("ready> ");
    terminal.send_line("exit 7");
    assert_eq!(terminal.exit_status(), 7);
}

#[test]
fn settings_of_a_terminal_can_be_compared() {
    let world = World::new();
    let mut terminal =
        world.terminal("sh", "sh", &["-c", "echo ready; read go; stty -echo; echo quiet; read go; stty echo"]);
    terminal.wait_for_text("the start", "ready");
    let before = terminal.settings();
    terminal.send_line("");
    terminal.wait_for_text("echo is off", "quiet");
    assert_ne!(before, terminal.settings());
    terminal.send_line("");
    assert_eq!(terminal.exit_status(), 0);
    assert_eq!(before, terminal.settings());
}

#[test]
fn a_crash_is_told_from_an_end() {
    let world = World::new();
    let mut crashing = world.terminal("cat", "cat", &[]);
    crashing.signal(rustix::process::Signal::KILL);
    assert_eq!(crashing.exit_status(), 128 + 9);
    let mut ending = world.terminal("cat", "cat", &[]);
    ending.send(CTRL_D);
    assert_eq!(ending.exit_status(), 0);
}

#[test]
fn a_world_complains_about_what_is_left_behind() {
    let mut world = World::new();
    world.patience(Duration::from_millis(100));
    let mut command = world.without_terminal(Path::new("sh"), &["-c", "sleep 300 & exit 0"]);
    assert!(command.status().unwrap().success());
    let left = || processes::of_world(&world.dir().display().to_string());
    let sleeps = || left().iter().any(|process| process.command == "sleep 300");
    eventually("sleep runs", sleeps, || format!("{:?}", left()));
    let left = left();
    let complaint = std::panic::catch_unwind(move || drop(world)).expect_err("the world is not clean");
    let complaint = complaint.downcast::<String>().unwrap();
    assert!(complaint.contains("sleep 300"), "{complaint}");
    assert!(!left.iter().any(|process| processes::is_alive(process.pid)), "the world kills what is left");
}

#[test]
fn commands_without_a_terminal_have_none() {
    let world = World::new();
    let finished =
        world.run_program(Path::new("sh"), &["-c", "tty; echo talk >&2; (: </dev/tty) 2>/dev/null || exit 3"]);
    assert_eq!(
        (finished.status, finished.stdout.as_str(), finished.stderr.as_str()),
        (Some(3), "not a tty\n", "talk\n")
    );
}

#[test]
fn nothing_of_the_tests_environment_reaches_a_world() {
    let world = World::new();
    let finished = world.run_program(Path::new("env"), &[]);
    assert!(!finished.stdout.contains("CARGO"), "{}", finished.stdout);
    assert!(Command::new("env").output().unwrap().stdout.len() > finished.stdout.len());
}
