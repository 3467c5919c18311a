//! The hidden verb behind `deployer run`: serves one starter and whoever joins, without a terminal.

use deployerd::Options;
use deployerd::socket::BoundSocket;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{Program, listen, services};
use crate::args::{OversightFlags, PrivateDaemon};
use crate::failure::Failure;
use crate::{log, oversight, private, runtime};

/// Row Q-05. Errors go to the starter, which has the user's ear; the working directory stays, for local commands.
pub(super) fn private_daemon(program: &Program, daemon: &PrivateDaemon) -> Result<u8, Failure> {
    // Out of the terminal's reach: Ctrl-C there is for the client. Started as leader of a group it stays in it.
    let _ = rustix::process::setsid();
    runtime::daemon(|workers| async {
        // Before there is a socket that a signal could leave behind.
        let signals = listen::Signals::listen()?;
        let (bound, options, _flush) = match prepare(program, daemon, workers) {
            Ok(prepared) => prepared,
            Err(failure) => {
                private::report(Err(&failure))?;
                return Err(failure);
            }
        };
        private::report(Ok(&bound))?;
        let stop = CancellationToken::new();
        private::watch_starter(stop.clone())
            .map_err(|error| Failure::other(format!("cannot watch the starter: {error}")))?;
        listen::serve(signals, bound.into(), options, stop.into()).await
    })
}

fn prepare(
    program: &Program,
    daemon: &PrivateDaemon,
    workers: Handle,
) -> Result<(BoundSocket, Options, Option<log::Flush>), Failure> {
    let tree = program.tree()?;
    let flush = daemon.serving.log.as_deref().map(|path| log::start(Some(path), program.color)).transpose()?;
    let bound = deployerd::socket::bind(None).map_err(|error| Failure::daemon(error.to_string()))?;
    let flags = OversightFlags::personal();
    let oversight = oversight::oversight(&flags, oversight::authority(&flags)?, &bound.path)?;
    let options = Options {
        tree,
        services: services(),
        workers,
        private: true,
        interactive: !daemon.non_interactive,
        settings: daemon.serving.settings(),
        oversight,
    };
    Ok((bound, options, flush))
}
