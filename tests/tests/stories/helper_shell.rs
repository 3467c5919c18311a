//! A helper shell that dies: what it had not begun runs elsewhere, what it had is told and never tried again.

use std::fs;
use std::path::Path;

use deployer_tests::terminal::at_prompt;
use deployer_tests::{Terminal, World, eventually, processes};
use rustix::process::Signal;

const PROMPT: &str = "deploy.Box > ";

const ACTIONS: &str = r#"
local quiet = { interactive = false }
function Box:who() self.hosts:run("echo $$ >> ~/who", quiet) end
function Box:note() self.hosts:run("echo noted >> ~/notes", quiet) end
function Box:die() self.hosts:run("echo begun >> ~/begun; kill -KILL $$; sleep 1", quiet) end
"#;

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_string).collect()
}

/// Runs an action that writes a line into a file, and waits for both.
fn does(operator: &mut Terminal, action: &str, file: &Path) {
    let before = lines(file).len();
    operator.send_line(action);
    eventually(&format!("{action} has written its line"), || lines(file).len() > before, || operator.evidence());
    operator.wait_for_prompt(PROMPT);
}

/// The process number of the helper, once two commands ran in one shell.
fn helper(operator: &mut Terminal, who: &Path) -> i32 {
    for _ in 0..20 {
        does(operator, "who", who);
        if let [.., before, last] = &lines(who)[..]
            && before == last
        {
            return last.parse().unwrap();
        }
    }
    panic!("no two commands ran in one shell: {}", operator.evidence());
}

#[test]
fn a_helper_that_dies_never_makes_a_command_run_twice() {
    let world = World::new();
    let farm = world.sshd(1);
    let host = farm.lua(0, "box", "helper_shell = true");
    world.deploy(&format!(
        "local Box = Node {{ Hosts = {{ host = {host} }} }}\n{ACTIONS}\nreturn Node {{ Box = Box }}\n"
    ));
    let _daemon = world.listen();
    let mut operator = world.connect("operator", &["--path", "Box"]);
    operator.wait_for_prompt(PROMPT);
    let (who, notes, begun) = (farm.home().join("who"), farm.home().join("notes"), farm.home().join("begun"));

    // While it waits.
    processes::signal(helper(&mut operator, &who), Signal::KILL);
    does(&mut operator, "note", &notes);
    assert_eq!(lines(&notes), ["noted"], "{}", operator.evidence());

    // With a command that it has not begun.
    let frozen = helper(&mut operator, &who);
    processes::signal(frozen, Signal::STOP);
    operator.send_line("note");
    operator.wait_for("the command is on its way", |screen| !at_prompt(screen, PROMPT));
    processes::signal(frozen, Signal::KILL);
    eventually("it ran elsewhere", || lines(&notes).len() > 1, || operator.evidence());
    operator.wait_for_prompt(PROMPT);
    assert_eq!(lines(&notes), ["noted", "noted"], "{}", operator.evidence());
    assert!(!operator.raw().contains("unknown"), "{}", operator.evidence());

    // In the middle of one.
    helper(&mut operator, &who);
    operator.send_line("die");
    operator.wait_for_text("what is known", "outcome unknown: the helper shell ended while it ran");
    operator.wait_for_text("what to do now", "abort, retry or skip? [abort]");
    operator.send_line("abort");
    operator.wait_for_prompt(PROMPT);
    assert_eq!(lines(&begun), ["begun"], "{}", operator.evidence());
    does(&mut operator, "note", &notes);
    assert_eq!(lines(&notes).len(), 3, "{}", operator.evidence());
    operator.send_line("exit");
    assert_eq!(operator.exit_status(), 0);
}
