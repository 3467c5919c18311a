//! `deployer run`: a shell or one action, with a private daemon, an existing one, or none.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use deployer_core::logger::RunLog;
use deployer_core::options::{Layer, Options, Settings};
use deployer_core::shell::{self, Session, StatusSink};
use deployer_core::terminal::stdio::StdioTerminal;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::listen::Signals;
use super::{Program, say, services, socket};
use crate::args::{Keys, Place, Run, Serving};
use crate::client::{self, Connection, Ending, HELLO_LIMIT, Manner, Wish};
use crate::failure::Failure;
use crate::{log, private, runtime};

/// Rows P-05 to P-07, P-10 to P-16.
pub(super) fn run(program: &Program, run: &Run) -> Result<u8, Failure> {
    match &run.socket {
        _ if run.single_threaded => in_process(program, run),
        Some(value) => {
            let manner = Manner {
                detach_key: Some(run.keys.detach_key.unwrap_or_default()),
                any_detach_key: run.keys.detach_key.is_none(),
                watching: false,
            };
            runtime::client(at(program, &socket(value)?, run, manner, None))
        }
        None => with_private_daemon(program, run),
    }
}

/// `deployer scp` (row P-19).
pub(super) fn files(program: &Program) -> Result<u8, Failure> {
    let place = Place { path: None, non_interactive: false, scp: true, action: Vec::new() };
    let serving = Serving { log: None, parallel: None, options: Vec::new() };
    let keys = Keys { detach_key: None };
    in_process(program, &Run { single_threaded: true, socket: None, place, serving, keys })
}

fn with_private_daemon(program: &Program, run: &Run) -> Result<u8, Failure> {
    let file = program.deployment_file()?;
    let daemon = private::start(file.as_deref(), &run.serving, !run.place.non_interactive)?;
    let manner = Manner { detach_key: None, any_detach_key: false, watching: false };
    let path = daemon.socket.clone();
    runtime::client(at(program, &path, run, manner, Some(daemon)))
}

async fn at(
    program: &Program,
    path: &Path,
    run: &Run,
    manner: Manner,
    daemon: Option<private::Started>,
) -> Result<u8, Failure> {
    let mut connection = Connection::open(path, HELLO_LIMIT).await.map_err(|why| why.at(path))?;
    let wish =
        Wish::Open { path: run.place.steps(), action: run.place.action(), interactive: !run.place.non_interactive };
    if daemon.is_none() {
        connection.set_options(&run.serving.settings()).await?;
    }
    let attached = client::open(&mut connection, &wish, program.color.on(&io::stdout())).await?;
    let daemon = daemon.map(private::Started::attached);
    let ending = client::stay(connection, attached, manner).await?;
    if let (Some(daemon), Ending::Finished(_)) = (daemon, &ending) {
        daemon.ended().await;
    }
    Ok(told(&ending))
}

/// Says what is to be said about an ending; its exit status.
pub(super) fn told(ending: &Ending) -> u8 {
    if let Some(notice) = ending.notice() {
        say(&notice);
    }
    ending.status()
}

/// Without a daemon: one host after the other unless `--parallel` says otherwise (row P-06).
fn in_process(program: &Program, run: &Run) -> Result<u8, Failure> {
    let tree = program.tree()?;
    // Lines of the log would run across the shell, so without a file there is none.
    let _flush = run.serving.log.as_deref().map(|path| log::start(Some(path), program.color)).transpose()?;
    if io::stderr().is_terminal() {
        say("running single-threaded, without a daemon");
    }
    runtime::workers(async {
        let interactive = !run.place.non_interactive;
        let terminal = StdioTerminal::open_with(interactive, program.color.on(&io::stdout()))
            .map_err(|error| Failure::other(format!("cannot use the terminal: {error}")))?;
        let cancel = CancellationToken::new();
        let at_once = ended_by_signals(&cancel)?;
        let options = Options::of_process();
        let mut settings = "parallel=1".parse::<Settings>().unwrap_or_default();
        settings.take_over(&run.serving.settings());
        options.replace(Layer::Daemon, settings);
        let services = services();
        let session = Session {
            tree,
            terminal: terminal.clone(),
            services: services.clone(),
            listeners: vec![Arc::new(RunLog::new("-".to_string()))],
            status: Arc::new(NobodyAsks),
            overseer: Arc::new(shell::NobodyOversees),
            extensions: Vec::new(),
            cancel,
            options,
            path: run.place.steps(),
            action: run.place.action(),
        };
        let ending = tokio::select! {
            status = shell::run(session) => {
                services.commands_end().await;
                Ending::Finished(status)
            }
            Ok(number) = at_once => Ending::Signal(number),
        };
        terminal.restore();
        Ok(ending.status())
    })
}

/// The first SIGINT, SIGTERM or SIGHUP ends the session in order, which cancels what runs; the second, whose number
/// comes by the channel, ends it at once.
fn ended_by_signals(cancel: &CancellationToken) -> Result<oneshot::Receiver<i32>, Failure> {
    let mut signals = Signals::listen()?;
    let (second, at_once) = oneshot::channel();
    let cancel = cancel.clone();
    tokio::spawn(async move {
        signals.next().await;
        cancel.cancel();
        // Nobody waits for it any more when the session has ended in order.
        let _ = second.send(signals.next().await);
    });
    Ok(at_once)
}

/// There is no `list-sessions` for a process without a socket.
struct NobodyAsks;

impl StatusSink for NobodyAsks {
    fn at(&self, _node: &str) {}
    fn running(&self, _actions: &[String]) {}
}
