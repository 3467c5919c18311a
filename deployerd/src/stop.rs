//! Stopping a daemon in order: what runs may end first, for a while, and everybody who is attached is told.

use std::time::Duration;

use deployer_protocol::{ErrorKind, SessionInfo, SessionState};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::daemon::Daemon;
use crate::session::{elapsed, now_ms};

/// Time between two notices to those who wait.
const NOTICE: Duration = Duration::from_secs(10);

/// How a daemon is stopped.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    /// Stops it: no new sessions, idle ones end, running actions may go on for [`Stop::drain`].
    pub begin: CancellationToken,
    /// Ends what still runs, without further waiting.
    pub now: CancellationToken,
    /// How long running actions may go on.
    pub drain: Duration,
}

/// Stops without waiting for actions.
impl From<CancellationToken> for Stop {
    fn from(begin: CancellationToken) -> Stop {
        Stop { begin, ..Stop::default() }
    }
}

/// Ends idle sessions and waits for the others, until none is left, the time is over, or somebody insists.
pub(crate) async fn drain(daemon: &Daemon, stop: &Stop) {
    let deadline = Instant::now() + stop.drain;
    let mut notice = Instant::now();
    let mut changes = daemon.changes();
    daemon.registry.close();
    loop {
        changes.mark_unchanged();
        let running = end_idle(daemon);
        let left = deadline.saturating_duration_since(Instant::now());
        if running.is_empty() || left.is_zero() {
            break;
        }
        if Instant::now() >= notice {
            notice = Instant::now() + NOTICE;
            tell(daemon, &running, left).await;
        }
        tokio::select! {
            _changed = changes.changed() => {}
            () = tokio::time::sleep_until(notice.min(deadline)) => {}
            () = stop.now.cancelled() => break,
        }
    }
}

/// Ends the sessions that run nothing; those that do run something.
fn end_idle(daemon: &Daemon) -> Vec<SessionInfo> {
    let mut running = Vec::new();
    for session in daemon.registry.all() {
        let info = session.summary.info();
        match info.state {
            SessionState::Idle => session.end(ErrorKind::Unavailable, stopped(&session.name)),
            SessionState::Running { .. } => running.push(info),
        }
    }
    running
}

/// What the clients of a session are told that the end of the daemon ends.
pub(crate) fn stopped(session: &str) -> String {
    format!("the daemon was stopped: session {session} has ended")
}

async fn tell(daemon: &Daemon, running: &[SessionInfo], left: Duration) {
    let notice = notice(running, left, now_ms());
    tracing::info!(seconds = left.as_secs(), running = running.len(), "waiting for what runs");
    for session in daemon.registry.all() {
        session.notice(notice.clone()).await;
    }
}

/// What runs, since when, and how long it may go on.
fn notice(running: &[SessionInfo], left: Duration, now_ms: u64) -> String {
    /// More are only counted.
    const SHOWN: usize = 5;
    let mut lines = format!("the daemon is stopping; it waits up to {} for\n", elapsed(left.as_millis() as u64));
    for info in running.iter().take(SHOWN) {
        if let SessionState::Running { action, since_ms } = &info.state {
            let since = elapsed(now_ms.saturating_sub(*since_ms));
            lines += &format!("  {}: {action} of {}, running for {since}\n", info.name, info.owner);
        }
    }
    if running.len() > SHOWN {
        lines += &format!("  and {} more\n", running.len() - SHOWN);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_names_what_runs_and_counts_the_rest() {
        let info = |name: &str| SessionInfo {
            name: name.to_string(),
            owner: "ann".to_string(),
            created_ms: 0,
            clients: Vec::new(),
            node: "prod".to_string(),
            state: SessionState::Running { action: "prod.deploy".to_string(), since_ms: 1_000 },
        };
        let one = notice(&[info("s1")], Duration::from_secs(30), 13_000);
        assert_eq!(
            one,
            "the daemon is stopping; it waits up to 30 s for\n  s1: prod.deploy of ann, running for 12 s\n"
        );
        let many: Vec<SessionInfo> = (0..9).map(|number| info(&format!("s{number}"))).collect();
        assert!(notice(&many, Duration::from_secs(30), 13_000).ends_with("  and 4 more\n"));
    }
}
