//! Programs that use nodes without any shell.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::prelude::*;

fn tree(name: &'static str) -> ClassBuilder {
    Node::define(name).hosts(roles! { host: HostDef::localhost() }).action("who", async |env: Env| {
        let _name = env.hosts().env("NAME", &env.node().to_string(), true);
        Ok(env.hosts().run("echo $NAME").interactive(false).await?[0].text())
    })
}

// rows: E-03 E-28
#[test]
fn two_trees_of_one_process_do_not_know_of_each_other() {
    let run = |name| std::thread::spawn(move || Env::block_on(tree(name), async |env| env.call("who", args![]).await));
    let threads = ["One", "Two"].map(run);
    let said = threads.map(|thread| thread.join().unwrap().unwrap().to_string());
    assert_eq!(said, ["One", "Two"]);
}

// rows: E-03 E-28
#[tokio::test]
async fn asynchronous_programs_bring_their_own_runtime() {
    let root = Node::root(tree("App").build().unwrap()).unwrap();
    let env = Env::default_from_node(root.clone()).unwrap();
    assert!(!env.context().terminal.interactive() && !env.context().sandbox);
    assert_eq!(env.call("who", args![]).await.unwrap().to_string(), "App");
    let error = Env::block_on(root, async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("use Env::default_from_node and await"), "{error}");
}

#[test]
fn what_cannot_be_a_root_is_an_error_of_the_program() {
    let error = Env::block_on(ParallelNode::define("P").array(), async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("needs a parent"), "{error}");
    let error = Env::block_on(Node::define("N").value("host", 1), async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("'host' is reserved"), "{error}");
}

#[test]
fn the_first_signal_ends_what_runs_in_order() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "env::tests::programs::waits", "--ignored", "--nocapture"]);
    let mut program = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(lines.any(|line| line.ends_with("asleep")), "the command runs");
    kill_process(Pid::from_child(&program), Signal::INT).unwrap();
    let rest: Vec<String> = lines.collect();
    assert!(rest.iter().any(|line| line == "ended with 130"), "{rest:?}");
    assert!(program.wait().unwrap().success());
}

#[test]
#[ignore = "the program of the test above"]
fn waits() {
    let root = Node::define("Waits").hosts(roles! { host: HostDef::localhost() });
    let root = root.action("wait", async |env: Env| env.hosts().run("echo asleep; exec sleep 1000").await);
    let ended = Env::block_on(root, async |env| env.call("wait", args![]).await);
    let status = ended.unwrap_err().exit_code();
    rustix::io::write(std::io::stdout(), format!("\nended with {status}\n").as_bytes()).unwrap();
}
