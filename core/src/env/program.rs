//! Nodes used by a program of its own, on the terminal of its process (rows E-03, E-28).

use std::io;
use std::pin::pin;

use tokio::runtime::{Builder, Handle};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{ActionError, Cause, Env, RunContext};
use crate::define::IntoRoot;
use crate::node::Node;

impl Env {
    /// An Env on the process's own standard input and output: what is run is shown and logged there, nobody is asked
    /// anything, no sandbox (row E-03). The terminal is raw only while a command has its keys. Needs a tokio runtime;
    /// [`Env::block_on`] brings one.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn default_from_node(root: Node) -> io::Result<Env> {
        Ok(Env::new(root, RunContext::of_process()?))
    }

    /// Runs a program that is not asynchronous otherwise, with [`Env::default_from_node`] of this root. The first SIGINT
    /// or SIGTERM interrupts what runs, which then ends in order; the second gives up on it.
    ///
    /// ```no_run
    /// use deployer_core::prelude::*;
    ///
    /// fn main() -> Result<(), ActionError> {
    ///     let hello = Node::define("Hello")
    ///         .hosts(roles! { host: HostDef::localhost() })
    ///         .action("hello", async |env: Env| env.hosts().run("echo hello world").await);
    ///     let _outputs = Env::block_on(hello, async |env| env.call("hello", args![]).await)?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// What the program ends with; when the root cannot be placed, the terminal cannot be used, or in asynchronous code.
    pub fn block_on<T, F, R>(root: impl IntoRoot, program: F) -> Result<T, ActionError>
    where
        F: FnOnce(Env) -> R,
        R: Future<Output = Result<T, ActionError>>,
    {
        let root = root.into_root().map_err(|error| ActionError::usage(error.to_string()))?;
        if Handle::try_current().is_ok() {
            let remedy =
                "Env::block_on is for programs that are not asynchronous: use Env::default_from_node and await";
            return Err(ActionError::usage(remedy));
        }
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let result = runtime.block_on(async {
            let env = Env::default_from_node(root)?;
            let cancel = env.context().cancel.clone();
            let mut program = pin!(program(env));
            tokio::select! {
                biased;
                result = &mut program => result,
                result = interrupted_twice(&cancel) => result.and(Err(ActionError::new(Cause::Interrupted))),
            }
        });
        // Blocking calls that nobody waits for any more (a dial that is late) must not hold up the end.
        runtime.shutdown_background();
        result
    }
}

/// Cancels at the first signal, returns at the second.
async fn interrupted_twice(cancel: &CancellationToken) -> Result<(), ActionError> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    for _ in 0..2 {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        cancel.cancel();
    }
    Ok(())
}
