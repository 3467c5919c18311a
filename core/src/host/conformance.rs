#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

//! What every kind of host has to do, as cases that run real commands on a real one.
//!
//! Built for tests only (feature `conformance`): the unit tests run them on the local host, the end-to-end tests over
//! SSH, and a program that brings a host of its own can do the same. Each case panics with what it saw. The host needs
//! a POSIX shell, `stty`, `head`, `tr` and `mktemp`.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::ssh::SshOptions;
use super::{
    ExitStatus, Host, HostContainer, HostServices, NobodyToAsk, ProcessEvent, RunError, RunFailure, RunIo, RunOptions,
    RunOutput, Spawn, SpawnMode,
};
use crate::logger::Logger;
use crate::terminal::scripted::ScriptedTerminal;
use crate::terminal::{Size, Terminal};

/// A host with a terminal beside it.
pub struct Stage {
    /// What runs commands.
    pub host: HostContainer,
    /// What the operator sees and types on.
    pub terminal: Arc<ScriptedTerminal>,
    /// The Ctrl-C of the run.
    pub cancel: CancellationToken,
}

impl Stage {
    /// With pipes: a cron job's terminal.
    pub fn plain(host: &Arc<dyn Host>) -> Stage {
        Stage::on(host, ScriptedTerminal::new())
    }

    /// With a PTY.
    pub fn tty(host: &Arc<dyn Host>) -> Stage {
        Stage::on(host, ScriptedTerminal::interactive())
    }

    fn on(host: &Arc<dyn Host>, scripted: Arc<ScriptedTerminal>) -> Stage {
        let terminal: Arc<dyn Terminal> = scripted.clone();
        let cancel = CancellationToken::new();
        let io = RunIo {
            node: "".into(),
            logger: Logger::new(Vec::new(), terminal.clone()),
            terminal,
            asker: Arc::new(NobodyToAsk),
            cancel: cancel.clone(),
            services: HostServices::new(SshOptions::default()),
            sandbox: false,
        };
        Stage { host: HostContainer::of(host.clone(), io), terminal: scripted, cancel }
    }

    /// Runs with the operator's terminal.
    pub async fn run(&self, command: &str) -> Result<Arc<RunOutput>, RunError> {
        within(command, self.host.run_with(command, &RunOptions::default())).await
    }

    /// Runs without, and gives the text.
    pub async fn text(&self, command: &str) -> String {
        within(command, self.host.run_with(command, &hidden())).await.unwrap().text()
    }

    /// Waits until the operator sees this.
    pub async fn sees(&self, text: &str) {
        let seen = async {
            while !self.terminal.output().contains(text) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, seen).await.is_err() {
            panic!("waited for {text:?} on the terminal, which shows: {:?}", self.terminal.output());
        }
    }
}

/// Long enough for the slowest machine; only a hang takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// Options of a run that is not shown.
pub fn hidden() -> RunOptions {
    RunOptions { interactive: false, ..RunOptions::default() }
}

/// The outcome of something that must not hang.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("it hangs: {what}"))
}

fn failure(result: Result<Arc<RunOutput>, impl Into<RunError> + Debug>) -> Arc<RunFailure> {
    match result.map_err(Into::into) {
        Err(RunError::Failed(failure)) => failure,
        other => panic!("a failure was expected: {other:?}"),
    }
}

/// All cases, one after the other.
pub async fn all(host: Arc<dyn Host>) {
    status_and_streams(&host).await;
    death_by_signal(&host).await;
    context_reaches_the_command(&host).await;
    odd_directories(&host).await;
    a_lot_of_output(&host).await;
    end_of_input(&host).await;
    keys_and_size(&host).await;
    something_left_behind(&host).await;
    cancelled(&host).await;
    ctrl_c_at_the_command(&host).await;
    dropped(&host).await;
    too_slow(&host).await;
    sandbox(&host).await;
    questions(&host).await;
    login_shell(&host).await;
}

/// Status, stdout and stderr, shown and not shown.
// rows: F-15 F-16 F-27 F-28
pub async fn status_and_streams(host: &Arc<dyn Host>) {
    let plain = Stage::plain(host);
    let output = plain.host.run_with("echo out; echo err >&2", &hidden()).await.unwrap();
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(plain.terminal.output(), "", "a run that is not interactive shows nothing");

    let failed = failure(plain.host.run_with("echo so far; exit 3", &hidden()).await);
    assert_eq!((failed.status.clone(), failed.output.text()), (ExitStatus::Code(3), "so far".to_string()));
    assert_eq!(failed.command, "echo so far; exit 3");
    let ignoring = RunOptions { ignore_exit_status: true, ..hidden() };
    assert_eq!(plain.host.run_with("exit 3", &ignoring).await.unwrap().status, ExitStatus::Code(3));

    plain.run("echo shown; echo talk >&2").await.unwrap();
    plain.sees("shown").await;
    plain.sees("talk").await;

    let tty = Stage::tty(host);
    let output = tty.run("test -t 0 && test -t 1 && test -t 2 && echo terminal; echo err >&2").await.unwrap();
    assert_eq!((output.text().as_str(), &output.stderr[..]), ("terminal\r\nerr", &b""[..]));
    assert_eq!(tty.terminal.output(), "terminal\r\nerr\r\n");
    assert_eq!(failure(tty.run("exit 7").await).status, ExitStatus::Code(7));
}

/// Death by a signal is a failure.
// rows: F-29 W-18
pub async fn death_by_signal(host: &Arc<dyn Host>) {
    for stage in [Stage::plain(host), Stage::tty(host)] {
        assert_eq!(failure(stage.run("kill -TERM $$").await).status, ExitStatus::Signal("TERM".to_string()));
        // Here a shell sees the death first, and tells it as shells do.
        assert_eq!(failure(stage.run("sh -c 'kill -KILL $$'").await).status, ExitStatus::Code(137));
    }
}

/// `cd`, `env` and `prefix`.
// rows: F-05 F-06 F-07 F-08 F-09 F-12 F-30 F-38
pub async fn context_reaches_the_command(host: &Arc<dyn Host>) {
    let stage = Stage::plain(host);
    let here = &stage.host;
    let start = stage.text("pwd").await;
    {
        let _cd = here.cd("/", false, false);
        assert_eq!(stage.text("pwd").await, "/");
        let _env = here.env("GREETING", "it's  $HOME", true);
        let _more = here.env("MORE", "\"$GREETING\"!", false);
        assert_eq!(stage.text("echo \"$MORE\"").await, "it's  $HOME!");
        let _home = here.cd("~", true, false);
        assert_eq!(stage.text("test \"$(pwd -P)\" = \"$(cd && pwd -P)\" && echo home").await, "home");
        let _missing = here.cd("no such directory", false, false);
        assert!(!failure(here.run_with("true || echo never", &hidden()).await).status.success());
    }
    assert_eq!(stage.text("pwd; echo \"[$GREETING]\"").await, format!("{start}\n[]"));
    {
        let _prefix = here.prefix("FROM=prefix");
        assert_eq!(stage.text("echo $FROM").await, "prefix");
        let _failing = here.prefix("false");
        let failed = failure(here.run_with("echo never; true", &hidden()).await);
        assert_eq!(
            (failed.output.text().as_str(), failed.command.as_str()),
            ("", "FROM=prefix && false && echo never; true")
        );
    }
    assert_eq!(stage.text("echo $TERM").await, "xterm");
    let _term = here.env("TERM", "vt220", true);
    assert_eq!(stage.text("echo $TERM").await, "vt220");
}

/// Directories whose names mean something to a shell.
// rows: F-13 W-07
pub async fn odd_directories(host: &Arc<dyn Host>) {
    let stage = Stage::plain(host);
    let top = stage.text("mktemp -d").await;
    let _top = stage.host.cd(&top, false, false);
    for name in
        ["two words", "it's", "$HOME", "-dash", "a;exit 9", "new\nline", "*", "~", "ünï", "\"", "\\", "#", "a&b"]
    {
        let make = format!("mkdir -- '{}'", crate::text::esc1(name));
        within(name, stage.host.run_with(&make, &hidden())).await.unwrap();
        let _cd = stage.host.cd(name, false, false);
        assert_eq!(stage.text("pwd").await, format!("{top}/{name}"));
    }
    let _glob = stage.host.cd("two*", false, true);
    assert_eq!(stage.text("pwd").await, format!("{top}/two words"));
    stage.text(&format!("rm -r '{top}'")).await;
}

/// Five megabytes arrive, in order and complete.
// rows: F-36
pub async fn a_lot_of_output(host: &Arc<dyn Host>) {
    const MANY: usize = 5_000_000;
    let command = format!("head -c {MANY} /dev/zero | tr '\\0' x; echo; echo end");
    let hidden_run = Stage::plain(host);
    let output = within(&command, hidden_run.host.run_with(&command, &hidden())).await.unwrap();
    assert_eq!((output.stdout.len(), output.dropped), (MANY + 5, 0));
    let tty = Stage::tty(host);
    let output = tty.run(&command).await.unwrap();
    assert_eq!(output.stdout.len(), MANY + 7);
    assert!(output.stdout[..MANY].iter().all(|byte| *byte == b'x') && output.stdout.ends_with(b"\r\nend\r\n"));
}

/// A command that reads to the end of its input ends.
// rows: F-34 W-47
pub async fn end_of_input(host: &Arc<dyn Host>) {
    assert_eq!(Stage::plain(host).text("cat; echo over").await, "over");
    let tty = Stage::tty(host);
    tty.terminal.type_keys("half a line").await;
    tty.terminal.end_of_input();
    let output = tty.run("cat; echo; echo over").await.unwrap().text();
    assert!(output.starts_with("half a line") && output.ends_with("over"), "{output:?}");
}

/// Keys and sizes reach the program.
// rows: F-15 F-17 F-32 F-33
pub async fn keys_and_size(host: &Arc<dyn Host>) {
    let tty = Stage::tty(host);
    let wait = "stty size; until [ \"$(stty size)\" = '50 132' ]; do sleep 0.05; done; echo resized; read line; echo \"<$line>\"";
    let operator = async {
        tty.sees("40 80").await;
        tty.terminal.resize(Size { rows: 50, cols: 132 });
        tty.sees("resized").await;
        tty.terminal.type_keys("typed\n").await;
    };
    let (output, ()) = tokio::join!(tty.run(wait), operator);
    assert!(output.unwrap().text().ends_with("<typed>"), "{:?}", tty.terminal.output());

    let first = RunOptions { initial_input: Some("first\n".to_string()), ..RunOptions::default() };
    let output = within("initial input", tty.host.run_with("read line; echo \"<$line>\"", &first)).await.unwrap();
    assert!(output.text().ends_with("<first>"), "{output:?}");
    // In raw mode programs wait for the CR of the Enter key.
    let operator = async {
        tty.sees("now raw").await;
        tty.terminal.type_keys("\n").await;
    };
    let raw = "stty raw -echo; echo now raw; head -c 1 | od -An -c; stty sane";
    let (output, ()) = tokio::join!(tty.run(raw), operator);
    assert!(output.unwrap().text().contains("\\r"), "{:?}", tty.terminal.output());
}

/// A background process that keeps the streams open does not hold the run up.
// rows: F-36
pub async fn something_left_behind(host: &Arc<dyn Host>) {
    for stage in [Stage::plain(host), Stage::tty(host)] {
        let text = stage.run("(trap '' HUP; exec sleep 1000) & echo $!").await.unwrap().text();
        Stage::plain(host).text(&format!("kill {text}")).await;
    }
}

/// A cancelled run leaves nothing behind, not even what ignores signals.
pub async fn cancelled(host: &Arc<dyn Host>) {
    let patient = "sh -c 'echo pid=$$.; exec sleep 1000'";
    let stubborn = "sh -c 'trap \"\" INT TERM HUP; echo pid=$$.; while :; do sleep 1; done'";
    for (stage, command) in [
        (Stage::plain as fn(&Arc<dyn Host>) -> Stage, patient),
        (Stage::tty, patient),
        (Stage::plain, stubborn),
        (Stage::tty, stubborn),
    ] {
        let stage = interrupted(|| stage(host), command).await;
        gone(host, pid(&stage.terminal.output())).await;
        let again = stage.run("echo never").await;
        assert!(matches!(again, Err(RunError::Interrupted { certain: true, .. })), "{again:?}");
    }
}

/// A run that was cancelled, with an end that was seen. A polite end has its deadline, and a machine under load may take
/// longer: then the run says so, and is tried again.
async fn interrupted(stage: impl Fn() -> Stage, command: &str) -> Stage {
    for attempt in 1.. {
        let stage = stage();
        let operator = async {
            stage.sees(".").await;
            stage.cancel.cancel();
        };
        let (result, ()) = tokio::join!(stage.run(command), operator);
        match result {
            Err(RunError::Interrupted { certain: true, .. }) => return stage,
            Err(RunError::Interrupted { certain: false, .. }) if attempt < 3 => {}
            result => panic!("{result:?}"),
        }
    }
    unreachable!("the third attempt is the last")
}

/// What ignores Ctrl-C and TERM, as interactive shells do, hears that its terminal goes away and may clean up. For
/// hosts whose terminal is still there then; that of an SSH session goes away with the login shell.
pub async fn hung_up(host: &Arc<dyn Host>) {
    let tty = Stage::tty(host);
    let shell =
        "sh -c 'trap \"\" INT TERM; trap \"echo hung up; exit\" HUP; echo pid=$$.; while :; do sleep 0.1; done'";
    let operator = async {
        tty.sees(".").await;
        tty.cancel.cancel();
    };
    let (result, ()) = tokio::join!(tty.run(shell), operator);
    assert!(matches!(result, Err(RunError::Interrupted { certain: true, .. })), "{result:?}");
    assert!(tty.terminal.output().contains("hung up"), "{:?}", tty.terminal.output());
    gone(host, pid(&tty.terminal.output())).await;
}

/// What the operator interrupted has not failed; what died of a signal without a Ctrl-C has.
// rows: F-29
pub async fn ctrl_c_at_the_command(host: &Arc<dyn Host>) {
    let tty = Stage::tty(host);
    let operator = async {
        tty.sees("asleep").await;
        tty.terminal.type_keys("\x03").await;
    };
    let (result, ()) = tokio::join!(tty.run("echo asleep; sleep 1000"), operator);
    assert!(matches!(result, Err(RunError::Interrupted { certain: true, by_key: true, .. })), "{result:?}");
    let signal = failure(tty.run("exec sh -c 'kill -INT $$'").await);
    assert!(matches!(signal.status, ExitStatus::Signal(_) | ExitStatus::Code(130)), "{signal:?}");

    // Who ignores how a command ends ignores this end too.
    let tty = Stage::tty(host);
    let operator = async {
        tty.sees("asleep").await;
        tty.terminal.type_keys("\x03").await;
    };
    let options = RunOptions { ignore_exit_status: true, ..RunOptions::default() };
    let ignored = within("a command on the way", tty.host.run_with("echo asleep; sleep 1000", &options));
    let (result, ()) = tokio::join!(ignored, operator);
    assert!(!result.unwrap().status.success());
}

/// A dropped process is ended.
pub async fn dropped(host: &Arc<dyn Host>) {
    let pty = SpawnMode::Pty { size: Size::DEFAULT, term: String::new() };
    for mode in [SpawnMode::Piped, pty] {
        let stage = Stage::plain(host);
        let spawn = Spawn::line("echo pid=$$.; exec sleep 1000", mode);
        let mut process = host.spawn(spawn, &stage.host.io().reach()).await.unwrap();
        let mut text = String::new();
        while !text.contains('.') {
            match within("the first output", process.events.recv()).await {
                Some(ProcessEvent::Stdout(bytes)) => text.push_str(&String::from_utf8_lossy(&bytes)),
                other => panic!("output was expected: {other:?}"),
            }
        }
        drop(process);
        gone(host, pid(&text)).await;
    }
}

fn pid(text: &str) -> u32 {
    let number = text.split("pid=").nth(1).and_then(|rest| rest.split('.').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no process number in {text:?}"))
}

/// Waits until a process of the host has ended and was reaped.
async fn gone(host: &Arc<dyn Host>, pid: u32) {
    Stage::plain(host).text(&format!("while kill -0 {pid} 2>/dev/null; do sleep 0.05; done")).await;
}

/// The `timeout` option.
pub async fn too_slow(host: &Arc<dyn Host>) {
    let stage = Stage::plain(host);
    let options = RunOptions { timeout: Some(Duration::from_millis(300)), ignore_exit_status: true, ..hidden() };
    let failed = failure(within("the timeout", stage.host.run_with("echo begun; exec sleep 1000", &options)).await);
    assert!(failed.to_string().contains("stopped after 0.3 s"), "{failed}");
    assert_eq!(failed.output.text(), "begun");
}

/// In a sandbox nothing runs but the syntax check.
// rows: F-24 F-25 W-19
pub async fn sandbox(host: &Arc<dyn Host>) {
    let stage = Stage::plain(host);
    let file = stage.text("mktemp").await;
    let checked = RunOptions { sandbox: Some(true), ..RunOptions::default() };
    let _cd = stage.host.cd("/no such directory", false, false);
    let output = within("a check", stage.host.run_with(&format!("rm {file}"), &checked)).await.unwrap();
    assert_eq!(&output.stdout[..], RunOutput::SANDBOXED);
    let failed = failure(within("a check", stage.host.run_with("if then", &checked)).await);
    assert!(failed.to_string().contains("syntax") && !failed.output.stderr.is_empty(), "{failed:?}");
    drop(_cd);
    stage.text(&format!("rm {file}")).await;
}

/// Where commands run, what is there, which commands are known.
// rows: F-31 F-40 F-41 F-79
pub async fn questions(host: &Arc<dyn Host>) {
    let stage = Stage::plain(host);
    let here = &stage.host;
    let cwd = async || within("getcwd", here.getcwd()).await.unwrap().unwrap();
    let exists = async |path: &str| within(path, here.exists(path, false)).await.unwrap().unwrap();
    assert_eq!(cwd().await, stage.text("pwd").await);
    let top = stage.text("mktemp -d").await;
    let _top = here.cd(&top, false, false);
    stage.text("mkdir 'a dir' && touch 'a dir/-file' && mkfifo pipe").await;
    for (path, there) in [
        ("a dir", true),
        ("a dir/-file", true),
        ("a dir/", true),
        ("a dir/..", true),
        (top.as_str(), true),
        ("~", true),
        ("/", true),
        ("/dev/null", false),
        ("pipe", false),
        ("a", false),
        ("missing/a dir", false),
    ] {
        assert_eq!(exists(path).await, there, "{path}");
    }
    let inner = here.cd("a dir/../a dir", false, false);
    assert_eq!(cwd().await, format!("{top}/a dir"));
    assert!(exists("-file").await && !exists("a dir").await);
    let glob = here.cd("../a*", false, true);
    assert_eq!(cwd().await, format!("{top}/a dir"));
    drop((glob, inner));
    assert_eq!(within("sh", here.has_command("sh", false)).await.unwrap(), Some(true));
    assert_eq!(within("none", here.has_command("no such command", false)).await.unwrap(), Some(false));
    let failing = here.prefix("false");
    assert!(exists("a dir").await);
    assert!(here.has_command("sh", false).await.is_err(), "unknown is not false");
    drop(failing);
    assert_eq!(stage.terminal.output(), "", "questions are silent");
    stage.text(&format!("rm -r '{top}'")).await;
}

/// The login shell answers to keys, and its status is no error.
// rows: F-37
pub async fn login_shell(host: &Arc<dyn Host>) {
    let tty = Stage::tty(host);
    let operator = async {
        tty.sees("10 23").await;
        tty.terminal.type_keys("exit 5\r").await;
    };
    let shell = tty.host.start_interactive_shell(Some("echo $((2 * 5)) $((20 + 3)); tty\n"));
    let (status, ()) = tokio::join!(within("the login shell", shell), operator);
    assert_eq!(status.unwrap(), ExitStatus::Code(5));
}
