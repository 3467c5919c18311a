//! The two runtimes: a small one for clients, one with workers for whoever runs actions.

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;

/// Runs a client's future on this thread alone: quick to start, nothing to wait for at the end.
pub(crate) fn client<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(&mut Builder::new_current_thread(), future)
}

/// Runs a daemon's future, with a worker per core.
pub(crate) fn workers<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    run(&mut Builder::new_multi_thread(), future)
}

fn run<T>(builder: &mut Builder, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime: Runtime = builder
        .enable_all()
        .build()
        .map_err(|error| Failure::other(format!("cannot start: {error}; check ulimit -n and -u")))?;
    let result = runtime.block_on(future);
    // Blocking calls that nobody waits for any more (a dial that is late) must not hold up the end.
    runtime.shutdown_background();
    result
}
