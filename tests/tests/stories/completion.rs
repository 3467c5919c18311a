//! Tab in the operator's own shell, and the manual.

use std::fs;

use deployer_tests::terminal::has_line;
use deployer_tests::world::deployer;
use deployer_tests::{Terminal, World};

const TREE: &str = r#"
local App = Node { Hosts = { host = LocalHost } }
function App:restart_gently(what) self.hosts:run("echo restarting " .. deployer.esc1(what or "all")) end
local Other = Node { Hosts = { host = LocalHost } }
return Node { production = Node { application = App, other = Other }, staging = App }
"#;

/// A shell with completion switched on as `deployer completions --help` says.
fn shell(world: &World, program: &str, args: &[&str], switch_on: &str) -> Terminal {
    let mut shell = world.terminal(program, program, args);
    let bin = deployer();
    let bin = bin.parent().unwrap().display();
    shell.send_line(&format!("export PATH={bin}:$PATH; PS1='ready> '"));
    shell.wait_for("the prompt", |screen| screen.contents().lines().any(|line| line.trim_end() == "ready>"));
    shell.send_line(switch_on);
    shell.send_line("echo switched-$((1+1))");
    shell.wait_for_line("completion switched on", "switched-2");
    shell
}

/// Completes path, action and session, and runs what came of it.
fn completes(shell: &mut Terminal) {
    shell.send("deployer run --path prod\t");
    shell.wait_for_text("the first name", "--path production");
    shell.send(".app\t");
    shell.wait_for_text("the path of the node", "--path production.application");
    shell.send(" -- rest\t");
    shell.wait_for_text("the action", "-- restart_gently");
    shell.send_line(" web");
    shell.wait_for_line("what the completed line did", "restarting web");
}

#[test]
fn bash_completes_nodes_and_actions_of_the_file() {
    let world = World::new();
    world.deploy(TREE);
    completes(&mut shell(&world, "/bin/bash", &["--norc", "-i"], "source <(deployer completions bash)"));
}

#[test]
fn zsh_completes_nodes_and_actions_of_the_file() {
    let world = World::new();
    world.deploy(TREE);
    let switch_on = "autoload -Uz compinit; compinit -u; source <(deployer completions zsh)";
    completes(&mut shell(&world, "/usr/bin/zsh", &["-f", "-i"], switch_on));
}

#[test]
fn bash_completes_sessions_nodes_and_actions_through_the_daemon() {
    let world = World::new();
    world.deploy(TREE);
    let _daemon = world.listen();
    // No deployment file there: what is offered comes from the daemon.
    fs::create_dir(world.dir().join("elsewhere")).unwrap();
    let mut shell = shell(&world, "/bin/bash", &["--norc", "-i"], "source <(deployer completions bash); cd elsewhere");
    shell.send("deployer connect --path stag\t");
    shell.wait_for_text("the path of the node", "--path staging");
    shell.send(" -- rest\t");
    shell.wait_for_text("the action", "-- restart_gently");
    shell.send_line(" db");
    shell.wait_for_line("what the completed line did", "restarting db");

    let other = world.connect("other", &[]);
    other.wait_for_prompt("deploy > ");
    world.eventually_sessions("only the open one is left", |sessions| sessions.len() == 1);
    let name = world.sessions()[0].name.clone();
    shell.send("deployer kill-session s\t");
    shell.wait_for("the only session", |screen| screen.contents().contains(&format!("kill-session {name}")));
    shell.send_line("");
    shell.wait_for("its end", |screen| has_line(screen, &format!("session {name} has ended")));
}

#[test]
fn there_is_a_manual_page_for_each_command() {
    let world = World::new();
    let pages = world.dir().join("man");
    let made = world.run(&["man", pages.to_str().unwrap()]);
    assert_eq!((made.status, made.stdout.as_str()), (Some(0), ""), "{made:#?}");
    let run = fs::read_to_string(pages.join("deployer-run.1")).unwrap();
    assert!(run.contains("\\-\\-path") && run.contains(".TH deployer-run 1"), "{run}");
    assert!(!pages.join("deployer-private-daemon.1").exists());
    let first = world.run(&["man"]);
    assert!(first.stdout.contains("Exit status") && first.stdout.contains("deployer\\-run(1)"), "{first:#?}");
}
