//! How what runs in a session ends: by itself, asked to, or by force; and what the clients are told.

use std::time::Duration;

use deployer_core::shell;
use deployer_protocol::{ErrorKind, FromDaemon};
use tokio::runtime::Handle as Workers;
use tokio_util::task::AbortOnDropHandle;

use super::{Handle, Program};

/// Time for actions and the commands they started to end after they were asked to.
const GRACE: Duration = Duration::from_secs(10);

/// Exit status of a session that ended without one: as for an interruption (`field-notes` 5.1: 130).
const INTERRUPTED: i32 = 130;

/// Exit status of a session whose program failed by a bug of ours: 128 + SIGABRT.
const CRASHED: i32 = 134;

/// What runs ended so.
pub(crate) struct Ending {
    /// Exit status.
    pub(crate) status: i32,
    /// A sentence for the clients, when it did not end by itself.
    problem: Option<(ErrorKind, String)>,
}

/// Runs the program to its end, in a task of its own: a panic in it ends this session and no other.
pub(crate) async fn run(workers: &Workers, program: &Program, session: shell::Session, handle: &Handle) -> Ending {
    let mut task = AbortOnDropHandle::new(workers.spawn(program(session)));
    let outcome = tokio::select! {
        outcome = &mut task => outcome,
        () = handle.cancel.cancelled() => match tokio::time::timeout(GRACE, &mut task).await {
            Ok(outcome) => outcome,
            Err(_) => {
                tracing::warn!(session = handle.name, "did not end in time after it was asked to; its tasks are dropped");
                return Ending { status: INTERRUPTED, problem: handle.reason() };
            }
        },
    };
    match outcome {
        Ok(status) => Ending { status, problem: handle.reason() },
        Err(error) => {
            tracing::error!(session = handle.name, %error, "the session crashed");
            let sentence = format!("session {} crashed: this is a bug, see the daemon's log", handle.name);
            Ending { status: CRASHED, problem: Some((ErrorKind::Unavailable, sentence)) }
        }
    }
}

/// The same for what a pane shows: it has no status of its own.
pub(crate) async fn of_pane(
    workers: &Workers,
    shown: impl Future<Output = ()> + Send + 'static,
    handle: &Handle,
) -> Ending {
    let task = AbortOnDropHandle::new(workers.spawn(shown));
    tokio::select! {
        outcome = task => if let Err(error) = outcome {
            tracing::error!(pane = handle.name, %error, "a pane crashed");
        },
        () = handle.cancel.cancelled() => {}
    }
    Ending { status: 0, problem: handle.reason() }
}

impl Ending {
    /// The last messages of a session to a client.
    pub(crate) fn messages(&self) -> Vec<FromDaemon> {
        let problem = self.problem.clone().map(FromDaemon::Error);
        problem.into_iter().chain([FromDaemon::Finished(self.status)]).collect()
    }
}
