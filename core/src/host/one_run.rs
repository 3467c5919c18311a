//! One run from its parameters to its result: checked, started, accompanied, judged.

use std::sync::Arc;

use bytes::Bytes;
use tokio_util::task::AbortOnDropHandle;

use super::compose::{self, Home, Line};
use super::drive;
use super::driven::{Ended, Stop};
use super::password::Password;
use super::sudo::Marks;
use super::sudo_session::SudoSession;
use super::{ExitStatus, Host, HostContext, HostError, RunError, RunFailure, RunIo, RunOptions, RunOutput};
use super::{Spawn, SpawnMode};
use crate::logger::RunEntry;
use crate::terminal::Kind;

/// A run whose parameters were found to make sense.
pub(crate) struct OneRun<'a> {
    host: &'a dyn Host,
    options: &'a RunOptions,
    io: &'a RunIo,
    /// The command with its prefixes.
    shown: String,
    what: What,
    connection: Connection,
}

/// What is started.
enum What {
    /// This, as the login user.
    Plain(Line),
    /// This, under sudo.
    Sudo(Line),
    /// Only the check of its syntax.
    Check(Line),
    /// The login shell.
    LoginShell,
}

/// How a command is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Connection {
    /// To a PTY; to pipes otherwise.
    pub(crate) pty: bool,
    /// To the operator: output is shown, keys and sizes are handed on.
    pub(crate) operator: bool,
}

/// What interrupted a command.
enum By {
    /// The operator, at the command itself.
    CtrlC,
    /// The end of the whole run.
    Run { certain: bool },
}

/// The status of a process that was started and whose end was seen, and what the run comes to.
pub(crate) type Executed = (Option<ExitStatus>, Result<RunOutput, RunError>);

impl<'a> OneRun<'a> {
    /// Checks the parameters and composes the line.
    pub(crate) fn prepare(
        host: &'a dyn Host,
        context: &HostContext,
        command: &str,
        options: &'a RunOptions,
        io: &'a RunIo,
    ) -> Result<OneRun<'a>, RunError> {
        let usage = |message: String| RunError::Usage { host: host.definition().slug().to_string(), message };
        let sandbox = options.sandbox.unwrap_or(io.sandbox);
        let interactive = options.interactive && !options.silent;
        check(options, interactive).map_err(|message| usage(message.to_string()))?;
        let home = if options.use_sudo && !sandbox { Home::Argument } else { Home::Variable };
        let line = compose::compose(context, &io.terminal.term(), command, home).map_err(usage)?;
        let what = match options.use_sudo {
            _ if sandbox => What::Check(line),
            true => What::Sudo(line),
            false => What::Plain(line),
        };
        let operator = interactive && !sandbox;
        let connection = Connection { pty: operator && io.terminal.kind() == Kind::Tty, operator };
        Ok(OneRun { host, options, io, shown: compose::shown(context, command), what, connection })
    }

    /// A run of the login shell.
    pub(crate) fn login_shell(host: &'a dyn Host, options: &'a RunOptions, io: &'a RunIo) -> OneRun<'a> {
        let connection = Connection { pty: io.terminal.kind() == Kind::Tty, operator: true };
        OneRun { host, options, io, shown: "(login shell)".to_string(), what: What::LoginShell, connection }
    }

    /// How the log names it.
    pub(crate) fn entry(&self) -> RunEntry {
        RunEntry {
            node: self.io.node.to_string(),
            host: self.slug(),
            command: self.shown.clone(),
            use_sudo: self.options.use_sudo,
            sandbox: self.sandbox(),
            interactive: self.connection.operator && self.connection.pty,
        }
    }

    fn slug(&self) -> String {
        self.host.definition().slug().to_string()
    }

    fn sandbox(&self) -> bool {
        matches!(self.what, What::Check(_))
    }

    /// Runs it.
    pub(crate) async fn execute(&self) -> Executed {
        let ended = match self.attempt(self.connection).await {
            // sudo wants a terminal (requiretty) and has not begun: the same again with one.
            Ok(Ended { stopped: Some(Stop::Refused { wants_terminal: true, .. }), .. }) if !self.connection.pty => {
                self.attempt(Connection { pty: true, ..self.connection }).await
            }
            ended => ended,
        };
        match ended {
            Ok(ended) => self.result(ended),
            Err(HostError::Interrupted { .. }) => (None, Err(self.interrupted(By::Run { certain: true }))),
            Err(error) => (None, Err(error.into())),
        }
    }

    async fn attempt(&self, connection: Connection) -> Result<Ended, HostError> {
        if self.io.cancel.is_cancelled() {
            return Err(HostError::Interrupted { host: self.slug() });
        }
        let (line, sudo) = self.line(connection);
        let mode = match connection.pty {
            true => SpawnMode::Pty { size: *self.io.terminal.size().borrow(), term: self.io.terminal.term() },
            false => SpawnMode::Piped,
        };
        let unattended = !connection.operator && !connection.pty && sudo.is_none();
        let served_on = if connection.operator { self.io.terminal.served_on() } else { None };
        let spawn = Spawn { line, mode, unattended, served_on: served_on.clone() };
        let process = self.host.spawn(spawn, &self.io.reach()).await?;
        let Some(runtime) = served_on else {
            return Ok(drive::drive(process, connection, sudo, self.options, self.io).await);
        };
        let (options, io) = (self.options.clone(), self.io.clone());
        let driving = runtime.spawn(async move { drive::drive(process, connection, sudo, &options, &io).await });
        match AbortOnDropHandle::new(driving).await {
            Ok(ended) => Ok(ended),
            // A bug in it is one here; nobody else ends it while it is awaited, unless the process ends.
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(HostError::Interrupted { host: self.slug() }),
            },
        }
    }

    fn line(&self, connection: Connection) -> (Option<String>, Option<SudoSession>) {
        match &self.what {
            What::LoginShell => (None, None),
            What::Plain(line) => (Some(line.text.clone()), None),
            What::Check(line) => (Some(compose::syntax_check(line)), None),
            What::Sudo(line) => {
                let marks = Marks::new();
                // A PTY that only sudo wanted is to look like pipes to who reads the output.
                let quiet = connection.pty && !self.connection.pty;
                let text = marks.line(line, self.options.user.as_deref(), connection.pty, quiet);
                let host = self.host.definition().clone();
                let password = Password { host, asker: self.io.asker.clone(), services: self.io.services.clone() };
                (Some(text), Some(SudoSession::new(&marks, password, connection.pty)))
            }
        }
    }

    fn result(&self, ended: Ended) -> Executed {
        let status = ended.output.status.clone();
        let certain = !matches!(status, ExitStatus::Unknown(_));
        let result = match ended.stopped {
            Some(Stop::Cancelled) => Err(self.interrupted(By::Run { certain })),
            Some(Stop::TimedOut(limit)) => {
                let reason = format!("stopped after {} s, as its timeout says", limit.as_secs_f64());
                Err(self.failure(ended.output, Some(reason)))
            }
            // Nothing of the command ran, so this is no end of it that could be ignored.
            Some(Stop::Refused { reason, .. }) => {
                return (None, Err(HostError::Refused { host: self.slug(), reason }.into()));
            }
            // Whoever ignores how a command ends also ignores this end.
            Some(Stop::CtrlC) if !self.options.ignore_exit_status => Err(self.interrupted(By::CtrlC)),
            Some(Stop::CtrlC) | None => self.judge(ended.output),
        };
        (Some(status), result)
    }

    fn judge(&self, output: RunOutput) -> Result<RunOutput, RunError> {
        match (&output.status, self.sandbox()) {
            (ExitStatus::Code(0), true) => {
                Ok(RunOutput { stdout: Bytes::from_static(RunOutput::SANDBOXED), shown: false, ..output })
            }
            (ExitStatus::Code(0), false) => Ok(output),
            (ExitStatus::Unknown(_) | ExitStatus::CutOff { .. }, _) => Err(self.failure(output, None)),
            (_, true) => Err(self.failure(output, Some("wrong syntax".to_string()))),
            (_, false) if self.options.ignore_exit_status => Ok(output),
            (_, false) => Err(self.failure(output, None)),
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

    fn interrupted(&self, by: By) -> RunError {
        let (certain, by_key) = match by {
            By::CtrlC => (true, true),
            By::Run { certain } => (certain, false),
        };
        RunError::Interrupted { host: self.slug(), command: self.shown.clone(), certain, by_key }
    }
}

fn check(options: &RunOptions, interactive: bool) -> Result<(), &'static str> {
    let nameless = |user: &str| user.is_empty() || user.contains('\0');
    if options.initial_input.is_some() && !interactive {
        return Err("initial_input needs an interactive run");
    }
    if options.user.is_some() && !options.use_sudo {
        return Err("user is for sudo: set use_sudo too");
    }
    if options.user.as_deref().is_some_and(nameless) {
        return Err("the user for sudo has no name");
    }
    Ok(())
}
