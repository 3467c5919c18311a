//! How the shell runs one action: asks whether it may, gives it a terminal, and watches over it until it ends or is left.

use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::jobs::{Done, Ended, Job, Performance};
use super::new_window;
use super::run::{INTERRUPTED, Shell};
use super::screen::Screen;
use super::supervise::{End, HotKey};
use super::target::Target;
use super::{Admitted, Wished};
use crate::console::Console;
use crate::env::{ActionError, Cause, Env, RunContext};
use crate::logger::{Event, Listener, Logger};
use crate::terminal::{JobTerminal, Kind, Terminal};

/// What an action finds around it in the shell.
pub(super) struct Surroundings {
    /// Where it can be left, its terminal.
    pub(super) job: Option<Arc<dyn JobTerminal>>,
    pub(super) screen: Arc<Screen>,
    /// The same, as others see it.
    pub(super) terminal: Arc<dyn Terminal>,
    pub(super) asker: Arc<Console>,
    pub(super) logger: Logger,
}

impl Shell {
    /// Runs an action and shows its result.
    pub(super) async fn act(&mut self, target: Target, sandbox: bool) -> io::Result<Done> {
        let node = target.node.to_string();
        let wished = Wished { node: &node, action: &target.name, parameters: &target.parameters, sandbox };
        let admitted = match self.session.overseer.begin(wished).await {
            Ok(admitted) => admitted,
            Err(why) => return Ok(Done { status: self.forbid(why).await, subshell: None }),
        };
        let around = match self.session.action {
            None => self.own_surroundings(&admitted),
            Some(_) => self.surroundings(&admitted),
        };
        let cancel = self.session.cancel.child_token();
        let env = Env::new(target.node.clone(), self.context(&around, &cancel, sandbox, &admitted));
        let title = target.shown();
        let performance = Performance {
            running: self.running.begin(title.clone()),
            ended: Ended::new(admitted.ended),
            env,
            target,
            screen: around.screen.clone(),
            logger: around.logger.clone(),
            subshells: self.session.action.is_none(),
        };
        if self.screen.kind() == Kind::Plain {
            return performance.run().await;
        }
        self.in_front(Job::begin(title, performance, cancel, around)).await
    }

    /// Watches over an action until it ends or is left.
    pub(super) async fn in_front(&mut self, mut job: Job) -> io::Result<Done> {
        let hot = self.new_window_key();
        loop {
            match job.watch(hot.as_ref()).await {
                Some(End::Itself(done)) => return done,
                Some(End::Stopped) => return job.stop().await,
                None if self.jobs.is_full() => {
                    self.screen.print_talk("no more can be left: 'jobs' lists what runs in the background\n").await?;
                }
                None => {
                    job.put_behind().await?;
                    let said = self.jobs.add(job, &self.terminal);
                    self.screen.print_talk(&said).await?;
                    return Ok(Done { status: 0, subshell: None });
                }
            }
        }
    }

    /// Nothing may run now; the exit status.
    pub(super) async fn forbid(&self, why: String) -> i32 {
        let error = ActionError::new(Cause::Forbidden(why));
        let status = error.exit_code();
        self.logger.emit(Event::Failed(error)).await;
        status
    }

    /// A terminal of its own where there is such a thing.
    fn own_surroundings(&self, admitted: &Admitted) -> Surroundings {
        let Some(job) = self.session.terminal.job() else { return self.surroundings(admitted) };
        let inner: Arc<dyn Terminal> = job.clone();
        let screen = Screen::new(inner, false);
        let terminal: Arc<dyn Terminal> = screen.clone();
        let log: Arc<dyn Listener> = self.log.on(terminal.clone());
        let listeners = [log].into_iter().chain(self.session.listeners.iter().cloned());
        let listeners = listeners.chain(admitted.listeners.iter().cloned()).collect();
        let logger = Logger::new(listeners, terminal.clone()).action();
        Surroundings { job: Some(job), asker: self.asker.elsewhere(terminal.clone()), screen, terminal, logger }
    }

    /// The shell's own terminal.
    pub(super) fn surroundings(&self, admitted: &Admitted) -> Surroundings {
        let logger = admitted.listeners.iter().cloned().fold(self.logger.action(), |logger, one| logger.with(one));
        let (screen, terminal, asker) = (self.screen.clone(), self.terminal.clone(), self.asker.clone());
        Surroundings { job: None, screen, terminal, asker, logger }
    }

    pub(super) fn context(
        &self,
        around: &Surroundings,
        cancel: &CancellationToken,
        sandbox: bool,
        admitted: &Admitted,
    ) -> RunContext {
        RunContext {
            terminal: around.terminal.clone(),
            logger: around.logger.clone(),
            asker: around.asker.clone(),
            services: self.session.services.clone(),
            sandbox,
            cancel: cancel.clone(),
            parallel_limit: self.session.options.parallel(),
            gate: admitted.gate.clone(),
        }
    }

    /// Row Q-15, while code of an action runs.
    fn new_window_key(&self) -> Option<HotKey> {
        let new = new_window::Opener::of(&self.state, &self.screen)?;
        let byte = self.session.options.new_window_key()?.byte();
        Some(HotKey { byte, pressed: Box::new(move || new.open()) })
    }
}

/// The exit status of an action that was stopped.
pub(super) async fn stopped(logger: &Logger) -> i32 {
    logger.emit(Event::Failed(ActionError::new(Cause::Interrupted))).await;
    INTERRUPTED
}
