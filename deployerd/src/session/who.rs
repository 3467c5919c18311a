//! `w`: who else is at work in this daemon (row R-08).

use std::fmt::Write;
use std::sync::Weak;

use async_trait::async_trait;
use deployer_core::shell::Extension;
use deployer_protocol::{SessionInfo, SessionState};

use super::now_ms;
use crate::daemon::Daemon;

/// The command of a session's shell.
pub(super) struct Who {
    /// The session that asks.
    pub(super) session: String,
    /// The daemon owns its sessions, not the other way round.
    pub(super) daemon: Weak<Daemon>,
}

#[async_trait]
impl Extension for Who {
    fn name(&self) -> &str {
        "w"
    }

    fn summary(&self) -> &str {
        "the sessions of this daemon, who is attached, and what they run"
    }

    async fn run(&self, args: &[String]) -> Result<String, String> {
        if !args.is_empty() {
            return Err("w takes no words".to_string());
        }
        let daemon = self.daemon.upgrade().ok_or("the daemon is stopping")?;
        Ok(table(&daemon.registry.infos(), &self.session, now_ms()))
    }
}

/// A line per session; the one that asks is marked.
fn table(sessions: &[SessionInfo], own: &str, now_ms: u64) -> String {
    let lines: Vec<[String; 4]> = sessions
        .iter()
        .map(|session| {
            let mark = if session.name == own { "*" } else { " " };
            let clients = if session.clients.is_empty() { "nobody".to_string() } else { session.clients.join(", ") };
            let doing = match &session.state {
                SessionState::Idle => format!("idle at {}", session.node),
                SessionState::Running { action, since_ms } => {
                    format!("{action} for {}", elapsed(now_ms.saturating_sub(*since_ms)))
                }
            };
            [format!("{mark}{}", session.name), session.owner.clone(), clients, doing]
        })
        .collect();
    let heads = [" session", "owner", "attached", "doing"];
    let width = |column: usize| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.chain([heads[column].len()]).max().unwrap_or_default()
    };
    let (a, b, c) = (width(0), width(1), width(2));
    let mut out = String::new();
    let heads = heads.map(str::to_string);
    for [session, owner, clients, doing] in std::iter::once(&heads).chain(&lines) {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{session:a$}  {owner:b$}  {clients:c$}  {doing}");
    }
    out
}

/// A time in the units that people use.
pub(crate) fn elapsed(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: R-08
    #[test]
    fn sessions_are_listed_with_who_and_what() {
        let session = |name: &str, clients: &[&str], state| SessionInfo {
            name: name.to_string(),
            owner: "ann".to_string(),
            created_ms: 0,
            clients: clients.iter().map(|client| client.to_string()).collect(),
            node: "prod.web".to_string(),
            state,
        };
        let running = SessionState::Running { action: "prod.web.deploy".to_string(), since_ms: 5_000 };
        let sessions =
            [session("s1", &["ann", "bob (watching)"], SessionState::Idle), session("nightly", &[], running)];
        let expected = [
            " session  owner  attached             doing",
            "*s1       ann    ann, bob (watching)  idle at prod.web",
            " nightly  ann    nobody               prod.web.deploy for 2 min 5 s",
        ];
        assert_eq!(table(&sessions, "s1", 130_000).lines().collect::<Vec<_>>(), expected);
        assert_eq!((elapsed(999), elapsed(7_260_000)), ("0 s".to_string(), "2 h 1 min".to_string()));
    }
}
