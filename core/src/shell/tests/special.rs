//! The special commands: what they tell and run, at any node.

use super::*;
use crate::define::ParallelNode;
use crate::node::{Class, HostDef, HostKind, HostSettings};
use crate::shell::state::State;
use crate::{map_roles, q, roles};

fn host(slug: &str) -> HostDef {
    HostDef::new(HostKind::Local, HostSettings { slug: slug.to_string(), ..HostSettings::default() })
}

fn root() -> Class {
    let web = ParallelNode::define("Web")
        .doc("Serves pages.")
        .query("branch", q!(parent.branch))
        .query("broken", q!(parent.nothing))
        .property("where", async |env: crate::env::Env| Ok(env.node().cell_label()))
        .required("directory", "where the pages are")
        .action(
            "checkout",
            crate::define::action(async |_: crate::env::Env, _commit: String| Ok(())).parameters(["commit"]),
        )
        .build()
        .unwrap();
    let [w1, w2] = ["w1", "w2"].map(host);
    crate::node::Node::define("App")
        .hosts(roles! { web: [w1, w2], spare: w1 })
        .value("branch", "main")
        .child("web", web.extend("LiveWeb").array().map_roles(map_roles! { host: "web" }))
        .child("empty", crate::node::Node::define("Empty").hosts(roles! {}))
        .build()
        .unwrap()
}

struct App;

impl Tree for App {
    fn load(&self) -> Result<Node, LoadError> {
        Ok(Node::root(root()).unwrap())
    }

    fn origin(&self) -> String {
        "a test".to_string()
    }
}

/// What one command says where nobody is there, and its status.
async fn said(words: &[&str]) -> (String, i32) {
    let terminal = ScriptedTerminal::new();
    let session = Session { tree: Arc::new(App), ..session(terminal.clone(), words).0 };
    let status = run(session).await;
    (terminal.output(), status)
}

/// What a person sees who answers the question of a command.
async fn asked(line: &str, question: &'static str, answer: &str) -> String {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys(&format!("{line}\r")).await;
    terminal.type_at(question, answer);
    run(Session { tree: Arc::new(App), ..session(terminal.clone(), &[]).0 }).await;
    screen(&terminal)
}

// rows: N-27
#[tokio::test]
async fn inspect_tells_what_a_node_is() {
    let (text, status) = said(&["--inspect", "web"]).await;
    assert_eq!(status, 0, "{text}");
    let without_places: String =
        text.lines().map(|line| line.split(" (core/").next().unwrap_or_default().to_string() + "\n").collect();
    assert_eq!(
        without_places,
        "node      App.web
class     LiveWeb
from      Web
          ParallelNode
roles     host: 0 w1 (localhost), 1 w2 (localhost)
about     Serves pages.
actions:
  checkout
queries:
  branch  broken
properties:
  host       where      directory
"
    );
    let (text, _) = said(&["--inspect"]).await;
    assert!(text.contains("roles     web: 0 w1 (localhost), 1 w2 (localhost)\n          spare: 0 w1"), "{text}");
    assert!(text.contains("values:\n  branch\nnodes:\n  web    empty\n"), "{text}");
    assert_eq!(said(&["--inspect", "nope"]).await, ("App has no 'nope'\n".to_string(), 2));
}

// rows: N-28 N-29 N-30
#[tokio::test]
async fn inspect_tells_what_an_action_a_query_and_a_property_are() {
    let (action, status) = said(&["--inspect", "web", "checkout"]).await;
    assert!(status == 0 && action.starts_with("action    checkout(commit) ("), "{action}");
    let (query, status) = said(&["--inspect", "web", ":w1", "branch"]).await;
    assert!(query.contains("query     Q.parent.branch\n"), "{query}");
    assert!(query.ends_with("          Q.parent.branch = main\nvalue     main\n") && status == 0, "{query}");
    let (property, status) = said(&["--inspect", "web", ":w2", "where"]).await;
    assert!(property.ends_with("value     w2\n") && status == 0, "{property}");
    let (failed, status) = said(&["--inspect", "web", ":w2", "broken"]).await;
    assert!(failed.contains("no attribute 'nothing'") && status == 1, "{failed}");
    let (required, status) = said(&["--inspect", "web", "directory"]).await;
    assert!(
        required.contains("required  directory") && required.contains("where the pages are") && status == 0,
        "{required}"
    );
    assert!(said(&["--inspect", "branch"]).await.0.ends_with("is        main\n"));
    let cell = asked("--inspect web where", "On which host", "w2\r").await;
    assert!(cell.contains("value     w2"), "{cell}");
}

// rows: N-33
#[tokio::test]
async fn version_tells_program_machine_and_root() {
    let (text, status) = said(&["--version"]).await;
    let machine = std::process::Command::new("hostname").output().unwrap().stdout;
    let machine = String::from_utf8(machine).unwrap().trim().to_string();
    let start = format!("deployer {}\nmachine  {machine}\nroot     App (", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(&start) && status == 0, "{text}");
}

// rows: N-35 N-37
#[tokio::test]
async fn run_runs_one_command_on_all_hosts_of_a_node_each_once() {
    let (text, status) = said(&["--run", "--", "echo", "hello", "$((20+3))"]).await;
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches("hello 23").count(), 2, "{text}");
    let (text, status) = said(&["--run", "web", ":w1", "--", "exit 3"]).await;
    assert!(status == 1 && text.contains("status 3") && !text.contains("w2"), "{text}");
    assert!(!text.contains(".rs:"), "where deployer is written is no place of the deployment: {text}");
    assert_eq!(said(&["--run", "empty", "--", "true"]).await.1, 1);
    for (words, why) in [
        (&["--run", "empty", "--", "true"][..], "App.empty has no hosts: name a node that has"),
        (&["--run"], "nobody is there to say what to run: write --run NODE -- COMMAND"),
        (&["--run", "web", "--"], "incomplete: --run [NODE...] -- COMMAND"),
        (&["--run", "nope"], "no node 'nope' in App"),
    ] {
        let (text, status) = said(words).await;
        assert!(text.contains(why) && status != 0, "{words:?}: {text}");
    }
    let shown = asked("--run web", "command:", "echo $((40+2))\r").await;
    assert!(shown.contains("on these hosts: w1, w2") && shown.contains("42"), "{shown}");
    let given_up = asked("--run web", "command:", "\x03").await;
    assert!(!given_up.contains("failed"), "{given_up}");
}

// rows: N-36
#[tokio::test]
async fn run_with_sudo_asks_for_a_command_of_root() {
    let shown = asked("--run-with-sudo web", "command (as root):", "\x03").await;
    assert!(shown.contains("on these hosts: w1, w2"), "{shown}");
    let (text, _) = said(&["sandbox", "--run-with-sudo", "--", "true"]).await;
    assert!(text.contains("no action or node '--run-with-sudo'"), "{text}");
}

// rows: N-32
#[tokio::test]
async fn connect_opens_a_shell_on_the_host_that_is_meant() {
    let shown = asked("--connect web", "connect to which host?", "w2\rexit 3\r").await;
    assert!(!shown.contains("failed"), "{shown}");
    let (text, status) = said(&["--connect", "empty"]).await;
    assert!(text.contains("App.empty has no hosts: name a node that has") && status == 1, "{text}");
    let (text, status) = said(&["--connect"]).await;
    assert!(text.contains("App has several hosts (w1, w2), and it is not said which") && status == 1, "{text}");
}

// rows: N-31
#[tokio::test]
async fn source_code_says_when_there_is_none() {
    let (text, status) = said(&["--source-code", "web"]).await;
    // Compiled: its source is beside the tests here, and nowhere on the machine of its user.
    assert!(text.contains("special.rs") && status != 130, "{text}");
}

// rows: N-46 N-49
#[test]
fn tab_offers_what_can_be_inspected() {
    let state = State::new(Node::root(root()).unwrap(), Vec::new(), crate::options::Options::of_daemon());
    let offered: Vec<String> = crate::shell::complete::complete(&state, "--inspect web ")
        .candidates
        .into_iter()
        .map(|candidate| candidate.shown + candidate.mark)
        .filter(|name| name.starts_with(char::is_alphabetic))
        .collect();
    assert_eq!(offered, ["branch?", "broken?", "where@", "directory@", "checkout*"]);
}
