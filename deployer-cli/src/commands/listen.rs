//! `deployer listen`: the daemon, in the foreground, until it is told to stop.

use std::io;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deployer_core::shell::Tree;
use deployerd::oversight::Oversight;
use deployerd::socket::{BoundSocket, Crashed, SocketError, bind_team, team_path};
use deployerd::telnet::BoundPort;
use deployerd::{Doors, Options, Stop};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustix::fs::Mode;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Program, say, services, socket};
use crate::args::Listen;
use crate::failure::{Failure, printable};
use crate::sessions::shortest;
use crate::{log, oversight, runtime, service};

/// Rows Q-06, P-21, W-37; with a telnet port also P-24.
pub(super) fn listen(program: &Program, listen: &Listen, telnet: Option<BoundPort>) -> Result<u8, Failure> {
    ignore_background_writes();
    let path = listen.socket.as_deref().map(socket).transpose()?;
    let passed = service::passed_socket()?;
    if passed.is_some() && path.is_some() {
        return Err(Failure::usage("the service manager passes a socket: leave --socket out"));
    }
    let authority = oversight::authority(&listen.oversight)?;
    let tree = program.tree_for_later()?;
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let _flush = log::start(listen.serving.log.as_deref(), program.color)?;
    runtime::daemon(|workers| async {
        // Before there is a socket that a signal could leave behind.
        let signals = Signals::listen()?;
        let (bound, crashed) = open(listen, path, passed).map_err(|error| Failure::daemon(error.to_string()))?;
        let oversight = oversight::oversight(&listen.oversight, authority, &bound.path)?;
        let journal = oversight.journal.place();
        if journal.is_dir() && crashed.iter().any(|crashed| crashed.socket == bound.path && crashed.ran_something()) {
            say(&format!("  its hosts and commands are in the journal: {}", journal.display()));
        }
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
            workers,
            private: false,
            interactive: !listen.non_interactive,
            settings: listen.serving.settings(),
            oversight,
        };
        let stop = Stop { drain: Duration::from_secs(listen.drain), ..Stop::default() };
        serve(signals, Doors { socket: bound, telnet }, options, stop).await
    })
}

/// Binds the socket, or takes over the passed one; and says what an earlier daemon left that did not end in order.
fn open(
    listen: &Listen,
    path: Option<PathBuf>,
    passed: Option<UnixListener>,
) -> Result<(BoundSocket, Vec<Crashed>), SocketError> {
    let team = listen.oversight.team.as_ref().map(|name| team_path(name)).transpose()?;
    let (bound, crashed): (_, Vec<_>) = match (passed, team) {
        (Some(listener), team) => {
            let bound = deployerd::socket::adopt(listener, team.is_some())?;
            if let Some(team) = team.filter(|team| *team != bound.path) {
                return Err(SocketError(format!(
                    "the service manager passes {}, and --team means {}: set ListenStream= to that",
                    bound.path.display(),
                    team.display()
                )));
            }
            let crashed = deployerd::socket::left_behind(&bound).into_iter().collect();
            (bound, crashed)
        }
        (None, Some(team)) => {
            let crashed = deployerd::socket::clean_up(Some(&team))?;
            (bind_team(&team, &listen.oversight.team_group)?, crashed)
        }
        (None, None) => {
            let crashed = deployerd::socket::clean_up(path.as_deref())?;
            (deployerd::socket::bind(path.as_deref())?, crashed)
        }
    };
    crashed.iter().for_each(|crashed| say(&crash_report(crashed)));
    Ok((bound, crashed))
}

fn crash_report(crashed: &Crashed) -> String {
    let socket = crashed.socket.display();
    let Some(ran) = &crashed.ran else {
        return format!("removed {socket}: its daemon had ended without stopping");
    };
    let mut report = format!("the daemon at {socket} (pid {}) had ended without stopping; ", ran.pid);
    if ran.actions.is_empty() {
        return report + "it ran nothing";
    }
    report += "it ran";
    for action in &ran.actions {
        let since = i64::try_from(action.since_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let since = since.map(|since| since.to_zoned(TimeZone::system()).strftime("%F %T").to_string());
        let line = format!(
            "{}: {} of {}, since {}",
            action.session,
            action.action,
            action.owner,
            since.as_deref().unwrap_or("an unknown time")
        );
        report += "\n    ";
        report += &printable(&line, 300);
    }
    report + "\n  how far they came is unknown, and commands without a terminal may still run: look at their hosts"
}

/// Serves until the first SIGINT or SIGTERM, and then until what runs has ended or its time is over; the second ends
/// it now, the third ends the process. SIGHUP is a reload.
pub(super) async fn serve(mut signals: Signals, doors: Doors, options: Options, stop: Stop) -> Result<u8, Failure> {
    let (oversight, tree) = (options.oversight.clone(), options.tree.clone());
    let socket = doors.socket.path.clone();
    let serving = deployerd::serve(doors, options, stop.clone());
    let heart = service::heart(&socket);
    tokio::pin!(serving, heart);
    service::ready();
    let mut asked = 0;
    loop {
        tokio::select! {
            result = &mut serving => return match result {
                Ok(()) => Ok(0),
                Err(error) => Err(Failure::daemon(format!("stopped serving: {error:#}"))),
            },
            () = &mut heart => {}
            number = signals.next() => match (number, asked) {
                (libc::SIGHUP, _) => drop(tokio::spawn(reload(oversight.clone(), tree.clone()))),
                (number, 0) => {
                    asked = 1;
                    service::stopping();
                    tracing::info!(signal = number, "stopping; once more ends what runs now");
                    stop.begin.cancel();
                }
                (number, 1) => {
                    asked = 2;
                    tracing::warn!(signal = number, "ending what runs now; once more stops without waiting");
                    stop.now.cancel();
                }
                (number, _) => {
                    tracing::warn!(signal = number, "stopping without waiting");
                    return Ok(u8::try_from(128 + number).unwrap_or(1));
                }
            },
        }
    }
}

/// Whether sessions can still be opened, and the policy again; sessions that are open keep their tree until their
/// operators say `reload`.
async fn reload(oversight: Oversight, tree: Arc<dyn Tree>) {
    service::reloading();
    let (origin, checked) = (tree.origin(), tree.clone());
    match tokio::task::spawn_blocking(move || checked.load().map(drop)).await {
        Ok(Ok(())) => tracing::info!(tree = origin, "reloaded: new sessions get the deployment file as it is"),
        Ok(Err(error)) => tracing::error!(tree = origin, %error, "the deployment file cannot be used: no new sessions"),
        Err(error) => tracing::error!(%error, "the deployment file could not be looked at"),
    }
    if oversight.authority.is_team() {
        match oversight.reload(&tree).await {
            Ok(()) => {
                let policy = oversight.authority.policy();
                policy.notes().iter().for_each(|note| tracing::warn!(%note, "policy"));
                match policy.file() {
                    Some(_) => tracing::info!("the policy was read again"),
                    None => {
                        tracing::info!("there is still no policy: only the owner of this daemon and root may use it")
                    }
                }
            }
            Err(why) => tracing::error!(why, "the policy cannot be used"),
        }
    }
    service::ready();
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
    pub(super) fn listen() -> Result<Signals, Failure> {
        let handle = || -> io::Result<Signals> {
            Ok(Signals {
                interrupt: signal(SignalKind::interrupt())?,
                terminate: signal(SignalKind::terminate())?,
                // Handled rather than ignored: what is ignored stays ignored in every command that is started.
                hang_up: signal(SignalKind::hangup())?,
            })
        };
        handle().map_err(|error| Failure::other(format!("cannot listen for signals: {error}")))
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
