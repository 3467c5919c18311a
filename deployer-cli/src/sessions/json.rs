//! `list-sessions --json` for programs.

use deployer_protocol::{ClientInfo, SessionInfo, SessionPeople, SessionState};
use jiff::Timestamp;
use serde::Serialize;

use super::{Found, Silence};

/// Version of this output. Fields may be added without changing it; consumers ignore those that they do not know.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Report<'a> {
    schema: u32,
    daemons: Vec<Daemon<'a>>,
}

#[derive(Serialize)]
struct Daemon<'a> {
    /// Its socket; bytes that are not UTF-8 are replaced.
    socket: String,
    /// `live`, `stale` or `silent`.
    state: &'static str,
    /// Why it is silent.
    reason: Option<&'a str>,
    pid: Option<u32>,
    /// RFC 3339, UTC, with milliseconds; so are all times.
    started: Option<String>,
    tree: Option<&'a str>,
    /// Whether it serves one `run` and ends with it.
    private: Option<bool>,
    sessions: Vec<Session<'a>>,
}

#[derive(Serialize)]
struct Session<'a> {
    name: &'a str,
    owner: &'a str,
    created: Option<String>,
    clients: &'a [String],
    /// User id of the owner, where the daemon tells it; so are the next two.
    owner_uid: Option<u32>,
    /// Users that the owner shares the session with.
    shared: Option<&'a [String]>,
    /// The clients with their ranks, in the order in which they came.
    people: Option<Vec<Person<'a>>>,
    node: &'a str,
    /// `idle` or `running`.
    state: &'static str,
    /// What runs.
    action: Option<&'a str>,
    /// Since when it runs.
    since: Option<String>,
}

#[derive(Serialize)]
struct Person<'a> {
    user: &'a str,
    uid: u32,
    /// `viewer`, `operator`, `admin`, or empty.
    rank: &'a str,
    watching: bool,
}

/// One object in one line.
///
/// # Errors
/// Never for these types; the encoder's own.
pub(crate) fn json(found: &[Found]) -> serde_json::Result<String> {
    let report = Report { schema: SCHEMA, daemons: found.iter().map(daemon).collect() };
    serde_json::to_string(&report).map(|text| text + "\n")
}

fn daemon(found: &Found) -> Daemon<'_> {
    let socket = found.socket.to_string_lossy().into_owned();
    let empty = Daemon {
        socket,
        state: "stale",
        reason: None,
        pid: None,
        started: None,
        tree: None,
        private: None,
        sessions: Vec::new(),
    };
    match &found.answer {
        Err(Silence::Stale) => empty,
        Err(Silence::Other(why)) => Daemon { state: "silent", reason: Some(why), ..empty },
        Ok(info) => Daemon {
            state: "live",
            pid: Some(info.pid),
            started: rfc3339(info.started_ms),
            tree: Some(&info.tree),
            private: Some(info.private),
            sessions: info.sessions.iter().map(|info| session(info, found.people_of(&info.name))).collect(),
            ..empty
        },
    }
}

fn session<'a>(info: &'a SessionInfo, people: Option<&'a SessionPeople>) -> Session<'a> {
    let (state, action, since) = match &info.state {
        SessionState::Idle => ("idle", None, None),
        SessionState::Running { action, since_ms } => ("running", Some(action.as_str()), rfc3339(*since_ms)),
    };
    let SessionInfo { name, owner, created_ms, clients, node, .. } = info;
    let person = |client: &'a ClientInfo| {
        let ClientInfo { user, uid, rank, watch } = client;
        Person { user, uid: *uid, rank, watching: *watch }
    };
    Session {
        name,
        owner,
        created: rfc3339(*created_ms),
        clients,
        owner_uid: people.map(|people| people.owner_uid),
        shared: people.map(|people| people.shared.as_slice()),
        people: people.map(|people| people.clients.iter().map(person).collect()),
        node,
        state,
        action,
        since,
    }
}

/// A moment of the wire; `None` when no calendar has it.
pub(super) fn timestamp(ms: u64) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()
}

fn rfc3339(ms: u64) -> Option<String> {
    timestamp(ms).map(|stamp| format!("{stamp:.3}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use deployer_protocol::DaemonInfo;

    #[test]
    fn programs_get_one_object_with_a_schema() {
        let session = SessionInfo {
            name: "amber".to_string(),
            owner: "alice".to_string(),
            created_ms: 1_763_800_000_007,
            clients: vec!["alice".to_string()],
            node: "root".to_string(),
            state: SessionState::Running { action: "root.deploy".to_string(), since_ms: 1_763_803_600_120 },
        };
        let info =
            DaemonInfo { pid: 7, started_ms: 0, tree: "/t.lua".to_string(), private: true, sessions: vec![session] };
        let alice = ClientInfo { user: "alice".to_string(), uid: 1000, rank: "admin".to_string(), watch: false };
        let people = SessionPeople {
            session: "amber".to_string(),
            owner: "alice".to_string(),
            owner_uid: 1000,
            shared: vec!["bob".to_string()],
            clients: vec![alice],
        };
        let found = [
            Found { people: vec![people], socket: "/run/0.sock".into(), answer: Ok(info) },
            Found { people: Vec::new(), socket: "/run/1.sock".into(), answer: Err(Silence::Stale) },
            Found {
                people: Vec::new(),
                socket: "/run/2.sock".into(),
                answer: Err(Silence::Other("no answer within 2 s".to_string())),
            },
        ];
        let expected = concat!(
            r#"{"schema":1,"daemons":[{"socket":"/run/0.sock","state":"live","reason":null,"pid":7,"started":"1970-01-01T00:00:00.000Z","#,
            r#""tree":"/t.lua","private":true,"sessions":[{"name":"amber","owner":"alice","created":"2025-11-22T08:26:40.007Z","clients":["alice"],"owner_uid":1000,"#,
            r#""shared":["bob"],"people":[{"user":"alice","uid":1000,"rank":"admin","watching":false}],"#,
            r#""node":"root","state":"running","action":"root.deploy","since":"2025-11-22T09:26:40.120Z"}]},"#,
            r#"{"socket":"/run/1.sock","state":"stale","reason":null,"pid":null,"started":null,"tree":null,"private":null,"sessions":[]},"#,
            r#"{"socket":"/run/2.sock","state":"silent","reason":"no answer within 2 s","pid":null,"started":null,"tree":null,"private":null,"sessions":[]}]}"#,
            "\n"
        );
        assert_eq!(json(&found).unwrap(), expected);
    }

    #[test]
    fn a_time_that_no_calendar_has_is_null() {
        assert_eq!(rfc3339(u64::MAX), None);
    }
}
