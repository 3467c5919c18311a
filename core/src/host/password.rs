//! Who knows the password that sudo wants, and how it gets there (rows F-19, F-59, F-60).

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::{Asker, HostServices, NoAnswer, ProcessControl, Question, QuestionKind};
use crate::node::{HostDef, HostKind, Secret};

/// Why there is no password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoPassword {
    /// For the person who started the run.
    Because(String),
    /// The person gave up.
    Cancelled,
}

/// Passwords that were typed for sudo, so that a person types each once for an action. Only for as long as that runs, and
/// never for anybody else's runs (design 6): several people may use one session.
#[derive(Default)]
pub(crate) struct TypedPasswords {
    /// A mutex around plain data, locked for a lookup or a change.
    known: Mutex<Vec<Typed>>,
}

/// Who typed which password for which host.
struct Typed {
    by: Weak<dyn Asker>,
    host: HostDef,
    secret: Secret,
}

impl Typed {
    fn is_of(&self, asker: &Arc<dyn Asker>, host: &HostDef) -> bool {
        self.host == *host && std::ptr::addr_eq(self.by.as_ptr(), Arc::as_ptr(asker))
    }
}

impl TypedPasswords {
    fn lock(&self) -> MutexGuard<'_, Vec<Typed>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|typed| typed.by.strong_count() > 0);
        known
    }

    fn of(&self, asker: &Arc<dyn Asker>, host: &HostDef) -> Option<Secret> {
        let known = self.lock();
        known.iter().find(|typed| typed.is_of(asker, host)).map(|typed| typed.secret.clone())
    }

    fn remember(&self, asker: &Arc<dyn Asker>, host: &HostDef, secret: Secret) {
        self.forget(asker, host);
        self.lock().push(Typed { by: Arc::downgrade(asker), host: host.clone(), secret });
    }

    fn forget(&self, asker: &Arc<dyn Asker>, host: &HostDef) {
        self.lock().retain(|typed| !typed.is_of(asker, host));
    }
}

impl fmt::Debug for TypedPasswords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TypedPasswords({})", self.lock().len())
    }
}

/// Knows or asks for the password of one host.
#[derive(Clone)]
pub(crate) struct Password {
    pub(crate) host: HostDef,
    pub(crate) asker: Arc<dyn Asker>,
    pub(crate) services: Arc<HostServices>,
}

impl Password {
    /// Types the password, asking for it when it is not known, and tells what was typed.
    pub(crate) async fn give(self, control: ProcessControl) -> Result<Secret, NoPassword> {
        let secret = self.find().await?;
        if secret.reveal().chars().any(char::is_control) {
            return Err(NoPassword::Because(
                "the sudo password contains a control character, which nobody can type".into(),
            ));
        }
        let typed = Zeroizing::new(format!("{}\n", secret.reveal()).into_bytes());
        control.input(Bytes::from_owner(typed)).await;
        Ok(secret)
    }

    async fn find(&self) -> Result<Secret, NoPassword> {
        if let Some(secret) = &self.host.settings().password {
            return Ok(secret.clone());
        }
        let typed = &self.services.typed_passwords;
        if let Some(secret) = typed.of(&self.asker, &self.host) {
            return Ok(secret);
        }
        match self.asker.ask(self.question()).await {
            Ok(answer) => {
                let secret = Secret::new(answer.0.as_str());
                typed.remember(&self.asker, &self.host, secret.clone());
                Ok(secret)
            }
            Err(NoAnswer::Cancelled) => Err(NoPassword::Cancelled),
            Err(NoAnswer::NobodyThere) => Err(NoPassword::Because(format!(
                "sudo asks for the password of {}, and nobody is there to give it: set the password of the host, or \
                 allow the command with NOPASSWD",
                self.user().unwrap_or_else(|| "the user".to_string())
            ))),
        }
    }

    /// It was wrong: it is not used again.
    pub(crate) fn wrong(&self) -> String {
        self.services.typed_passwords.forget(&self.asker, &self.host);
        let whose = self.user().map(|user| format!(" for {user}")).unwrap_or_default();
        let next = match self.host.settings().password {
            Some(_) => "correct the password of the host where it is defined",
            None => "run it again to type another one",
        };
        format!("sudo: wrong password{whose}; {next}")
    }

    fn question(&self) -> Question {
        let slug = self.host.slug();
        let prompt = match self.user() {
            Some(user) => format!("sudo password for {user} on {slug}"),
            None => format!("sudo password on {slug}"),
        };
        Question { label: slug.to_string(), notice: String::new(), prompt, kind: QuestionKind::Secret }
    }

    /// Whose password it is, when that is known here and not only in the SSH configuration.
    fn user(&self) -> Option<String> {
        match (&self.host.settings().username, self.host.kind()) {
            (_, HostKind::Local) => ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok()),
            (username, _) => username.clone(),
        }
    }
}
