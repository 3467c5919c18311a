//! The daemons of this user and what runs in them: asked all at once, told as a table or as JSON.

mod json;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use deployer_protocol::{DaemonInfo, FromClient, FromDaemon, SessionPeople};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Connection, Unreachable};
use crate::failure::Failure;

pub(crate) use json::json;
pub(crate) use table::{View, table};

/// How long each daemon may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// A socket and what was found out about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its path.
    pub(crate) socket: PathBuf,
    /// What its daemon says, or why nothing is heard.
    pub(crate) answer: Result<DaemonInfo, Silence>,
    /// Who has to do with its sessions, as far as it says.
    pub(crate) people: Vec<SessionPeople>,
}

/// Why nothing is heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody listens any more.
    Stale,
    /// Somebody listens, but cannot be used; why.
    Other(String),
}

impl Found {
    /// Whether a daemon listens there, even one that does not answer.
    pub(crate) fn is_live(&self) -> bool {
        self.answer != Err(Silence::Stale)
    }

    /// Whether its daemon is known to serve one `run` only.
    pub(crate) fn is_private(&self) -> bool {
        self.answer.as_ref().is_ok_and(|info| info.private)
    }

    /// Who has to do with a session, when its daemon says.
    pub(crate) fn people_of(&self, session: &str) -> Option<&SessionPeople> {
        self.people.iter().find(|people| people.session == session)
    }

    /// Whether its daemon has a session of this name.
    pub(crate) fn has(&self, session: &str) -> bool {
        self.answer.as_ref().is_ok_and(|info| info.sessions.iter().any(|found| found.name == session))
    }
}

/// Asks all of these sockets at once; the answers are in the order of the question. A socket that went away
/// meanwhile is left out.
pub(crate) async fn survey(sockets: Vec<PathBuf>) -> Vec<Found> {
    let mut asked = JoinSet::new();
    for (index, socket) in sockets.into_iter().enumerate() {
        asked.spawn(async move {
            let answer = ask(&socket).await;
            (index, socket, answer)
        });
    }
    let mut found: Vec<_> = asked.join_all().await;
    found.sort_by_key(|(index, ..)| *index);
    found
        .into_iter()
        .filter_map(|(_, socket, answer)| match answer {
            Ok((info, people)) => Some(Found { people, socket, answer: Ok(info) }),
            Err(Unreachable::Missing) => None,
            Err(Unreachable::Stale) => Some(Found { people: Vec::new(), socket, answer: Err(Silence::Stale) }),
            Err(Unreachable::Forbidden) => {
                Some(Found { people: Vec::new(), socket, answer: Err(Silence::Other("not permitted".to_string())) })
            }
            Err(Unreachable::Silent(seconds)) => Some(Found {
                people: Vec::new(),
                socket,
                answer: Err(Silence::Other(format!("no answer within {seconds} s"))),
            }),
            Err(Unreachable::Unusable(why)) => {
                Some(Found { people: Vec::new(), socket, answer: Err(Silence::Other(why)) })
            }
        })
        .collect()
}

async fn ask(socket: &Path) -> Result<(DaemonInfo, Vec<SessionPeople>), Unreachable> {
    let answer = async {
        let mut connection = Connection::open(socket, ANSWER_LIMIT).await?;
        match connection.ask(FromClient::List(())).await {
            Ok(FromDaemon::Info(info)) => {
                let people = connection.people().await.map_err(|failure| Unreachable::Unusable(failure.message))?;
                Ok((info, people))
            }
            Ok(other) => Err(Unreachable::Unusable(format!("it answered with message {}", other.number()))),
            Err(failure) => Err(Unreachable::Unusable(failure.message)),
        }
    };
    timeout(ANSWER_LIMIT, answer).await.unwrap_or(Err(Unreachable::Silent(ANSWER_LIMIT.as_secs())))
}

/// All sockets that there are.
///
/// # Errors
/// When their directory is not safe to look into.
pub(crate) fn sockets() -> Result<Vec<PathBuf>, Failure> {
    deployerd::socket::list().map_err(|error| Failure::daemon(error.to_string()))
}

/// What `--socket` takes for this path: its number when it is one of the user's, the path otherwise.
pub(crate) fn shortest(socket: &Path) -> String {
    let number =
        socket.file_stem().and_then(|stem| stem.to_str()).filter(|stem| stem.bytes().all(|byte| byte.is_ascii_digit()));
    match number {
        Some(number) if deployerd::socket::resolve(number).is_ok_and(|path| path == socket) => number.to_string(),
        _ => socket.display().to_string(),
    }
}
