//! The runtimes: a small one for clients, workers for whoever runs actions, and both for a daemon.

use std::future::Future;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::failure::Failure;

/// Runs a client's future on this thread alone: quick to start, nothing to wait for at the end.
pub(crate) fn client<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(build(&mut Builder::new_current_thread())?, future)
}

/// Runs a future that runs actions, with a worker per core.
pub(crate) fn workers<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(build(&mut Builder::new_multi_thread())?, future)
}

/// Runs a daemon's future on this thread, beside workers for what its sessions run (docs/decisions/0025).
pub(crate) fn daemon<T, F>(future: impl FnOnce(Handle) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let workers = build(&mut Builder::new_multi_thread())?;
    let result = run(build(&mut Builder::new_current_thread())?, future(workers.handle().clone()));
    workers.shutdown_background();
    result
}

fn build(builder: &mut Builder) -> Result<Runtime, Failure> {
    let built = builder.enable_all().build();
    built.map_err(|error| Failure::other(format!("cannot start: {error}; check ulimit -n and -u")))
}

fn run<T>(runtime: Runtime, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let result = runtime.block_on(future);
    // Blocking calls that nobody waits for any more (a dial that is late) must not hold up the end.
    runtime.shutdown_background();
    result
}
