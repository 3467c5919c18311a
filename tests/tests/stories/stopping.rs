//! How a daemon ends: in order, insisted upon, or by a crash.

use deployer_tests::{Daemon, Terminal, World, eventually};
use rustix::process::Signal;

const LOCAL: &str = r#"
local Box = Node { Hosts = { host = LocalHost } }
function Box:wait() self.hosts:run("echo waiting; until [ -e go ]; do sleep 0.02; done; echo over") end
function Box:stubborn() self.hosts:run("trap '' INT HUP; echo deaf; while :; do sleep 0.05; done") end
function Box:quiet() return self.hosts[1]:run("echo $$ >pid; until [ -e go ]; do sleep 0.02; done", { interactive = false }) end
function Box:count() self.hosts:run("i=0; while :; do i=$((i+1)); echo line $i; sleep 0.01; done") end
function Box:limits() self.hosts:run("echo pty $(ulimit -S -n)"); print("pipes " .. self.hosts[1]:run("ulimit -S -n", { interactive = false })) end
return Box
"#;

fn at_work(world: &World, action: &str, sign: &str) -> Terminal {
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line(action);
    operator.wait_for_text("it runs", sign);
    operator
}

fn log(world: &World) -> String {
    std::fs::read_to_string(world.daemon_log()).unwrap_or_default()
}

/// A daemon that waits long for what runs.
fn patient(world: &World) -> Daemon {
    world.deploy(LOCAL);
    world.listen_with(&["-f", "deploy.lua", "listen", "--drain", "300"])
}

#[test]
fn what_runs_may_end_and_everybody_reads_what_is_waited_for() {
    let world = World::new();
    let mut daemon = patient(&world);
    let mut operator = at_work(&world, "wait", "waiting");
    let mut idle = world.connect("idle", &[]);
    idle.wait_for_prompt("deploy > ");
    daemon.signal(Signal::TERM);
    operator.wait_for_text("what is waited for", "the daemon is stopping; it waits up to");
    operator.wait_for_text("which action", "s1: deploy.wait of ");
    idle.wait_for_text("its end", "the daemon was stopped: session s2 has ended");
    idle.exit_status();
    let late = world.run(&["connect", "--", "wait"]);
    assert_eq!(late.status, Some(5), "{late:#?}");
    assert!(late.stderr.contains("the daemon is stopping"), "{late:#?}");
    assert_eq!(world.sessions().len(), 1, "it still answers");
    world.write("go", "");
    operator.wait_for_line("the action came to its end", "over");
    operator.wait_for_text("the session's end", "the daemon was stopped: session s1 has ended");
    operator.exit_status();
    assert_eq!(daemon.ends(), Some(0));
    assert!(!daemon.socket().exists());
}

#[test]
fn a_daemon_that_is_stopped_as_soon_as_it_listens_leaves_no_socket() {
    let world = World::new();
    world.deploy(LOCAL);
    for _ in 0..10 {
        let mut daemon = world.listen();
        assert_eq!(daemon.stop(), Some(0));
        assert!(!daemon.socket().exists());
    }
}

#[test]
fn a_second_signal_ends_what_runs() {
    let world = World::new();
    let mut daemon = patient(&world);
    let mut operator = at_work(&world, "stubborn", "deaf");
    daemon.signal(Signal::TERM);
    operator.wait_for_text("what is waited for", "s1: deploy.stubborn of ");
    daemon.signal(Signal::TERM);
    operator.wait_for_text("the session's end", "the daemon was stopped: session s1 has ended");
    operator.exit_status();
    assert_eq!(daemon.ends(), Some(0));
}

#[test]
fn a_command_without_a_terminal_does_not_outlive_the_daemon() {
    let world = World::new();
    world.deploy(LOCAL);
    let mut daemon = world.listen();
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("quiet");
    let pid = || std::fs::read_to_string(world.dir().join("pid")).ok().and_then(|text| text.trim().parse::<i32>().ok());
    eventually("it runs", || pid().is_some(), || log(&world));
    assert_eq!(daemon.stop(), Some(0));
    assert!(!deployer_tests::processes::is_alive(pid().unwrap()));
    operator.exit_status();
}

// rows: Q-12
#[test]
fn after_a_crash_the_next_daemon_says_what_ran() {
    let world = World::new();
    world.deploy(LOCAL);
    let mut rounds: u32 = std::env::var("DEPLOYER_SOAK_CRASHES").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let mut daemon = world.listen();
    while rounds > 0 {
        let mut operator = at_work(&world, "count", "line 1");
        // Somewhere in the middle of its work.
        operator.wait_for_text("it goes on", &format!("line {}", 2 + rounds * 7 % 20));
        daemon.kill_9();
        assert_eq!(operator.exit_status(), 5, "{}", operator.evidence());
        daemon = world.listen();
        let told = log(&world);
        assert!(told.contains("had ended without stopping; it ran\n    s1: deploy.count of "), "{told}");
        assert!(told.contains("are in the journal: ") && told.contains("/deployer/journal/0\n"), "{told}");
        operator.wait_for_text("what to do", "`deployer listen` starts another and says what this one ran");
        assert!(world.sessions().is_empty() && world.sockets().len() == 1, "{:?}", world.sockets());
        rounds -= 1;
    }
    assert_eq!(daemon.stop(), Some(0));
    let left: Vec<_> = world.runtime_dir().join("deployer").read_dir().unwrap().flatten().map(|e| e.path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Nobody is left to end it politely: that its terminal is gone is all that a program on a host can notice.
#[test]
fn a_crash_hangs_up_the_terminals_of_hosts_and_of_this_machine() {
    let world = World::new();
    let farm = world.sshd(1);
    let trap = |place: &std::path::Path| {
        let place = place.display();
        format!("trap 'touch {place}.hup; exit' HUP; touch {place}; while :; do sleep 0.02; done")
    };
    let (there, here) = (farm.home().join("there"), world.dir().join("here"));
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {{ {host} }}, here = LocalHost }} }}
function Box:there() self.hosts:filter("host"):run([[{there}]]) end
function Box:here() self.hosts:filter("here"):run([[{here}]]) end
return Box
"#,
        host = farm.lua(0, "box", ""),
        there = trap(&there),
        here = trap(&here),
    ));
    let mut daemon = world.listen();
    let mut operators: Vec<_> = ["there", "here"].map(|action| (action, world.connect(action, &[]))).into();
    for (action, operator) in &mut operators {
        operator.wait_for_prompt("deploy > ");
        operator.send_line(action);
    }
    eventually("both run", || there.exists() && here.exists(), || operators[0].1.evidence());
    daemon.kill_9();
    let hung_up = |place: &std::path::Path| place.with_extension("hup").exists();
    eventually("the program on the host hears of it", || hung_up(&there), || log(&world));
    eventually("so does the one on this machine", || hung_up(&here), || log(&world));
    farm.wait_until_idle();
    let _next = world.listen();
    let told = log(&world);
    for action in ["deploy.there", "deploy.here"] {
        assert!(told.contains(&format!(": {action} of ")), "{told}");
    }
    for (_, mut operator) in operators {
        assert_eq!(operator.exit_status(), 5, "{}", operator.evidence());
    }
}

#[test]
fn a_program_on_a_host_that_ignores_ctrl_c_hears_that_its_terminal_goes() {
    let world = World::new();
    let farm = world.sshd(1);
    world.deploy(&format!(
        r#"
local Box = Node {{ Hosts = {{ host = {host} }} }}
function Box:deaf() self.hosts:run("trap '' INT TERM; trap 'touch ~/hup; exit' HUP; echo deaf; while :; do sleep 0.02; done") end
return Box
"#,
        host = farm.lua(0, "box", ""),
    ));
    let mut daemon = world.listen();
    let mut operator = at_work(&world, "deaf", "deaf");
    operator.wait_for_line("it ignores by now", "deaf");
    assert_eq!(daemon.stop(), Some(0));
    operator.exit_status();
    farm.wait_until_idle();
    assert!(farm.home().join("hup").exists(), "{}", log(&world));
}

#[test]
fn commands_get_the_limit_of_open_files_that_the_daemon_was_started_with() {
    let world = World::new();
    world.deploy(LOCAL);
    let deployer = deployer_tests::world::deployer().display().to_string();
    let args = ["-c", "ulimit -S -n 512; exec \"$0\" \"$@\"", &deployer, "-f", "deploy.lua", "listen"];
    let daemon = world.listen_as(std::path::Path::new("/bin/sh"), &args, &[]);
    let files = || {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.pid())).unwrap();
        limits.lines().find(|line| line.starts_with("Max open files")).unwrap().to_string()
    };
    let raised = || matches!(files().split_whitespace().collect::<Vec<_>>()[..], [.., soft, hard, _] if soft == hard);
    eventually("the daemon itself needs more", raised, files);
    let mut operator = world.connect("operator", &[]);
    operator.wait_for_prompt("deploy > ");
    operator.send_line("limits");
    operator.wait_for_line("with a terminal", "pty 512");
    operator.wait_for_text("without one", "pipes 512");
}
