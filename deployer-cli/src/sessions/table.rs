//! `list-sessions` for people.

use std::fmt::Write;

use deployer_protocol::{ClientInfo, DaemonInfo, SessionInfo, SessionPeople, SessionState};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Found, Silence, shortest};
use crate::failure::printable;

/// Longest value of one column, in characters.
const CELL_MAX: usize = 60;

/// Heads of the columns.
const HEADS: [&str; 5] = ["SESSION", "OWNER", "NODE", "RUNNING", "CLIENTS"];

/// What the table needs to know of its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Where the reader is.
    pub(crate) zone: TimeZone,
    /// Now, so that durations can be told.
    pub(crate) now: Timestamp,
    /// Whether heads may be bold.
    pub(crate) color: bool,
}

/// All daemons, each with its sessions.
pub(crate) fn table(found: &[Found], view: &View) -> String {
    let mut out = String::new();
    for (number, daemon) in found.iter().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let name = printable(&shortest(&daemon.socket), CELL_MAX * 2);
        match &daemon.answer {
            Ok(info) => one(&mut out, &name, daemon, info, view),
            Err(Silence::Stale) => line(
                &mut out,
                format_args!("{name}  stale: its daemon is gone; `deployer listen --socket {name}` takes it over"),
            ),
            Err(Silence::Other(why)) => line(&mut out, format_args!("{name}  {}", printable(why, 400))),
        }
    }
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = writeln!(out, "{text}");
}

fn one(out: &mut String, name: &str, found: &Found, info: &DaemonInfo, view: &View) {
    let since = moment(info.started_ms, view);
    let private = if info.private { "  private" } else { "" };
    let tree = printable(&info.tree, 200);
    line(out, format_args!("{name}  {tree}  since {since}, process {}{private}", info.pid));
    if info.sessions.is_empty() {
        line(out, format_args!("  no sessions"));
        return;
    }
    let rows: Vec<_> = info.sessions.iter().map(|session| row(session, found.people_of(&session.name), view)).collect();
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([HEADS[column].len()]).max().unwrap_or_default()
    };
    let widths: [usize; HEADS.len()] = std::array::from_fn(width);
    let heads = padded(&HEADS.map(str::to_string), &widths);
    if view.color {
        line(out, format_args!("\x1b[1m{heads}\x1b[0m"));
    } else {
        line(out, format_args!("{heads}"));
    }
    for row in &rows {
        line(out, format_args!("{}", padded(row, &widths)));
    }
}

fn padded(cells: &[String; HEADS.len()], widths: &[usize; HEADS.len()]) -> String {
    let line: String = cells.iter().zip(widths).map(|(cell, width)| format!("  {cell:<width$}")).collect();
    line.trim_end().to_string()
}

fn row(session: &SessionInfo, people: Option<&SessionPeople>, view: &View) -> [String; HEADS.len()] {
    let running = match &session.state {
        SessionState::Idle => "-".to_string(),
        SessionState::Running { action, since_ms } => {
            format!("{} since {}", printable(action, CELL_MAX), moment(*since_ms, view))
        }
    };
    let clients = match people {
        Some(people) => people.clients.iter().map(client).collect(),
        None => session.clients.clone(),
    };
    let clients = match clients.as_slice() {
        [] => "nobody".to_string(),
        clients => printable(&clients.join(", "), CELL_MAX * 2),
    };
    let owner = people.map_or(session.owner.clone(), |people| format!("{} ({})", people.owner, people.owner_uid));
    let cell = |text: &str| printable(text, CELL_MAX);
    [cell(&session.name), cell(&owner), cell(&session.node), running, clients]
}

/// `bob (viewer, watching)`.
fn client(client: &ClientInfo) -> String {
    let watching = if client.watch { ", watching" } else { "" };
    let rank = if client.rank.is_empty() { "no rank" } else { &client.rank };
    format!("{} ({rank}{watching})", client.user)
}

/// A moment as the reader's clock shows it: without the date when it is today's.
fn moment(ms: u64, view: &View) -> String {
    let Some(stamp) = super::json::timestamp(ms) else {
        return "?".to_string();
    };
    let then = stamp.to_zoned(view.zone.clone());
    let today = view.now.to_zoned(view.zone.clone()).date() == then.date();
    then.strftime(if today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(crate) fn daemons() -> Vec<Found> {
        let session = |name: &str, clients: &[&str], state| SessionInfo {
            name: name.to_string(),
            owner: "alice".to_string(),
            created_ms: 1_763_800_000_000,
            clients: clients.iter().map(|client| client.to_string()).collect(),
            node: "root.prod.web".to_string(),
            state,
        };
        let running = SessionState::Running { action: "root.prod.web.deploy".to_string(), since_ms: 1_763_803_600_000 };
        let info = DaemonInfo {
            pid: 4711,
            started_ms: 1_763_700_000_000,
            tree: "/etc/deployer/deploy.lua".to_string(),
            private: false,
            sessions: vec![
                session("amber", &["alice", "bob (watching)"], running),
                session("b\x1b[2J", &[], SessionState::Idle),
            ],
        };
        vec![
            Found { people: Vec::new(), socket: "/run/deployer/team.sock".into(), answer: Ok(info.clone()) },
            Found {
                people: Vec::new(),
                socket: "/run/deployer/empty.sock".into(),
                answer: Ok(DaemonInfo { sessions: Vec::new(), private: true, ..info }),
            },
            Found { people: Vec::new(), socket: "/run/deployer/old.sock".into(), answer: Err(Silence::Stale) },
            Found {
                people: Vec::new(),
                socket: "/run/deployer/busy.sock".into(),
                answer: Err(Silence::Other("no answer within 2 s".to_string())),
            },
        ]
    }

    // rows: Q-26
    #[test]
    fn every_socket_has_its_say() {
        let view = View { zone: TimeZone::UTC, now: Timestamp::from_second(1_763_804_000).unwrap(), color: false };
        let expected = "\
/run/deployer/team.sock  /etc/deployer/deploy.lua  since 2025-11-21 04:40:00, process 4711
  SESSION  OWNER  NODE           RUNNING                              CLIENTS
  amber    alice  root.prod.web  root.prod.web.deploy since 09:26:40  alice, bob (watching)
  b?[2J    alice  root.prod.web  -                                    nobody

/run/deployer/empty.sock  /etc/deployer/deploy.lua  since 2025-11-21 04:40:00, process 4711  private
  no sessions

/run/deployer/old.sock  stale: its daemon is gone; `deployer listen --socket /run/deployer/old.sock` takes it over

/run/deployer/busy.sock  no answer within 2 s
";
        assert_eq!(table(&daemons(), &view), expected);
    }

    #[test]
    fn colour_is_only_added() {
        let view = |color| View { zone: TimeZone::UTC, now: Timestamp::from_second(1_763_804_000).unwrap(), color };
        let colored = table(&daemons(), &view(true));
        assert!(colored.contains("\x1b[1m  SESSION"));
        assert_eq!(colored.replace("\x1b[1m", "").replace("\x1b[0m", ""), table(&daemons(), &view(false)));
    }

    #[test]
    fn ranks_are_shown_where_the_daemon_tells_them() {
        let mut all = daemons();
        let client = |user: &str, rank: &str, watch| ClientInfo { user: user.into(), uid: 1, rank: rank.into(), watch };
        all[0].people = vec![SessionPeople {
            session: "amber".to_string(),
            owner: "alice".to_string(),
            owner_uid: 1000,
            shared: Vec::new(),
            clients: vec![client("alice", "operator", false), client("bob", "viewer", true), client("eve", "", true)],
        }];
        let view = View { zone: TimeZone::UTC, now: Timestamp::from_second(1_763_804_000).unwrap(), color: false };
        let table = table(&all, &view);
        assert!(table.contains("amber    alice (1000)  root.prod.web"), "{table}");
        assert!(table.contains("alice (operator), bob (viewer, watching), eve (no rank, watching)"), "{table}");
    }
}
