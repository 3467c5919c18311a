//! Stopping things: what was asked to end ends, on the hosts too, and nothing else does.

use deployer_tests::terminal::CTRL_C;
use deployer_tests::{Sshd, World, eventually};
use rustix::process::Signal;

fn sleeper(world: &World) -> Sshd {
    let farm = world.sshd(1);
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:nap() self.hosts:run("echo napping; sleep 300") end
function Box:spin() while true do end end
function Box:stubborn()
    self.hosts:run("trap '' INT TERM; touch {stands}; while :; do sleep 1; done", {{ interactive = false }})
end
function Box:leave() self.hosts:run("sleep 300 & echo left") end
return Box
"#,
        host = farm.lua(0, "box", ""),
        stands = world.dir().join("stands").display(),
    ));
    farm
}

fn naps(farm: &Sshd) -> bool {
    farm.remote_processes().iter().any(|process| process.command.contains("sleep 300"))
}

// rows: F-33 F-35 N-22 N-26
#[test]
fn ctrl_c_ends_the_remote_command_and_the_shell_goes_on() {
    let world = World::new();
    let farm = sleeper(&world);
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("nap");
    operator.wait_for_line("the nap has begun", "napping");
    operator.send(CTRL_C);
    operator.wait_for_text("the operator's own doing", "box ! interrupted (Ctrl-C)");
    operator.wait_for_prompt("deploy > ");
    assert!(!operator.evidence().contains("retry"), "nobody asks about it: {}", operator.evidence());
    farm.wait_until_idle();
}

// rows: W-49
#[test]
fn ctrl_c_ends_a_script_that_loops_for_ever() {
    let world = World::new();
    let _farm = sleeper(&world);
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("spin");
    world.eventually_sessions("it spins", |all| matches!(all, [one] if one.running.is_some()));
    operator.send(CTRL_C);
    operator.wait_for_prompt("deploy > ");
    world.eventually_sessions("it is over", |all| matches!(all, [one] if one.running.is_none()));
}

#[test]
fn an_interrupted_job_of_cron_is_status_130_and_leaves_nothing_on_the_host() {
    for way in [&["run", "-s"][..], &["run"]] {
        let world = World::new();
        let farm = sleeper(&world);
        let mut command = world.without_terminal(&deployer_tests::world::deployer(), &[way, &["--", "nap"]].concat());
        let mut job = command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        eventually("the host naps", || naps(&farm), || format!("{:?}", farm.remote_processes()));
        deployer_tests::processes::signal(job.id() as i32, Signal::INT);
        assert_eq!(job.wait().unwrap().code(), Some(130), "{way:?}");
        farm.wait_until_idle();
    }
}

#[test]
fn ctrl_c_in_the_moment_a_command_starts_leaves_nothing_on_the_host() {
    let world = World::new();
    let farm = sleeper(&world);
    let mut operator = world.terminal("operator", "deployer", &["run"]);
    operator.wait_for_prompt("deploy > ");
    for _ in 0..10 {
        operator.send_line("clear");
        operator.wait_for_prompt("deploy > ");
        operator.send_line("nap");
        operator.wait_for_text("the log names the command", "echo napping");
        operator.send(CTRL_C);
        operator.wait_for_text("the operator's own doing", "interrupted");
        operator.wait_for_prompt("deploy > ");
        farm.wait_until_idle();
    }
}

#[test]
fn what_an_operator_does_not_wait_for_is_ended_before_the_program_is() {
    for way in [&["run", "-s"][..], &["run"]] {
        let world = World::new();
        let farm = sleeper(&world);
        let mut operator = world.terminal("operator", "deployer", &[way, &["--", "stubborn"]].concat());
        eventually("it runs", || world.dir().join("stands").exists(), || operator.evidence());
        operator.send(CTRL_C);
        operator.wait_for_text("what Ctrl-C does", "interrupting");
        operator.send(CTRL_C);
        operator.wait_for_text("the question", "stop");
        operator.send_line("stop");
        assert_eq!(operator.exit_status(), 130, "{way:?}: {}", operator.evidence());
        farm.wait_until_idle();
    }
}

// rows: F-36
#[test]
fn a_command_that_leaves_something_running_does_not_hold_the_shell() {
    let world = World::new();
    let farm = sleeper(&world);
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("leave");
    operator.wait_for_line("its output", "left");
    operator.wait_for_prompt("deploy > ");
    drop(farm);
}

#[test]
fn a_daemon_that_is_asked_to_stop_ends_what_it_runs_and_says_so() {
    let world = World::new();
    let farm = sleeper(&world);
    let mut daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    let before = operator.settings();
    operator.send_line("nap");
    operator.wait_for_line("the nap has begun", "napping");
    assert_eq!(daemon.stop(), Some(0));
    assert_ne!(operator.exit_status(), 0, "{}", operator.evidence());
    assert_ne!(operator.settings(), before, "the terminal is not raw any more");
    farm.wait_until_idle();
    assert!(!daemon.socket().exists());
}
