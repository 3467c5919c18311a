//! `deployer connect`: open a session on a running daemon, or join one.

use std::io;
use std::path::PathBuf;

use super::run::told;
use super::{Program, socket};
use crate::args::{self, Connect};
use crate::client::{self, Connection, HELLO_LIMIT, Manner, Wish};
use crate::failure::Failure;
use crate::runtime;
use crate::sessions::{self, Found, shortest};
use deployerd::socket::is_team;

/// Rows P-22, Q-13.
pub(super) fn connect(program: &Program, connect: &Connect) -> Result<u8, Failure> {
    let wish = match (&connect.session, &connect.monitor, &connect.ticket) {
        (Some(name), _, _) => Wish::Join { name: name.clone(), watch: connect.watch },
        (_, Some(name), _) => Wish::Monitor(name.clone()),
        (_, _, Some(ticket)) => Wish::Claim(ticket.clone()),
        (None, None, None) => Wish::Open {
            path: connect.place.steps(),
            action: connect.place.action(),
            interactive: !connect.place.non_interactive,
        },
    };
    let manner = Manner {
        detach_key: Some(connect.keys.detach_key.unwrap_or_default()),
        any_detach_key: connect.keys.detach_key.is_none(),
        watching: connect.watch,
    };
    let color = program.color.on(&io::stdout());
    runtime::client(async {
        let session = connect.session.as_deref().or(connect.monitor.as_deref());
        let path = find(connect.socket.as_deref(), session).await?;
        let mut connection = Connection::open(&path, HELLO_LIMIT).await.map_err(|why| why.at(&path))?;
        if matches!(wish, Wish::Claim(_) | Wish::Monitor(_)) {
            connection.needs_windows()?;
        }
        connection.set_options(&args::merged(&connect.options)).await?;
        let attached = client::open(&mut connection, &wish, color).await?;
        let ending = client::stay(connection, attached, manner).await?;
        Ok(told(&ending))
    })
}

/// The socket that is meant: the one given, else that of the user's only daemon, else that of the only team, or of the only one with this session. Private
/// daemons, which end with the `run` that started them, are meant only by the name of a session of theirs.
///
/// # Errors
/// Exit status 5: there is none, or there are several (which are listed).
pub(super) async fn find(given: Option<&str>, session: Option<&str>) -> Result<PathBuf, Failure> {
    if let Some(value) = given.filter(|value| !value.is_empty()) {
        return socket(value);
    }
    let (team, own): (Vec<_>, Vec<_>) = sessions::sockets()?.into_iter().partition(|socket| is_team(socket));
    let mut found = sessions::survey(own).await;
    // A team's daemon that hangs must not keep anybody from their own.
    if session.is_some() || !found.iter().any(|daemon| daemon.is_live() && !daemon.is_private()) {
        found.extend(sessions::survey(team).await);
    }
    choose(found, session)
}

fn choose(found: Vec<Found>, session: Option<&str>) -> Result<PathBuf, Failure> {
    let mut live: Vec<_> = found.into_iter().filter(Found::is_live).collect();
    if let Some(name) = session
        && live.iter().any(|daemon| daemon.has(name))
    {
        live.retain(|daemon| daemon.has(name));
    } else {
        live.retain(|daemon| !daemon.is_private());
        // One's own comes before the team's.
        if live.iter().any(|daemon| !is_team(&daemon.socket)) {
            live.retain(|daemon| !is_team(&daemon.socket));
        }
    }
    match live.as_slice() {
        [] => Err(Failure::daemon("no daemon is listening; start one with `deployer listen`")),
        [only] => Ok(only.socket.clone()),
        several => {
            let list: Vec<_> = several.iter().map(describe).collect();
            Err(Failure::daemon(format!("several daemons are listening; choose one of\n{}", list.join("\n"))))
        }
    }
}

fn describe(daemon: &Found) -> String {
    let name = shortest(&daemon.socket);
    let about = match &daemon.answer {
        Ok(info) => crate::failure::printable(&info.tree, 200),
        Err(_) => "does not answer".to_string(),
    };
    format!("    --socket {name}  ({about})")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::sessions::Silence;
    use deployer_protocol::{DaemonInfo, SessionInfo, SessionState};

    fn daemon(socket: &str, sessions: &[&str]) -> Found {
        let session = |name: &&str| SessionInfo {
            name: name.to_string(),
            owner: "alice".to_string(),
            created_ms: 0,
            clients: Vec::new(),
            node: "root".to_string(),
            state: SessionState::Idle,
        };
        let sessions = sessions.iter().map(session).collect();
        Found {
            people: Vec::new(),
            socket: socket.into(),
            answer: Ok(DaemonInfo { pid: 1, started_ms: 0, tree: format!("{socket}.lua"), private: false, sessions }),
        }
    }

    fn private(socket: &str, sessions: &[&str]) -> Found {
        let mut found = daemon(socket, sessions);
        if let Ok(info) = &mut found.answer {
            info.private = true;
        }
        found
    }

    fn stale(socket: &str) -> Found {
        Found { people: Vec::new(), socket: socket.into(), answer: Err(Silence::Stale) }
    }

    #[test]
    fn the_only_daemon_is_meant() {
        assert_eq!(choose(vec![stale("/a"), daemon("/b", &[])], None).unwrap(), PathBuf::from("/b"));
        let silent = Found {
            people: Vec::new(),
            socket: "/c".into(),
            answer: Err(Silence::Other("no answer within 2 s".to_string())),
        };
        assert_eq!(choose(vec![silent], None).unwrap(), PathBuf::from("/c"));
    }

    #[test]
    fn the_daemon_with_the_session_is_meant() {
        let both = || vec![daemon("/a", &["amber"]), daemon("/b", &["blue", "both"]), daemon("/c", &["both"])];
        assert_eq!(choose(both(), Some("blue")).unwrap(), PathBuf::from("/b"));
        let error = choose(both(), Some("both")).unwrap_err();
        assert!(error.message.contains("--socket /b") && !error.message.contains("--socket /a"), "{error}");
        let only = vec![daemon("/a", &["amber"])];
        assert_eq!(choose(only, Some("typo")).unwrap(), PathBuf::from("/a"), "the daemon itself says what there is");
    }

    // rows: Q-05
    #[test]
    fn a_daemon_of_somebodys_run_is_meant_only_by_the_name_of_its_session() {
        let all = || vec![private("/a", &["amber"]), daemon("/b", &["blue"])];
        assert_eq!(choose(all(), None).unwrap(), PathBuf::from("/b"));
        assert_eq!(choose(all(), Some("typo")).unwrap(), PathBuf::from("/b"));
        assert_eq!(choose(all(), Some("amber")).unwrap(), PathBuf::from("/a"));
        let error = choose(vec![private("/a", &[])], None).unwrap_err();
        assert!(error.message.starts_with("no daemon is listening"), "{error}");
    }

    #[test]
    fn none_or_several_are_no_guess() {
        let error = choose(vec![stale("/a")], None).unwrap_err();
        assert_eq!(
            (error.status, error.message.as_str()),
            (5, "no daemon is listening; start one with `deployer listen`")
        );
        let error = choose(vec![daemon("/a", &[]), daemon("/b", &[])], None).unwrap_err();
        assert_eq!(error.status, 5);
        assert_eq!(
            error.message,
            "several daemons are listening; choose one of\n    --socket /a  (/a.lua)\n    --socket /b  (/b.lua)"
        );
    }
}
