//! Sessions from the first prompt to the exit status.

#![allow(clippy::unwrap_used)]

mod interrupt;
mod plain;
mod special;

use std::io;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::test_tree::tree;
use super::*;
use crate::host::ssh::SshOptions;
use crate::terminal::scripted::ScriptedTerminal;
use crate::terminal::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, Size};

struct Built;

impl Tree for Built {
    fn load(&self) -> Result<Node, LoadError> {
        Ok(tree())
    }

    fn origin(&self) -> String {
        "a test".to_string()
    }
}

/// Remembers where the session was and what it ran.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl StatusSink for Seen {
    fn at(&self, node: &str) {
        self.0.lock().unwrap().push(format!("at {node}"));
    }

    fn running(&self, actions: &[String]) {
        let now = if actions.is_empty() { "idle".to_string() } else { format!("runs {}", actions.join(", ")) };
        self.0.lock().unwrap().push(now);
    }
}

struct Detach;

#[async_trait]
impl Extension for Detach {
    fn name(&self) -> &str {
        "detach"
    }

    fn summary(&self) -> &str {
        "leave the session running"
    }

    async fn run(&self, args: &[String]) -> Result<String, String> {
        if args.is_empty() { Ok("detached\n".to_string()) } else { Err("detach takes no words".to_string()) }
    }
}

fn session(terminal: Arc<dyn Terminal>, action: &[&str]) -> (Session, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let action = (!action.is_empty()).then(|| action.iter().map(|word| word.to_string()).collect());
    let session = Session {
        tree: Arc::new(Built),
        terminal,
        services: HostServices::new(SshOptions::default()),
        listeners: Vec::new(),
        status: seen.clone(),
        overseer: Arc::new(crate::shell::NobodyOversees),
        extensions: vec![Arc::new(Detach)],
        cancel: CancellationToken::new(),
        options: crate::options::Options::of_daemon(),
        path: Vec::new(),
        action,
    };
    (session, seen)
}

/// What a person sees who types all this ahead, and the status.
async fn typed(keys: &str) -> (String, i32) {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys(keys).await;
    terminal.end_of_input();
    let status = run(session(terminal.clone(), &[]).0).await;
    (screen(&terminal), status)
}

fn screen(terminal: &ScriptedTerminal) -> String {
    up_to_cursor(terminal).trim_end().to_string()
}

/// The rows up to the one with the cursor.
fn up_to_cursor(terminal: &ScriptedTerminal) -> String {
    let mut screen = vt100::Parser::new(200.try_into().unwrap(), 80.try_into().unwrap(), 0);
    screen.process(terminal.output().as_bytes());
    let last = usize::from(screen.screen().cursor_position().0);
    let rows: Vec<String> = screen.screen().rows(0, 80).map(|row| row.trim_end().to_string()).collect();
    rows[..=last].join("\n")
}

async fn one_action(words: &[&str]) -> (String, i32) {
    let terminal = ScriptedTerminal::new();
    let status = run(session(terminal.clone(), words).0).await;
    (terminal.output(), status)
}

// rows: N-12 N-14 N-15 N-16 N-51 W-60
#[tokio::test]
async fn a_person_walks_runs_and_leaves() {
    let (screen, status) = typed("cd production\rdeploy a 'b c'\r/ greet\rexit\r").await;
    assert_eq!(
        screen,
        "R > cd production
R.production > deploy a 'b c'
R.production: <a><b c>
R.production > / greet
R:
R.production > exit"
    );
    assert_eq!(status, 0);
}

// rows: N-56
#[tokio::test]
async fn ctrl_c_drops_the_line_and_ctrl_d_leaves() {
    let (screen, status) = typed("half\x03greet x\x04greet y\r").await;
    assert_eq!(screen, "R > half\nR > greet x");
    assert_eq!(status, 0);
}

// rows: N-18 W-26 N-17
#[tokio::test]
async fn words_behind_an_action_are_parameters_whatever_they_look_like() {
    for (line, result) in [
        ("greet production . .. / - :x greet", "R: <production><.><..></><-><:x><greet>"),
        ("production database", "R.production.database: "),
        ("production database main", "R.production.database: <main>"),
        ("production database -- start", "R.production.database: <start>"),
        ("production web :w1 checkout", "R.production.web[w1]: "),
        ("production _x", "no action or node '_x' in R.production"),
        ("production database _secret", "R.production.database: "),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(one_action(&words).await.0.trim_end_matches('\n'), result, "{line}");
    }
}

// rows: N-17 N-20 N-39 W-20 P-11
#[tokio::test]
async fn wrong_words_run_nothing_and_say_what_is_there() {
    for (line, message) in [
        ("greeet", "no action or node 'greeet' in R (did you mean 'greet'?)"),
        ("zzz", "no action or node 'zzz' in R (help lists the commands, ls the actions)"),
        (
            "production --run",
            "no action or node '--run' in R.production (a command of the shell comes first: --run production)",
        ),
        ("production branch", "R.production.branch is a value, not an action"),
        ("production", "incomplete: R.production is a node without default action"),
        ("production web :w9 checkout", "':w9': R.production.web: no cell 'w9' (cells: w1, w2)"),
        ("production database statr", "no action 'statr' in R.production.database (did you mean 'start'"),
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        let (output, status) = one_action(&words).await;
        assert!(output.starts_with(message), "{output}");
        assert_eq!(status, 2, "{line}");
    }
}

// rows: N-19 E-19 C-07
#[tokio::test]
async fn results_are_printed() {
    assert_eq!(one_action(&["numbers"]).await, ("1\ntwo\n".to_string(), 0));
    assert_eq!(one_action(&["production", "database", "status"]).await, (String::new(), 0));
    let (output, status) = one_action(&["production", "web", "checkout"]).await;
    assert_eq!(status, 0);
    assert!(output.ends_with("{ w1: R.production.web[w1]: , w2: R.production.web[w2]:  }\n"), "{output}");
}

// rows: N-22 C-12
#[tokio::test]
async fn failures_are_told_once_and_the_shell_goes_on() {
    let (screen, status) = typed("fail\rgreet\r").await;
    assert_eq!(screen.matches("failed: it is broken").count(), 1, "{screen}");
    assert!(screen.contains("\n  in       R.fail (core/src/shell/test_tree.rs:"), "{screen}");
    assert!(screen.ends_with("R > greet\nR:\nR >"), "{screen}");
    assert_eq!(status, 0);
    assert_eq!(one_action(&["fail"]).await.1, 1);
    let (output, status) = one_action(&["production", "web", "answer"]).await;
    assert_eq!(status, 1);
    assert_eq!(output.matches("out of order").count(), 2, "in the isolation and in the summary: {output}");
    assert!(output.contains("1 ok, 1 failed in "), "{output}");
}

// rows: N-24 N-25
#[tokio::test]
async fn an_action_that_gives_a_node_opens_a_subshell() {
    let (screen, _) = typed("open\rcd web\rreturn\ropen\r\x04greet\rreturn\r").await;
    assert_eq!(
        screen,
        "R > open
R.production > cd web
R.production.web > return
R > open
R.production >
R > greet
R:
R > return
no action or node 'return' in R (help lists the commands, ls the actions)
R >"
    );
}

// rows: N-40
#[tokio::test]
async fn extensions_are_commands() {
    let (screen, _) = typed("detach\rdetach x\rhelp detach\r").await;
    assert!(screen.contains("R > detach\ndetached\nR > detach x\ndetach takes no words\n"), "{screen}");
    assert!(screen.contains("detach\n  leave the session running"), "{screen}");
}

#[tokio::test]
async fn those_who_watch_are_told() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys("cd production\rdeploy\rdatabase\r").await;
    terminal.end_of_input();
    let (session, seen) = session(terminal, &[]);
    run(session).await;
    assert_eq!(
        *seen.0.lock().unwrap(),
        ["at R", "at R.production", "runs R.production.deploy", "idle", "runs R.production.database", "idle"]
    );
}

// rows: N-41 N-43 N-45 N-46 N-47 N-48 N-49
#[tokio::test]
async fn tab_offers_what_may_follow() {
    let (screen, _) = typed("cd prod\td\t\r").await;
    assert!(screen.starts_with("R > cd production database\nR.production.database >"), "{screen}");
    let (screen, _) = typed("production \t\t\x03").await;
    assert!(screen.contains("\n.         /         ..        deploy*   web       database\n"), "{screen}");
    let (screen, _) = typed("production web :\t\t\t\x03").await;
    assert!(screen.contains("\n:w1  :w2\n"), "{screen}");
    let (screen, _) = typed("production database _s\t\r").await;
    assert!(screen.contains("production database _secret\n"), "{screen}");
    let (screen, _) = typed("greet pro\t\t\t\x03").await;
    assert_eq!(screen, "R > greet pro\nR >");
    let (screen, _) = typed("help gr\t\x03").await;
    assert!(screen.starts_with("R > help greet\n"), "{screen}");
}

// rows: N-50
#[tokio::test]
async fn words_are_coloured_as_soon_as_they_resolve() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys("cd production web\x03").await;
    terminal.end_of_input();
    run(session(terminal.clone(), &[]).0).await;
    let output = terminal.output();
    assert!(output.contains("\x1b[36mcd\x1b[0m \x1b[31mproduction\x1b[0m \x1b[31mweb\x1b[0m"), "{output:?}");
}

// rows: N-21
#[tokio::test]
async fn a_private_action_runs_when_it_is_typed_in_full() {
    let (screen, status) = typed("production database _sec\t\rproduction database start\r").await;
    assert!(screen.contains("R > production database _secret\nR.production.database:\n"), "{screen}");
    assert_eq!(status, 0);
}

// rows: N-60
#[tokio::test]
async fn a_prompt_is_drawn_again_when_the_window_changes() {
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys("cd production\rgreet a-parameter-that-is-rather-long").await;
    let running = tokio::spawn(run(session(terminal.clone(), &[]).0));
    while !terminal.output().contains("rather-long") {
        tokio::task::yield_now().await;
    }
    let before = terminal.output().len();
    terminal.resize(Size { rows: 24, cols: 30 });
    while terminal.output().len() == before {
        tokio::task::yield_now().await;
    }
    let drawn = terminal.output()[before..].to_string();
    assert!(drawn.contains("ther-long") && !drawn.contains("a-parameter"), "{drawn:?}");
    terminal.end_of_input();
    running.await.unwrap();
}
