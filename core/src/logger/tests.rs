#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::env::{Cause, Frame, Outcome};
use crate::host::{ConnectError, HostError, RunError, RunFailure, RunOutput};
use crate::node::Position;
use crate::terminal::Size;
use crate::terminal::scripted::ScriptedTerminal;
use crate::value::Value;

fn run(command: &str) -> RunEntry {
    RunEntry {
        node: "root.web".to_string(),
        host: "web1".to_string(),
        command: command.to_string(),
        use_sudo: false,
        sandbox: false,
        interactive: true,
    }
}

fn failed(status: ExitStatus, output: &str) -> ActionError {
    let output = RunOutput {
        stdout: Bytes::copy_from_slice(output.as_bytes()),
        stderr: Bytes::new(),
        status: status.clone(),
        dropped: 0,
        shown: false,
    };
    ActionError::from(RunError::Failed(Arc::new(RunFailure {
        host: "web1".to_string(),
        command: "git fetch".to_string(),
        use_sudo: false,
        status,
        output: Arc::new(output),
        reason: None,
    })))
    .through(Frame {
        node: "production.web.Code".to_string(),
        action: "checkout".to_string(),
        position: Some(Position::new("deploy.lua", 12)),
    })
    .through(Frame { node: "production".to_string(), action: "deploy".to_string(), position: None })
}

async fn shown(events: &[Event]) -> String {
    let terminal = ScriptedTerminal::new();
    let logger = Logger::new(vec![ScreenLogger::new(terminal.clone(), true)], terminal.clone());
    for event in events {
        logger.emit(event.clone()).await;
    }
    terminal.output()
}

// rows: L-03 L-08
#[tokio::test]
async fn a_command_is_one_line_and_success_adds_nothing() {
    let mut sudo = run("systemctl restart nginx\nsleep 1");
    (sudo.use_sudo, sudo.sandbox) = (true, true);
    let ended = |code| Event::RunFinished {
        run: run("ls"),
        status: Some(ExitStatus::Code(code)),
        by_key: false,
        elapsed: Duration::from_millis(2100),
    };
    let text = shown(&[Event::RunStarted(run("ls")), ended(0), Event::RunStarted(sudo), ended(1)]).await;
    assert_eq!(
        text,
        "web1 $ ls\nweb1 # [sudo, sandbox] systemctl restart nginx ... (+1 line)\nweb1 ! status 1 after 2.1 s\n"
    );
}

#[tokio::test]
async fn a_screen_gets_colour_and_cut_lines_unless_none_is_wanted() {
    for (colour, expected) in
        [(true, "\x1b[1mweb1\x1b[0m $ \x1b[33mecho aaaaaaaaa...\x1b[0m\r\n"), (false, "web1 $ echo aaaaaaaaa...\r\n")]
    {
        let terminal = ScriptedTerminal::interactive();
        terminal.resize(Size { rows: 24, cols: 25 });
        let logger = Logger::new(vec![ScreenLogger::new(terminal.clone(), colour)], terminal.clone());
        logger.emit(Event::RunStarted(run(&format!("echo {}", "a".repeat(90))))).await;
        assert_eq!(terminal.output(), expected);
    }
}

#[tokio::test]
async fn text_from_hosts_and_files_is_harmless() {
    let text = shown(&[Event::RunStarted(run("echo \x1b]0;x\x07")), Event::Message("a\x1b[2J\nb".to_string())]).await;
    assert_eq!(text, "web1 $ echo \\x1b]0;x\\x07\na\\x1b[2J\nb\n");
}

#[tokio::test]
async fn connecting_is_told_once_for_each_host() {
    let step = |step: &str| Event::Connecting { host: "web1".to_string(), step: step.to_string() };
    assert_eq!(shown(&[step("connecting"), step("authenticating")]).await, "web1: connecting\n");
}

// rows: L-11
#[tokio::test]
async fn a_failure_tells_what_where_and_what_next() {
    let error = failed(ExitStatus::Code(127), "\x1b[31mnot found\x1b[0m\r\n");
    let text = shown(&[Event::Failed(error)]).await;
    assert_eq!(
        text,
        "failed: web1: status 127: git fetch
  in       production.web.Code.checkout (deploy.lua:12)
           production.deploy
  next     web1 knows no such command: check its name and PATH there
"
    );
}

// rows: L-11
#[tokio::test]
async fn a_failure_is_told_once_and_folded_between_words() {
    let terminal = ScriptedTerminal::interactive();
    terminal.resize(Size { rows: 24, cols: 40 });
    let logger = Logger::new(vec![ScreenLogger::new(terminal.clone(), false)], terminal.clone());
    let ended = Event::RunFinished {
        run: run("git fetch"),
        status: Some(ExitStatus::Code(127)),
        by_key: false,
        elapsed: Duration::from_millis(100),
    };
    logger.emit(ended).await;
    logger.emit(Event::Failed(failed(ExitStatus::Code(127), "not found\n"))).await;
    assert_eq!(
        terminal.output().replace("\r\n", "\n"),
        "web1 ! status 127 after 0.1 s
  command  git fetch
  in       production.web.Code.checkout
           (deploy.lua:12)
           production.deploy
  next     web1 knows no such command:
           check its name and PATH
           there
"
    );
}

#[tokio::test]
async fn output_is_shown_with_the_failure_when_it_was_not_shown_live() {
    let mut quiet = run("git fetch");
    quiet.interactive = false;
    let ended =
        Event::RunFinished { run: quiet, status: Some(ExitStatus::Code(1)), by_key: false, elapsed: Duration::ZERO };
    let text = shown(&[ended, Event::Failed(failed(ExitStatus::Code(1), "10%\r20%\r\n\nfatal: no\tway\n"))]).await;
    assert!(text.contains("  output\n    | 20%\n    | fatal: no    way\n"), "{text}");
    let live = Event::RunFinished {
        run: run("git fetch"),
        status: Some(ExitStatus::Code(1)),
        by_key: false,
        elapsed: Duration::ZERO,
    };
    let text = shown(&[live, Event::Failed(failed(ExitStatus::Code(1), "fatal\n"))]).await;
    assert!(!text.contains("fatal"), "{text}");
}

#[tokio::test]
async fn a_host_out_of_reach_comes_with_a_command_to_try() {
    let error = ConnectError {
        host: "db".to_string(),
        address: "10.0.0.9".to_string(),
        port: 2222,
        user: "deploy".to_string(),
        reason: "connection refused".to_string(),
        hint: None,
    };
    let text = shown(&[Event::Failed(ActionError::from(RunError::Host(HostError::Connect(error))))]).await;
    assert!(text.contains("failed: db: cannot connect to deploy@10.0.0.9:2222: connection refused\n"), "{text}");
    assert!(text.contains("  next     try it by hand: ssh -p 2222 deploy@10.0.0.9\n"), "{text}");
}

#[tokio::test]
async fn the_summary_tells_why_a_host_is_out_of_reach_before_where_it_is() {
    let unreachable = |host: &str, reason: &str, hint: Option<&str>| {
        let error = ConnectError {
            host: host.to_string(),
            address: "10.0.0.9".to_string(),
            port: 2222,
            user: "deploy".to_string(),
            reason: reason.to_string(),
            hint: hint.map(str::to_string),
        };
        Outcome::Failed(ActionError::from(RunError::Host(HostError::Connect(error))))
    };
    let changed = "host key: it has changed. 10.0.0.9 now shows ED25519 SHA256:new, but known_hosts:1 says SHA256:old";
    let finished = Event::ParallelFinished {
        node: "web".to_string(),
        action: "go".to_string(),
        outcomes: vec![
            cell("web1", unreachable("web1", "connection refused", None), 100),
            cell("web2", unreachable("web2", changed, Some("ssh-keygen -R 10.0.0.9")), 200),
        ],
    };
    let terminal = ScriptedTerminal::interactive();
    terminal.resize(Size { rows: 24, cols: 80 });
    let logger = Logger::new(vec![ScreenLogger::new(terminal.clone(), false)], terminal.clone());
    logger.emit(finished).await;
    let text = terminal.output().replace('\r', "");
    let at_once =
        "connection refused\n      | deploy@10.0.0.9:2222\n      | try it by hand: ssh -p 2222 deploy@10.0.0.9\n";
    assert!(text.contains(at_once), "{text}");
    let row = text.lines().find(|line| line.starts_with("  web2")).unwrap();
    assert!(row.contains("host key: it has changed."), "{text}");
    // What had no room there is told in full below.
    let unfolded = text.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ");
    let below = format!("deploy@10.0.0.9:2222: {changed} ssh-keygen -R 10.0.0.9");
    assert!(unfolded.contains(&below), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

fn cell(label: &str, outcome: Outcome, millis: u64) -> CellOutcome {
    CellOutcome { label: label.to_string(), outcome, elapsed: Duration::from_millis(millis) }
}

// rows: C-12 W-14
#[tokio::test]
async fn the_summary_tells_every_host_in_order() {
    let outcomes = vec![
        cell("web1", Outcome::Failed(failed(ExitStatus::Code(1), "one\ntwo\n\nthree\nfour\nfive\nsix\n")), 1000),
        cell("web10", Outcome::Ok(Value::Nil), 65_000),
        cell("web3", Outcome::Interrupted(ActionError::new(Cause::Interrupted)), 300),
        cell("web4", Outcome::NotStarted, 0),
        cell("web5", Outcome::Ok(Value::Nil), 2100),
    ];
    let finished = Event::ParallelFinished {
        node: "production.web".to_string(),
        action: "checkout".to_string(),
        outcomes: outcomes.clone(),
    };
    let error = ActionError::new(Cause::Parallel(outcomes)).through(Frame {
        node: "production.web".to_string(),
        action: "checkout".to_string(),
        position: None,
    });
    assert_eq!(
        shown(&[finished, Event::Failed(error)]).await,
        "production.web.checkout:
  web1   failed         1.0 s  status 1: git fetch
      | two
      | three
      | four
      | five
      | six
  web10  ok          1 min 05 s
  web3   interrupted    0.3 s  interrupted
  web4   not started
  web5   ok             2.1 s
2 ok, 1 failed, 1 interrupted, 1 not started in 1 min 05 s
failed on 1 of 5: web1; interrupted on 1 of 5: web3; not started on 1 of 5: web4
  in       production.web.checkout
  next     see the table above; to run it on one host only: :web1 checkout
"
    );
}

#[tokio::test]
async fn an_isolation_tells_its_failure_in_one_line() {
    let main: Arc<dyn Terminal> = ScriptedTerminal::new();
    let cell = ScriptedTerminal::new();
    let logger = Logger::new(vec![ScreenLogger::new(main.clone(), true)], main).branch(cell.clone(), "w1");
    logger.emit(Event::Failed(failed(ExitStatus::Signal("KILL".to_string()), "x\n"))).await;
    assert_eq!(cell.output(), "failed: web1: killed by SIGKILL: git fetch\n");
}

#[tokio::test]
async fn what_the_operator_interrupted_is_one_line_and_no_failure() {
    let status = Some(ExitStatus::Signal("INT".to_string()));
    let ended = Event::RunFinished { run: run("git fetch"), status, by_key: true, elapsed: Duration::ZERO };
    let (host, command) = ("web1".to_string(), "git fetch".to_string());
    let error = ActionError::from(RunError::Interrupted { host, command, certain: true, by_key: true });
    assert_eq!(error.exit_code(), 130);
    let frame = Frame { node: "web".to_string(), action: "fetch".to_string(), position: None };
    let text = shown(&[ended, Event::Failed(error.through(frame))]).await;
    assert_eq!(text, "web1 ! interrupted (Ctrl-C)\n");
}

#[tokio::test]
async fn a_line_with_the_label_in_front_does_not_name_the_host_again() {
    use crate::terminal::AuxiliaryRequest;
    use crate::terminal::lines::LinesTerminal;

    let screen = ScriptedTerminal::new();
    let request = AuxiliaryRequest { label: "web1".to_string(), label_width: 4, index: 0, run: None };
    let cell = LinesTerminal::new(screen.clone(), &request);
    let logger = Logger::new(vec![ScreenLogger::new(screen.clone(), true)], screen.clone()).branch(cell.clone(), "w1");
    logger.emit(Event::RunStarted(run("git fetch"))).await;
    cell.write(b"half a line").await.unwrap();
    let status = Some(ExitStatus::Code(1));
    logger.emit(Event::RunFinished { run: run("git fetch"), status, by_key: false, elapsed: Duration::ZERO }).await;
    logger.emit(Event::Failed(failed(ExitStatus::Code(1), "x"))).await;
    assert_eq!(screen.output(), "web1 | $ git fetch\nweb1 | half a line\nweb1 | ! status 1 after 0.0 s\n");
}
