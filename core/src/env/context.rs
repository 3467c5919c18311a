//! What surrounds a run.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{Gate, OpenGate};
use crate::console::asker_on;
use crate::host::ssh::SshOptions;
use crate::host::{Asker, HostServices, NobodyToAsk, RunIo};
use crate::logger::{Logger, ScreenLogger};
use crate::terminal::Terminal;
use crate::terminal::scripted::ScriptedTerminal;
use crate::terminal::stdio::StdioTerminal;

/// What surrounds a run: everything an Env hands down to the Envs reached from it.
#[derive(Clone)]
pub struct RunContext {
    /// Where things show and keys come from.
    pub terminal: Arc<dyn Terminal>,
    /// Who is told what happens.
    pub logger: Logger,
    /// Who answers questions; shared by all isolations of a run that have no keyboard of their own.
    pub asker: Arc<dyn Asker>,
    /// Connections.
    pub services: Arc<HostServices>,
    /// Commands are only checked, not run (row E-08).
    pub sandbox: bool,
    /// Ends the run: Ctrl-C, session ended, daemon stopping. Isolations have child tokens.
    pub cancel: CancellationToken,
    /// How many isolations run at once; `None`: all (`--parallel N`).
    pub parallel_limit: Option<usize>,
    /// Who may act where.
    pub gate: Arc<dyn Gate>,
}

impl RunContext {
    /// For programs that use nodes as a library: a terminal in memory, nobody listens, nobody to ask, no sandbox (row
    /// E-01). Each context has connections of its own.
    pub fn quiet() -> RunContext {
        let terminal: Arc<dyn Terminal> = ScriptedTerminal::new();
        RunContext {
            logger: Logger::new(Vec::new(), terminal.clone()),
            terminal,
            asker: Arc::new(NobodyToAsk),
            services: HostServices::new(SshOptions::default()),
            sandbox: false,
            cancel: CancellationToken::new(),
            parallel_limit: None,
            gate: Arc::new(OpenGate),
        }
    }

    /// For programs that act on their own standard input and output: with a log there, TERM from the environment,
    /// nobody to ask, no sandbox (row E-03). The terminal is left as it is while no command wants keys. Needs a tokio
    /// runtime with I/O.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn of_process() -> io::Result<RunContext> {
        let terminal: Arc<dyn Terminal> = StdioTerminal::borrow()?;
        let colour = std::env::var_os("NO_COLOR").is_none();
        let agent = std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from);
        Ok(RunContext {
            logger: Logger::new(vec![ScreenLogger::new(terminal.clone(), colour)], terminal.clone()),
            terminal,
            services: HostServices::new(SshOptions { agent, ..SshOptions::default() }),
            ..RunContext::quiet()
        })
    }

    /// What commands of this run need.
    pub fn io(&self) -> RunIo {
        RunIo {
            terminal: self.terminal.clone(),
            logger: self.logger.clone(),
            asker: self.asker.clone(),
            cancel: self.cancel.clone(),
            services: self.services.clone(),
            sandbox: self.sandbox,
            node: "".into(),
        }
    }

    /// The same for one isolation on a terminal of its own. Where that has a keyboard, its questions are asked there.
    pub(super) fn on(&self, terminal: Arc<dyn Terminal>, label: &str) -> RunContext {
        let logger = self.logger.branch(terminal.clone(), label);
        let asker = asker_on(&terminal, &self.asker);
        RunContext { terminal, logger, asker, cancel: self.cancel.child_token(), ..self.clone() }
    }
}
