//! `deployer listen`: the daemon, in the foreground, until it is told to stop.

use std::io;
use std::sync::Arc;

use deployer_core::shell::Tree;
use deployerd::oversight::Oversight;
use deployerd::socket::{bind_team, team_path};
use deployerd::telnet::BoundPort;
use deployerd::{Doors, Options};
use rustix::fs::Mode;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{Program, say, services, socket};
use crate::args::Listen;
use crate::failure::Failure;
use crate::sessions::shortest;
use crate::{log, oversight, runtime};

/// Rows Q-06, P-21, W-37; with a telnet port also P-24.
pub(super) fn listen(program: &Program, listen: &Listen, telnet: Option<BoundPort>) -> Result<u8, Failure> {
    ignore_background_writes();
    let path = listen.socket.as_deref().map(socket).transpose()?;
    let authority = oversight::authority(&listen.oversight)?;
    let tree = program.tree_for_later()?;
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let _flush = log::start(listen.serving.log.as_deref(), program.color)?;
    let bound = match &listen.oversight.team {
        Some(name) => team_path(name).and_then(|path| bind_team(&path, &listen.oversight.team_group)),
        None => deployerd::socket::bind(path.as_deref()),
    };
    let bound = bound.map_err(|error| Failure::daemon(error.to_string()))?;
    let oversight = oversight::oversight(&listen.oversight, authority, &bound.path)?;
    say(&format!(
        "listening on {} (connect with: {} connect --socket {})",
        bound.path.display(),
        program.name(),
        shortest(&bound.path)
    ));
    if let Some(port) = &telnet {
        let (ip, number) = (port.address.ip(), port.address.port());
        say(&format!("telnet on {} (connect with: telnet {ip} {number})", port.address));
    }
    tracing::info!(tree = tree.origin(), "the deployment file can be used");
    let options = Options {
        tree,
        services: services(),
        private: false,
        interactive: !listen.non_interactive,
        settings: listen.serving.settings(),
        oversight,
    };
    runtime::workers(serve(Doors { socket: bound, telnet }, options, CancellationToken::new()))
}

/// Serves until the first SIGINT or SIGTERM, and then until all is ended in order; the second ends it at once.
pub(super) async fn serve(doors: Doors, options: Options, stop: CancellationToken) -> Result<u8, Failure> {
    let mut signals = Signals::new().map_err(|error| Failure::other(format!("cannot listen for signals: {error}")))?;
    let (oversight, tree) = (options.oversight.clone(), options.tree.clone());
    let serving = deployerd::serve(doors, options, stop.clone());
    tokio::pin!(serving);
    let mut asked = false;
    loop {
        tokio::select! {
            result = &mut serving => return match result {
                Ok(()) => Ok(0),
                Err(error) => Err(Failure::daemon(format!("stopped serving: {error:#}"))),
            },
            number = signals.next() => match number {
                libc::SIGHUP => reload(oversight.clone(), tree.clone()),
                number if asked => {
                    tracing::warn!(signal = number, "stopping at once");
                    return Ok(u8::try_from(128 + number).unwrap_or(1));
                }
                number => {
                    asked = true;
                    tracing::info!(signal = number, "stopping: sessions are ended; once more stops at once");
                    stop.cancel();
                }
            },
        }
    }
}

/// SIGHUP: the policy again. A personal daemon has none; there it says that its terminal is gone, which changes nothing.
fn reload(oversight: Oversight, tree: Arc<dyn Tree>) {
    if !oversight.authority.is_team() {
        return tracing::info!("the terminal is gone; serving goes on");
    }
    tokio::spawn(async move {
        match oversight.reload(&tree).await {
            Ok(()) => {
                let policy = oversight.authority.policy();
                policy.notes().iter().for_each(|note| tracing::warn!(%note, "policy"));
                tracing::info!("the policy was read again");
            }
            Err(why) => tracing::error!(why, "the policy cannot be used"),
        }
    });
}

/// Signals that end a process which runs sessions.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hang_up: Signal,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    pub(super) fn new() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            // Handled rather than ignored: what is ignored stays ignored in every command that is started.
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// The number of the next one. Cancel safe.
    pub(super) async fn next(&mut self) -> i32 {
        tokio::select! {
            Some(()) = self.interrupt.recv() => libc::SIGINT,
            Some(()) = self.terminate.recv() => libc::SIGTERM,
            Some(()) = self.hang_up.recv() => libc::SIGHUP,
            else => std::future::pending().await,
        }
    }
}

/// A daemon in the background of a terminal (`deployer listen &`) is stopped by the kernel when it writes there and
/// the terminal was told so (`stty tostop`). A handler would not do: the write would be tried again for ever.
#[allow(unsafe_code, reason = "there is no safe call that ignores a signal")]
fn ignore_background_writes() {
    // SAFETY: no handler is installed, the signal is only ignored; no thread has been started yet.
    unsafe {
        libc::signal(libc::SIGTTOU, libc::SIG_IGN);
    }
}
