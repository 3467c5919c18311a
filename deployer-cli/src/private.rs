//! The daemon of `run`: this very program, started once more in the background.
//!
//! Starter and daemon talk over the daemon's standard input and output until it is ready: one line of JSON says where
//! it listens or why it cannot, so nobody waits for time to pass and no error is lost (row W-45). As long as the starter
//! holds the other end of its standard input the daemon waits for it; if the starter dies before it is attached, the
//! daemon ends (row Q-12).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use deployerd::socket::BoundSocket;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::args;
use crate::failure::Failure;

/// Name of the hidden verb.
const VERB: &str = "private-daemon";

/// Longest line that a starting daemon may say, in bytes.
const REPORT_MAX: u64 = 64 * 1024;

/// What the starter says when it is attached.
const ATTACHED: u8 = b'1';

/// How long the end of a daemon without clients is waited for.
const END_LIMIT: Duration = Duration::from_secs(1);

/// What a starting daemon says.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Report {
    /// It listens there.
    Ready(PathBuf),
    /// It cannot, with this exit status.
    Failed { status: u8, message: String },
}

/// A private daemon that is ready.
#[derive(Debug)]
pub(crate) struct Started {
    /// Where it listens.
    pub(crate) socket: PathBuf,
    lifeline: ChildStdin,
    said: ChildStdout,
}

/// A private daemon that has its first client: it ends with its last one.
#[derive(Debug)]
pub(crate) struct Serving(ChildStdout);

impl Started {
    /// Its first client is attached.
    pub(crate) fn attached(mut self) -> Serving {
        // If it is gone already, the connection says so.
        let _ = self.lifeline.write_all(&[ATTACHED]);
        Serving(self.said)
    }
}

impl Serving {
    /// Waits until it has ended, so that its socket is gone when the program that started it returns. Not for long: it
    /// may have other clients.
    pub(crate) async fn ended(self) {
        let end = tokio::task::spawn_blocking(move || {
            // It says nothing any more: this is the end of its process.
            let Serving(mut said) = self;
            let _ = io::copy(&mut said, &mut io::sink());
        });
        let _ = tokio::time::timeout(END_LIMIT, end).await;
    }
}

/// Starts a daemon of our own and waits until it is ready.
///
/// # Errors
/// What the daemon says: an unusable deployment file (exit status 2), no free socket.
pub(crate) fn start(file: Option<&Path>, serving: &args::Serving, interactive: bool) -> Result<Started, Failure> {
    let cannot = |error: io::Error| {
        Failure::daemon(format!("cannot start a daemon for this run: {error}; `deployer run -s` does without one"))
    };
    let mut child = spawn(&arguments(file, serving, interactive)).map_err(cannot)?;
    let (Some(lifeline), Some(mut said)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(cannot(io::Error::other("it has no pipes")));
    };
    let mut line = String::new();
    BufReader::new((&mut said).take(REPORT_MAX)).read_line(&mut line).map_err(cannot)?;
    match serde_json::from_str(&line) {
        Ok(Report::Ready(socket)) => Ok(Started { socket, lifeline, said }),
        Ok(Report::Failed { status, message }) => Err(Failure { status, message }),
        Err(_) => {
            let status = child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            Err(Failure::daemon(format!(
                "the daemon of this run ended before it was ready ({status}); give it --log FILE to see why"
            )))
        }
    }
}

fn arguments(file: Option<&Path>, serving: &args::Serving, interactive: bool) -> Vec<std::ffi::OsString> {
    let mut arguments = Vec::new();
    if let Some(file) = file {
        arguments.extend(["-f".into(), file.into()]);
    }
    arguments.push(VERB.into());
    if let Some(log) = &serving.log {
        arguments.extend(["--log".into(), log.into()]);
    }
    for (name, value) in serving.settings().iter() {
        arguments.extend(["--option".into(), format!("{name}={value}").into()]);
    }
    if !interactive {
        arguments.push("--non-interactive".into());
    }
    arguments
}

fn spawn(arguments: &[std::ffi::OsString]) -> io::Result<std::process::Child> {
    let start = |program: &Path| {
        Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()
    };
    // The path is stale when the program was upgraded a moment ago; the kernel still knows the file.
    start(&std::env::current_exe()?).or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => start(Path::new("/proc/self/exe")),
        _ => Err(error),
    })
}

/// Tells the starter how it went. In the daemon.
///
/// # Errors
/// When the starter is gone.
pub(crate) fn report(outcome: Result<&BoundSocket, &Failure>) -> Result<(), Failure> {
    let report = match outcome {
        Ok(socket) => Report::Ready(socket.path.clone()),
        Err(Failure { status, message }) => Report::Failed { status: *status, message: message.clone() },
    };
    let text = serde_json::to_string(&report).map_err(|error| Failure::other(error.to_string()))?;
    let mut stdout = io::stdout();
    let said = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    said.map_err(|error| Failure::daemon(format!("whoever started this daemon is gone: {error}")))
}

/// Cancels `stop` if the starter dies before it is attached. In the daemon.
///
/// # Errors
/// When the thread cannot be started.
pub(crate) fn watch_starter(stop: CancellationToken) -> io::Result<()> {
    std::thread::Builder::new().name("starter".to_string()).spawn(move || {
        let mut said = [0; 1];
        match io::stdin().lock().read_exact(&mut said) {
            Ok(()) if said == [ATTACHED] => {}
            _ => stop.cancel(),
        }
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser;

    #[test]
    fn the_daemon_understands_what_it_is_told() {
        let serving = args::Serving {
            log: Some("/tmp/a b.log".into()),
            parallel: Some(3),
            options: vec!["keep-panes-open=on".parse().unwrap()],
        };
        let words = arguments(Some(Path::new("/srv/deploy.lua")), &serving, false);
        let cli = Cli::try_parse_from([vec!["deployer".into()], words].concat()).unwrap();
        assert_eq!(cli.file, Some("/srv/deploy.lua".into()));
        let Command::PrivateDaemon(daemon) = cli.command else { panic!() };
        assert!(daemon.non_interactive);
        assert_eq!((&daemon.serving.log, daemon.serving.settings()), (&serving.log, serving.settings()));
        assert_eq!(serving.settings().iter().count(), 2);
    }

    #[test]
    fn a_report_survives_any_text() {
        for report in [
            Report::Ready("/run/user/1000/deployer/0.sock".into()),
            Report::Failed { status: 2, message: "deploy.lua:3: expected '}'\nnear \"x\"".to_string() },
        ] {
            let text = serde_json::to_string(&report).unwrap();
            assert!(!text.contains('\n'));
            assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        }
    }
}
