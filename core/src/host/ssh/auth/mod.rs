//! Logging in, the way OpenSSH does it: keys, then passwords, then whatever the server wants to know.

mod agent;
mod dialogue;
mod keys;
mod memory;
mod plan;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::{Algorithm, HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey, decode_secret_key};
use russh::{AgentAuthError, MethodKind, Signer};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::connection::LAST_WORDS;
use super::dial::{Link, is_rsa, thinking_time};
use super::failure::{Failure, printable};
use super::questions::Questions;
use super::target::Target;
use super::vitals::NO_METHOD_LEFT;
use crate::host::{NoAnswer, QuestionKind};
use crate::node::Secret;

use agent::Agent;
use keys::{Candidate, Keys, Source};
use plan::{Plan, Step};

pub(super) use memory::Memory;

/// How long an agent may take to sign: it may ask its owner first.
const AGENT_LIMIT: std::time::Duration = std::time::Duration::from_secs(60);

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

    async fn key(&mut self, index: usize) -> Result<Answered, Trouble> {
        let Candidate { label, public, source } = self.keys[index].clone();
        let answered = match source {
            Source::Ready(key) => self.sign(&label, key).await?,
            Source::Agent(held) => self.agent_key(&label, &held).await?,
            Source::Locked(text, file) => self.locked_key(&label, public.as_ref(), text, &file).await?,
        };
        if !matches!(answered, Answered::In) && self.notes.last().is_none_or(|note| !note.starts_with(&label)) {
            self.notes.push(label);
        }
        Ok(answered)
    }

    async fn locked_key(
        &mut self,
        label: &str,
        public: Option<&PublicKey>,
        text: Arc<Zeroizing<String>>,
        file: &Path,
    ) -> Result<Answered, Trouble> {
        let key = match self.memory.key(file) {
            Some(key) => key,
            None => {
                if let Some(answered) = self.probe(label, public).await? {
                    return Ok(answered);
                }
                let Some(key) = self.unlock(label, text).await? else { return Ok(Answered::NotOffered) };
                self.memory.remember_key(file, key.clone());
                key
            }
        };
        self.sign(label, key).await
    }

    async fn sign(&mut self, label: &str, key: Arc<PrivateKey>) -> Result<Answered, Trouble> {
        let Some(hash) = self.hash(label, &key.algorithm()).await? else { return Ok(Answered::NotOffered) };
        let key = PrivateKeyWithHashAlg::new(key, hash);
        let user = self.target.user.clone();
        timed(self.target, self.link.handle.authenticate_publickey(user, key)).await.map(Answered::from)
    }

    async fn agent_key(&mut self, label: &str, held: &AgentIdentity) -> Result<Answered, Trouble> {
        let Some(hash) = self.hash(label, &held.public_key().algorithm()).await? else {
            return Ok(Answered::NotOffered);
        };
        let Some(agent) = self.agent.as_mut() else { return Ok(Answered::NotOffered) };
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let signed = timeout(thinking_time(self.target.timeout) + AGENT_LIMIT, async {
            match held {
                AgentIdentity::PublicKey { key, .. } => {
                    handle.authenticate_publickey_with(user, key.clone(), hash, &mut agent.client).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut agent.client).await
                }
            }
        });
        match signed.await {
            Ok(Ok(result)) => Ok(result.into()),
            Ok(Err(AgentAuthError::Send(_))) => Err(Trouble::Gone),
            Ok(Err(AgentAuthError::Key(error))) => {
                self.notes.push(format!("{label} (the agent did not sign: {error})"));
                Ok(Answered::NotOffered)
            }
            Err(_) => Err(Failure::late("authentication", AGENT_LIMIT).into()),
        }
    }

    /// Finds out whether the server would take the key of an encrypted file; only then is anybody asked to unlock it.
    /// `None`: it would.
    async fn probe(&mut self, label: &str, public: Option<&PublicKey>) -> Result<Option<Answered>, Trouble> {
        let Some(public) = public else { return Ok(None) };
        let Some(hash) = self.hash(label, &public.algorithm()).await? else { return Ok(Some(Answered::NotOffered)) };
        let mut probe = Probe { wanted: false };
        let (user, handle) = (self.target.user.clone(), &mut self.link.handle);
        let asking = handle.authenticate_publickey_with(user, public.clone(), hash, &mut probe);
        let limit = thinking_time(self.target.timeout);
        match timeout(limit, asking).await {
            Ok(Err(AgentAuthError::Key(_))) if probe.wanted => Ok(None),
            Ok(Ok(result)) => Ok(Some(result.into())),
            Ok(Err(_)) => Err(Trouble::Gone),
            Err(_) => Err(Failure::late("authentication", limit).into()),
        }
    }

    async fn unlock(&mut self, label: &str, text: Arc<Zeroizing<String>>) -> Result<Option<Arc<PrivateKey>>, Trouble> {
        let passphrase = match &self.target.identity.key_password {
            Some(given) => given.clone(),
            None => {
                let prompt = format!("passphrase of {label}");
                let Some(answer) = self.ask(String::new(), prompt, QuestionKind::Secret).await? else {
                    self.notes.push(format!("{label} (encrypted, and nobody is there to unlock it)"));
                    return Ok(None);
                };
                answer
            }
        };
        // Takes a tenth of a second or more, by design of the key's makers.
        let unlocked = tokio::task::spawn_blocking(move || decode_secret_key(&text, Some(passphrase.reveal()))).await;
        match unlocked {
            Ok(Ok(key)) => Ok(Some(Arc::new(key))),
            Ok(Err(_)) => {
                self.notes.push(format!("{label} (wrong passphrase)"));
                Ok(None)
            }
            Err(stopped) => Err(Failure::new(stopped.to_string()).into()),
        }
    }

    /// The hash for signatures of RSA keys, the best the server knows. `None`: it wants SHA-1 only, and does not get it.
    async fn hash(&mut self, label: &str, algorithm: &Algorithm) -> Result<Option<Option<HashAlg>>, Trouble> {
        if !is_rsa(algorithm) {
            return Ok(Some(None));
        }
        match timed(self.target, self.link.handle.best_supported_rsa_hash()).await? {
            Some(None) => {
                self.notes.push(format!("{label} (the server wants signatures with SHA-1, which are not safe)"));
                Ok(None)
            }
            Some(best) => Ok(Some(best)),
            None => Ok(Some(Some(HashAlg::Sha512))),
        }
    }

    async fn given_password(&mut self) -> Result<Answered, Trouble> {
        let Some(password) = self.given.clone() else { return Ok(Answered::NotOffered) };
        let answered = self.password(&password).await?;
        if !matches!(answered, Answered::In | Answered::Out { partial: true, .. }) {
            self.memory.forget_password();
            self.notes.push("the password".into());
        }
        Ok(answered)
    }

    async fn asked_password(&mut self) -> Result<Answered, Trouble> {
        let again = self.notes.iter().any(|note| note == "a typed password");
        let notice = if again { "Permission denied, please try again.".into() } else { self.link.vitals.banner() };
        let prompt = format!("password for {}@{}", self.target.user, self.target.address);
        let Some(password) = self.ask(notice, prompt, QuestionKind::Secret).await? else {
            self.notes.push("a password (nobody is there to type it)".into());
            return Ok(Answered::NotOffered);
        };
        // Remembered before it is known to be right: the server may have hung up while it was typed.
        self.memory.remember_password(password.clone());
        let answered = self.password(&password).await?;
        match &answered {
            Answered::In | Answered::Out { partial: true, .. } => {}
            Answered::Out { allowed, .. } if allowed.is_empty() && !self.was_rejected().await => {}
            _ => {
                self.memory.forget_password();
                self.notes.push("a typed password".into());
            }
        }
        Ok(answered)
    }

    async fn password(&mut self, password: &Secret) -> Result<Answered, Trouble> {
        let user = self.target.user.clone();
        let sending = self.link.handle.authenticate_password(user, password.reveal());
        timed(self.target, sending).await.map(Answered::from)
    }

    /// Asks a person. `None`: nobody is there, and nobody is asked again.
    async fn ask(&mut self, notice: String, prompt: String, kind: QuestionKind) -> Result<Option<Secret>, Trouble> {
        match self.questions.ask(notice, prompt, kind).await {
            Ok(answer) => {
                self.asked += 1;
                Ok(Some(Secret::new(answer.0.as_str())))
            }
            Err(why @ NoAnswer::NobodyThere) => {
                self.unanswered = Some(why);
                self.plan.nobody();
                Ok(None)
            }
            Err(why @ NoAnswer::Cancelled) => {
                Err(Failure::new(format!("authentication: {why}")).unanswered(why).into())
            }
        }
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
        Refusal { failure: failure.hint(self.advice()), hung_up_on_a_person }
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
        if self.notes.is_empty() { String::new() } else { format!("; tried {}", self.notes.join(", ")) }
    }

    fn advice(&self) -> String {
        let user = &self.target.user;
        if self.keys.is_empty() {
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

/// Signs nothing; finds out whether a signature would be wanted.
struct Probe {
    wanted: bool,
}

impl Signer for Probe {
    type Error = AgentAuthError;

    async fn auth_sign(
        &mut self,
        _: &AgentIdentity,
        _: Option<HashAlg>,
        _: Vec<u8>,
    ) -> Result<Vec<u8>, AgentAuthError> {
        self.wanted = true;
        Err(AgentAuthError::Key(russh::keys::Error::AgentFailure))
    }
}
