//! Logging in, the way OpenSSH does it: keys, then passwords, then whatever the server wants to know.

mod agent;
mod dialogue;
mod keys;
mod memory;
mod offer;
mod passwords;
mod plan;
mod signers;

use std::future::Future;

use russh::MethodKind;
use russh::client::AuthResult;
use tokio::time::timeout;

use super::connection::LAST_WORDS;
use super::dial::{Link, thinking_time};
use super::failure::{Failure, printable};
use super::questions::Questions;
use super::target::Target;
use super::vitals::NO_METHOD_LEFT;
use crate::host::NoAnswer;
use crate::node::Secret;

use agent::Agent;
use keys::{Candidate, Keys};
use passwords::{GIVEN, TYPED};
use plan::{Plan, Step};

pub(super) use memory::Memory;

/// Why a login came to nothing.
pub(super) struct Refusal {
    pub(super) failure: Failure,
    /// The server closed the connection while a person was typing; with the answer remembered it is worth another try.
    pub(super) hung_up_on_a_person: bool,
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        Refusal { failure, hung_up_on_a_person: false }
    }
}

/// What became of one step.
enum Answered {
    In,
    /// Not yet: what the server allows now, and whether the step was good as one of several.
    Out {
        allowed: Vec<MethodKind>,
        partial: bool,
    },
    /// Nothing was sent.
    NotOffered,
}

impl From<AuthResult> for Answered {
    fn from(result: AuthResult) -> Answered {
        match result {
            AuthResult::Success => Answered::In,
            AuthResult::Failure { remaining_methods, partial_success } => {
                Answered::Out { allowed: remaining_methods.to_vec(), partial: partial_success }
            }
        }
    }
}

/// Logs in on a fresh connection.
pub(super) async fn log_in(
    link: &mut Link,
    target: &Target,
    questions: &Questions,
    memory: &Memory,
) -> Result<(), Refusal> {
    let mut notes = Vec::new();
    let agent = match &target.identity.agent {
        Some(socket) => match Agent::connect(socket, link.handle.agent_session_binding()).await {
            Ok(agent) => Some(agent),
            Err(why) => {
                notes.push(format!("agent {} ({why})", socket.display()));
                None
            }
        },
        None => None,
    };
    let identity = target.identity.clone();
    let held = agent.as_ref().map(|agent| agent.identities.clone()).unwrap_or_default();
    let gathered = tokio::task::spawn_blocking(move || Keys::gather(&identity, &held)).await;
    let gathered = gathered.map_err(|stopped| Failure::new(stopped.to_string()))??;
    notes.extend(gathered.notes);
    let given = target.identity.password.clone().or_else(|| memory.password());
    let plan = Plan::new(gathered.candidates.len(), given.is_some(), target.identity.password.is_none());
    let keys = gathered.candidates;
    Login { link, target, questions, memory, agent, keys, given, plan, notes, asked: 0, unanswered: None }.run().await
}

struct Login<'a> {
    link: &'a mut Link,
    target: &'a Target,
    questions: &'a Questions,
    memory: &'a Memory,
    agent: Option<Agent>,
    keys: Vec<Candidate>,
    given: Option<Secret>,
    plan: Plan,
    /// What was tried, for the error.
    notes: Vec<String>,
    /// Questions a person has answered.
    asked: usize,
    unanswered: Option<NoAnswer>,
}

impl Login<'_> {
    async fn run(mut self) -> Result<(), Refusal> {
        while let Some(step) = self.plan.next() {
            let answered = match step {
                Step::Probe => {
                    let user = self.target.user.clone();
                    timed(self.target, self.link.handle.authenticate_none(user)).await.map(Answered::from)
                }
                Step::Key(index) => self.key(index).await,
                Step::GivenPassword => self.given_password().await,
                Step::AskedPassword => self.asked_password().await,
                Step::Dialogue => self.dialogue().await,
            };
            match answered {
                Ok(Answered::In) => return Ok(()),
                Ok(Answered::NotOffered) if matches!(step, Step::Key(_)) => self.plan.not_offered(),
                Ok(Answered::NotOffered) => {}
                // Nothing is allowed any more: russh says so too when the connection is gone.
                Ok(Answered::Out { allowed, .. }) if allowed.is_empty() => return Err(self.ended().await),
                Ok(Answered::Out { allowed, partial }) => self.plan.answered(&allowed, partial),
                Err(Trouble::Gone) => return Err(self.ended().await),
                Err(Trouble::Failed(failure)) => return Err(failure.into()),
            }
        }
        Err(self.denied().into())
    }

    /// Whether the connection, which is over, ended because the server had enough of wrong answers.
    async fn was_rejected(&self) -> bool {
        let why = self.why_ended().await;
        why.contains("Too many") || why == NO_METHOD_LEFT
    }

    async fn why_ended(&self) -> String {
        // The reason arrives with the end, in another task.
        let _late = timeout(LAST_WORDS, self.link.vitals.ended().cancelled()).await;
        self.link.vitals.end().unwrap_or_else(|| "the server closed the connection".into())
    }

    /// The connection is over.
    async fn ended(&self) -> Refusal {
        let why = self.why_ended().await;
        let hung_up_on_a_person = self.asked > 0 && !self.was_rejected().await;
        let failure = Failure::new(format!("authentication: {why}{}", self.tried()));
        let advice = if why.contains("Too many") && self.keys.len() > 1 {
            "say which key is meant: key_filename of the host, or IdentityFile and IdentitiesOnly yes in the ssh configuration"
                .into()
        } else {
            self.advice()
        };
        Refusal { failure: failure.hint(advice), hung_up_on_a_person }
    }

    fn denied(&self) -> Failure {
        let allows = match self.plan.allowed() {
            Some(allowed) => allowed.iter().map(<&str>::from).collect::<Vec<_>>().join(", "),
            None => "nothing we know".into(),
        };
        let reason = format!("authentication: permission denied{}; the server allows {allows}", self.tried());
        let failure = Failure::new(reason).hint(self.advice());
        match self.unanswered {
            Some(why) => failure.unanswered(why),
            None => failure,
        }
    }

    fn tried(&self) -> String {
        let mut tried: Vec<(&str, usize)> = Vec::new();
        for note in &self.notes {
            match tried.iter_mut().find(|(said, _)| said == note) {
                Some((_, times)) => *times += 1,
                None => tried.push((note, 1)),
            }
        }
        let tried = tried.into_iter().map(|(note, times)| match times {
            1 => note.to_string(),
            times => format!("{note} ({times} times)"),
        });
        let tried = tried.collect::<Vec<_>>().join(", ");
        if tried.is_empty() { String::new() } else { format!("; tried {tried}") }
    }

    fn advice(&self) -> String {
        let user = &self.target.user;
        let refused = |password: &str| self.notes.iter().any(|note| note == password);
        if self.target.identity.password.is_some() && refused(GIVEN) {
            format!(
                "the password of the host was not accepted: correct it where the host is defined, or its user {user}"
            )
        } else if refused(TYPED) {
            format!("is {user} the right user? run it again to type another password")
        } else if self.keys.is_empty() {
            "no key was found: set key_filename of the host, start an agent, or run where a password can be asked"
                .into()
        } else {
            format!("is {user} the right user, and is one of these keys in its authorized_keys?")
        }
    }
}

/// What keeps a login from going on.
enum Trouble {
    /// The connection is over.
    Gone,
    Failed(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Failed(failure)
    }
}

async fn timed<T>(target: &Target, step: impl Future<Output = Result<T, russh::Error>>) -> Result<T, Trouble> {
    let limit = thinking_time(target.timeout);
    match timeout(limit, step).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(russh::Error::SendError | russh::Error::RecvError | russh::Error::Disconnect)) => Err(Trouble::Gone),
        Ok(Err(error)) => Err(Failure::new(format!("authentication: {}", printable(&error.to_string(), 200))).into()),
        Err(_) => Err(Failure::late("authentication", limit).into()),
    }
}
