//! One command on one host: compose, start, forward keys and output, collect, judge the status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::one_run::OneRun;
use super::{Asker, ExitStatus, Host, HostContext, HostServices, Reach, RunError};
use crate::console::asker_on;
use crate::logger::{Event, Logger, RunEntry};
use crate::terminal::Terminal;

/// How a command is run; the last table of `run(cmd, { ... })` in a deployment file.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// With a PTY, keys forwarded, output live (row F-15). Default true.
    pub interactive: bool,
    /// As root, or as `user` (rows F-18..F-21).
    pub use_sudo: bool,
    /// The user for sudo; root when absent.
    pub user: Option<String>,
    /// A status other than 0 is no error (row F-28).
    pub ignore_exit_status: bool,
    /// Neither logged nor shown (row F-31); implies not interactive.
    pub silent: bool,
    /// Only check the syntax (row F-24); `None` follows the Env.
    pub sandbox: Option<bool>,
    /// Typed for the user once the command has started (row F-17); only with `interactive`.
    pub initial_input: Option<String>,
    /// Ends the command after this time, as a failure.
    pub timeout: Option<Duration>,
}

impl Default for RunOptions {
    fn default() -> RunOptions {
        RunOptions {
            interactive: true,
            use_sudo: false,
            user: None,
            ignore_exit_status: false,
            silent: false,
            sandbox: None,
            initial_input: None,
            timeout: None,
        }
    }
}

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOutput {
    /// Standard output; with a PTY everything, line ends as the PTY made them.
    pub stdout: Bytes,
    /// Standard error; empty with a PTY.
    pub stderr: Bytes,
    /// How it ended.
    pub status: ExitStatus,
    /// Set when output was longer than [`RunOutput::MAX`]: the beginning was dropped, this many bytes of it.
    pub dropped: u64,
    /// Whether the operator has seen it already, while it ran: the shell does not print it a second time.
    pub shown: bool,
}

impl RunOutput {
    /// Bytes kept per stream; longer output is shown in full, returned from its end.
    pub const MAX: usize = 16 * 1024 * 1024;

    /// What every sandboxed run returns as its standard output (row F-24).
    pub const SANDBOXED: &[u8] = b"Sandboxed: not run, the syntax is right.";

    /// Standard output as text, with the last line end removed.
    pub fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.stdout);
        text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(&text).to_string()
    }

    /// The last `count` lines of what was printed, stderr preferred when there is any; for failure summaries.
    pub fn last_lines(&self, count: usize) -> Vec<String> {
        let bytes = if self.stderr.is_empty() { &self.stdout } else { &self.stderr };
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(count)..].iter().map(|line| line.to_string()).collect()
    }
}

/// Everything around a run that is not the command: where it shows, who is asked, what may stop it.
#[derive(Clone)]
pub struct RunIo {
    /// Where output goes and keys come from.
    pub terminal: Arc<dyn Terminal>,
    /// Who is told.
    pub logger: Logger,
    /// Who answers questions.
    pub asker: Arc<dyn Asker>,
    /// Ends the run.
    pub cancel: CancellationToken,
    /// Connections.
    pub services: Arc<HostServices>,
    /// Only check syntax (row F-24).
    pub sandbox: bool,
    /// Dotted path of the node whose hosts these are; empty outside of a tree.
    pub node: Arc<str>,
}

impl RunIo {
    /// What [`Host`] methods need.
    pub fn reach(&self) -> Reach {
        Reach { asker: self.asker.clone(), cancel: self.cancel.clone() }
    }

    /// The same for one of several hosts, on a terminal of its own.
    pub(super) fn on(&self, terminal: Arc<dyn Terminal>, label: &str) -> RunIo {
        let asker = asker_on(&terminal, &self.asker);
        RunIo { logger: self.logger.branch(terminal.clone(), label), asker, terminal, ..self.clone() }
    }
}

/// Runs one command (rows F-13..F-38).
///
/// Dropping the future ends the command politely in the background.
///
/// # Errors
/// [`RunError::Failed`] for any end but status 0 unless `options.ignore_exit_status` (an unknown end, and one
/// whose output did not all arrive, is an error even then), and everything that kept the command from running.
pub async fn run(
    host: &dyn Host,
    context: &HostContext,
    command: &str,
    options: &RunOptions,
    io: &RunIo,
) -> Result<RunOutput, RunError> {
    let one = OneRun::prepare(host, context, command, options, io)?;
    if options.silent {
        return unseen(&one, io).await;
    }
    logged(&one, io).await
}

/// The login shell of the host in the terminal of `io`, until it ends (row F-37). No status of it is an error; in a
/// sandbox there is only a notice.
///
/// # Errors
/// When it could not be started, and when it was interrupted.
pub async fn login_shell(host: &dyn Host, initial_input: Option<&str>, io: &RunIo) -> Result<ExitStatus, RunError> {
    let slug = host.definition().slug();
    if io.sandbox {
        io.logger.emit(Event::Message(format!("{slug}: no login shell in a sandbox"))).await;
        return Ok(ExitStatus::Code(0));
    }
    let initial_input = initial_input.map(str::to_string);
    let options = RunOptions { initial_input, ignore_exit_status: true, ..RunOptions::default() };
    let shell = OneRun::login_shell(host, &options, io);
    logged(&shell, io).await.map(|output| output.status)
}

async fn logged(one: &OneRun<'_>, io: &RunIo) -> Result<RunOutput, RunError> {
    let entry = one.entry();
    io.logger.emit(Event::RunStarted(entry.clone())).await;
    let started = Instant::now();
    let (status, result) = one.execute().await;
    let by_key = matches!(result, Err(RunError::Interrupted { by_key: true, .. }));
    io.logger.emit(Event::RunFinished { run: entry, status, by_key, elapsed: started.elapsed() }).await;
    result
}

/// Neither logged nor shown (row F-31); that something ran where is told all the same, without saying what.
async fn unseen(one: &OneRun<'_>, io: &RunIo) -> Result<RunOutput, RunError> {
    let started = Instant::now();
    let (status, result) = one.execute().await;
    let run = RunEntry { command: String::new(), ..one.entry() };
    io.logger.emit(Event::RanUnseen { run, status, elapsed: started.elapsed() }).await;
    result
}
