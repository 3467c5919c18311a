//! Commands, with what is special about one said after it: `hosts.run("id").interactive(false)`.

use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::env::ActionError;
use crate::host::{HostContainer, HostsContainer, RunError, RunOptions, RunOutput};

/// Where a command can run: all hosts of a container, or one.
pub trait Runs {
    /// What comes back: one output, or one for each host in their order.
    type Output: Send;

    /// Runs a command.
    fn run_command<'a>(
        &'a self,
        command: &'a str,
        options: &'a RunOptions,
    ) -> BoxFuture<'a, Result<Self::Output, RunError>>;
}

impl Runs for HostsContainer {
    type Output = Vec<Arc<RunOutput>>;

    fn run_command<'a>(
        &'a self,
        command: &'a str,
        options: &'a RunOptions,
    ) -> BoxFuture<'a, Result<Self::Output, RunError>> {
        Box::pin(self.run_with(command, options))
    }
}

impl Runs for HostContainer {
    type Output = Arc<RunOutput>;

    fn run_command<'a>(
        &'a self,
        command: &'a str,
        options: &'a RunOptions,
    ) -> BoxFuture<'a, Result<Self::Output, RunError>> {
        Box::pin(self.run_with(command, options))
    }
}

/// A command that has not been run: await it.
#[must_use = "a command runs when it is awaited"]
#[derive(Debug)]
pub struct Run<H> {
    hosts: H,
    command: String,
    options: RunOptions,
}

impl HostsContainer {
    /// A command for every distinct host (rows F-13, F-75): `env.hosts().run("uptime").interactive(false).await?`.
    /// Awaiting it gives the outputs in host order, or what [`HostsContainer::run_with`] raises.
    pub fn run(&self, command: impl Into<String>) -> Run<HostsContainer> {
        Run { hosts: self.clone(), command: command.into(), options: RunOptions::default() }
    }

    /// The same as root (row F-18).
    pub fn sudo(&self, command: impl Into<String>) -> Run<HostsContainer> {
        self.run(command).sudo()
    }
}

impl HostContainer {
    /// A command for the host (row F-13). Awaiting it gives the output, or what [`HostContainer::run_with`] raises.
    pub fn run(&self, command: impl Into<String>) -> Run<HostContainer> {
        Run { hosts: self.clone(), command: command.into(), options: RunOptions::default() }
    }

    /// The same as root (row F-18).
    pub fn sudo(&self, command: impl Into<String>) -> Run<HostContainer> {
        self.run(command).sudo()
    }
}

impl<H> Run<H> {
    fn set(mut self, change: impl FnOnce(&mut RunOptions)) -> Run<H> {
        change(&mut self.options);
        self
    }

    /// With a terminal, keys and live output, or without (row F-15).
    pub fn interactive(self, interactive: bool) -> Run<H> {
        self.set(|options| options.interactive = interactive)
    }

    /// As root (row F-18).
    pub fn sudo(self) -> Run<H> {
        self.set(|options| options.use_sudo = true)
    }

    /// As this user, by way of sudo (row F-20).
    pub fn user(self, user: &str) -> Run<H> {
        self.sudo().set(|options| options.user = Some(user.to_string()))
    }

    /// A status other than 0 is no error (row F-28).
    pub fn ignore_exit_status(self) -> Run<H> {
        self.set(|options| options.ignore_exit_status = true)
    }

    /// Neither logged nor shown (row F-31).
    pub fn silent(self) -> Run<H> {
        self.set(|options| options.silent = true)
    }

    /// Only checked, or run even in a sandbox (row F-24).
    pub fn sandbox(self, sandbox: bool) -> Run<H> {
        self.set(|options| options.sandbox = Some(sandbox))
    }

    /// Typed for the user once the command has started (row F-17).
    pub fn initial_input(self, input: &str) -> Run<H> {
        self.set(|options| options.initial_input = Some(input.to_string()))
    }

    /// Ended after this time, as a failure.
    pub fn timeout(self, timeout: Duration) -> Run<H> {
        self.set(|options| options.timeout = Some(timeout))
    }
}

impl<H: Runs + Send + Sync + 'static> IntoFuture for Run<H> {
    type Output = Result<H::Output, ActionError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Ok(self.hosts.run_command(&self.command, &self.options).await?) })
    }
}
