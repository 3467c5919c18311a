//! One command on one host: compose, start, forward keys and output, collect, judge the status.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use super::compose::{self, Home};
use super::drive::{self, Stop};
use super::password::Password;
use super::sudo::Marks;
use super::sudo_session::SudoSession;
use super::{Asker, ExitStatus, Host, HostContext, HostError, HostServices, Process, Reach, RunError, RunFailure};
use super::{Spawn, SpawnMode};
use crate::logger::{Event, Logger, RunEntry};
use crate::terminal::{Kind, Terminal};

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
}

impl RunIo {
    /// What [`Host`] methods need.
    pub fn reach(&self) -> Reach {
        Reach { asker: self.asker.clone(), cancel: self.cancel.clone() }
    }
}

/// Runs one command (rows F-13..F-38).
///
/// Dropping the future ends the command politely in the background.
///
/// # Errors
/// [`RunError::Failed`] for any end but status 0 unless `options.ignore_exit_status` (an unknown end is an error even
/// then), and everything that kept the command from running.
pub async fn run(
    host: &dyn Host,
    context: &HostContext,
    command: &str,
    options: &RunOptions,
    io: &RunIo,
) -> Result<RunOutput, RunError> {
    let one = OneRun::prepare(host, context, command, options, io)?;
    if options.silent {
        return one.execute().await.1;
    }
    let entry = one.entry();
    io.logger.emit(Event::RunStarted(entry.clone())).await;
    let started = Instant::now();
    let (status, result) = one.execute().await;
    io.logger.emit(Event::RunFinished { run: entry, status, elapsed: started.elapsed() }).await;
    result
}

/// A run whose parameters were found to make sense.
struct OneRun<'a> {
    host: &'a dyn Host,
    options: &'a RunOptions,
    io: &'a RunIo,
    /// The command with its prefixes.
    shown: String,
    line: String,
    sandbox: bool,
    /// The one-time texts of sudo, when it runs under sudo.
    sudo: Option<Marks>,
    /// How it is connected to the terminal of the operator.
    screen: Screen,
}

/// How a command and the terminal of the operator are connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// A PTY, keys and output forwarded.
    Pty,
    /// Pipes, keys and output forwarded: the operator's terminal is none.
    Streams,
    /// Pipes, nothing shown, nothing typed.
    Hidden,
}

impl<'a> OneRun<'a> {
    fn prepare(
        host: &'a dyn Host,
        context: &HostContext,
        command: &str,
        options: &'a RunOptions,
        io: &'a RunIo,
    ) -> Result<OneRun<'a>, RunError> {
        let usage = |message: String| RunError::Usage { host: host.definition().slug().to_string(), message };
        let sandbox = options.sandbox.unwrap_or(io.sandbox);
        let interactive = options.interactive && !options.silent;
        if options.initial_input.is_some() && !interactive {
            return Err(usage("initial_input needs an interactive run".to_string()));
        }
        if options.user.is_some() && !options.use_sudo {
            return Err(usage("user is for sudo: set use_sudo too".to_string()));
        }
        if options.user.as_deref().is_some_and(|user| user.is_empty() || user.contains('\0')) {
            return Err(usage("the user for sudo has no name".to_string()));
        }
        let screen = match io.terminal.kind() {
            _ if !interactive || sandbox => Screen::Hidden,
            Kind::Tty => Screen::Pty,
            Kind::Plain => Screen::Streams,
        };
        let sudo = (options.use_sudo && !sandbox).then(Marks::new);
        let home = if sudo.is_some() { Home::Argument } else { Home::Variable };
        let line = compose::compose(context, &io.terminal.term(), command, home).map_err(usage)?;
        let line = match &sudo {
            Some(marks) => marks.line(&line, options.user.as_deref(), screen == Screen::Pty),
            None if sandbox => compose::syntax_check(&line),
            None => line.text,
        };
        Ok(OneRun { host, options, io, shown: compose::shown(context, command), line, sandbox, sudo, screen })
    }

    fn entry(&self) -> RunEntry {
        RunEntry {
            host: self.slug(),
            command: self.shown.clone(),
            use_sudo: self.options.use_sudo,
            sandbox: self.sandbox,
            interactive: self.screen == Screen::Pty,
        }
    }

    fn slug(&self) -> String {
        self.host.definition().slug().to_string()
    }

    /// The status is that of the process, when there was one and its end was seen.
    async fn execute(&self) -> (Option<ExitStatus>, Result<RunOutput, RunError>) {
        let ended = match self.start().await {
            Ok(process) => drive::drive(process, self.screen, self.sudo_session(), self.options, self.io).await,
            Err(HostError::Interrupted { .. }) => return (None, Err(self.interrupted(true))),
            Err(error) => return (None, Err(error.into())),
        };
        let status = ended.output.status.clone();
        let certain = !matches!(status, ExitStatus::Unknown(_));
        let result = match ended.stopped {
            Some(Stop::Cancelled) => Err(self.interrupted(certain)),
            Some(Stop::TimedOut(limit)) => {
                let reason = format!("stopped after {} s, as its timeout says", limit.as_secs_f64());
                Err(self.failure(ended.output, Some(reason)))
            }
            // Nothing of the command ran, so this is no end of it that could be ignored.
            Some(Stop::Refused(reason)) => return (None, Err(HostError::Refused { host: self.slug(), reason }.into())),
            None => self.judge(ended.output),
        };
        (Some(status), result)
    }

    fn sudo_session(&self) -> Option<SudoSession> {
        let (host, asker, services) = (self.host.definition().clone(), self.io.asker.clone(), self.io.services.clone());
        let password = Password { host, asker, services };
        self.sudo.as_ref().map(|marks| SudoSession::new(marks, password, self.screen == Screen::Pty))
    }

    async fn start(&self) -> Result<Process, HostError> {
        if self.io.cancel.is_cancelled() {
            return Err(HostError::Interrupted { host: self.slug() });
        }
        let mode = match self.screen {
            Screen::Pty => SpawnMode::Pty { size: *self.io.terminal.size().borrow(), term: self.io.terminal.term() },
            Screen::Streams | Screen::Hidden => SpawnMode::Piped,
        };
        self.host.spawn(Spawn { line: Some(self.line.clone()), mode }, &self.io.reach()).await
    }

    fn judge(&self, output: RunOutput) -> Result<RunOutput, RunError> {
        let judged = match &output.status {
            ExitStatus::Unknown(_) => false,
            status => status.success() || (self.options.ignore_exit_status && !self.sandbox),
        };
        match judged {
            false => Err(self.failure(output, self.sandbox.then(|| "wrong syntax".to_string()))),
            true if self.sandbox => Ok(RunOutput { stdout: Bytes::from_static(RunOutput::SANDBOXED), ..output }),
            true => Ok(output),
        }
    }

    fn failure(&self, output: RunOutput, reason: Option<String>) -> RunError {
        RunError::Failed(Arc::new(RunFailure {
            host: self.slug(),
            command: self.shown.clone(),
            use_sudo: self.options.use_sudo,
            status: output.status.clone(),
            reason,
            output: Arc::new(output),
        }))
    }

    fn interrupted(&self, certain: bool) -> RunError {
        RunError::Interrupted { host: self.slug(), command: self.shown.clone(), certain }
    }
}
