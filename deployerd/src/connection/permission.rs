//! Whether a client may do what it asks for, and giving sessions to others.
//!
//! What each message needs stands in `authority::verbs`; here is who asks and which session it is about.

use std::sync::Arc;

use deployer_protocol::{ErrorKind, FromClient, FromDaemon, Share};

use super::{Connection, Refusal, Requests, no_such_session};
use crate::authority::{Person, Rank, Rule, Subject, kept_from, permit, rule, subject, uid_of, verb};
use crate::journal::{About, What, text};
use crate::session::Handle;

impl<R: Requests> Connection<R> {
    /// Whether this message is for this person to send; says why not, to the client and to the journal.
    pub(super) fn permitted(&mut self, message: &FromClient) -> bool {
        if let (FromClient::Input(_), Some(attachment)) = (message, &self.attachment)
            && attachment.watches()
        {
            // Watchers' keys are dropped where they arrive.
            return true;
        }
        let session = match subject(message) {
            Subject::Nothing => None,
            Subject::Attached => self.attachment.as_ref().map(|attachment| attachment.session.clone()),
            Subject::Named(name) => self.daemon.registry.find(name),
        };
        let policy = self.daemon.options.oversight.authority.policy();
        let rank = policy.rank(&self.person);
        let standing = session.as_ref().map(|session| session.access.standing(&self.person, rank));
        let rule = rule(message);
        let why = match permit(rank, rule, standing) {
            true => match (message, &session) {
                (FromClient::Input(_), Some(session)) => self.kept_from_typing(session),
                _ => None,
            },
            false => Some(self.why_not(rank, rule, session.as_deref())),
        };
        match why {
            None => {
                if let (FromClient::Input(_), Some(attachment)) = (message, &mut self.attachment) {
                    attachment.told_of_refusal = false;
                }
                true
            }
            Some(why) => {
                self.forbid(message, session.as_deref(), why);
                false
            }
        }
    }

    /// Why keys may not reach what runs: the person may not act on a node that it acts on.
    fn kept_from_typing(&self, session: &Handle) -> Option<String> {
        let place = kept_from(&self.daemon.options.oversight.authority.policy(), &self.person, session)?;
        Some(format!("{} may not type while something runs on {place}: that needs operator there", self.person.name))
    }

    fn why_not(&self, rank: Option<Rank>, rule: Rule, session: Option<&Handle>) -> String {
        let me = &self.person.name;
        let (Some(_), Some(session)) = (rank, session) else { return no_rank(&self.person) };
        let (name, owner) = (&session.name, session.access.owner().name.clone());
        match rule {
            Rule::Keyboard => format!(
                "session {name} belongs to {owner}: watch it with `deployer connect --session {name} --watch`, or ask \
                 {owner} for the keyboard (`deployer share {name} {me}`)"
            ),
            Rule::Own | Rule::Anybody => {
                format!("session {name} belongs to {owner}: only {owner} and admins end it or give it away")
            }
        }
    }

    fn forbid(&mut self, message: &FromClient, session: Option<&Handle>, why: String) {
        if let FromClient::Input(_) = message {
            // Once, and not for every key.
            match &mut self.attachment {
                Some(attachment) if !attachment.told_of_refusal => attachment.told_of_refusal = true,
                _ => return,
            }
        }
        let mut about = About::person(&self.person);
        if let Some(session) = session {
            about = about.in_session(&session.name);
        }
        self.note(about, What::Refusal { verb: verb(message).to_string(), node: None, reason: text(&why) });
        self.refuse(ErrorKind::Permission, why);
    }

    /// After the policy changed.
    ///
    /// # Errors
    /// When the person has no rank any more: the connection ends.
    pub(super) fn still_known(&self) -> Result<(), Refusal> {
        match self.daemon.options.oversight.authority.policy().rank(&self.person) {
            Some(_) => Ok(()),
            None => Err(Refusal(ErrorKind::Permission, no_rank(&self.person))),
        }
    }

    pub(super) async fn share(&mut self, Share { session: name, user, on }: Share) {
        let Some(session) = self.daemon.registry.find(&name) else {
            return self.refuse(ErrorKind::Session, no_such_session(&name));
        };
        let Some(person) = self.colleague(user, on).await else { return };
        if let Err(why) = session.access.share(person.uid, &person.name, on) {
            return self.refuse(ErrorKind::Session, why);
        }
        let about = About::person(&self.person).in_session(&name);
        self.note(about, What::Share { to: person.name.clone(), on });
        let now = if on { "lets" } else { "no longer lets" };
        session.changed(format!("{} {now} {} type here", self.person.name, person.name)).await;
        self.outbox.put(FromDaemon::Given(match on {
            true => format!("{0} may type in session {name}: `deployer connect --session {name}`", person.name),
            false => format!("{} may not type in session {name} any more", person.name),
        }));
    }

    pub(super) async fn hand_over(&mut self, name: &str, user: String) {
        let Some(session) = self.daemon.registry.find(name) else {
            return self.refuse(ErrorKind::Session, no_such_session(name));
        };
        let Some(person) = self.colleague(user, true).await else { return };
        if self.daemon.options.oversight.authority.policy().rank(&person) < Some(Rank::Operator) {
            let why = format!("{} is viewer: nothing could be run in a session of theirs", person.name);
            return self.refuse(ErrorKind::Session, why);
        }
        session.hand_over(person.clone());
        self.note(About::person(&self.person).in_session(name), What::HandOver { to: person.name.clone() });
        session.changed(format!("{} gives this session to {}", self.person.name, person.name)).await;
        self.outbox.put(FromDaemon::Given(format!("session {name} belongs to {} now", person.name)));
    }

    /// Somebody who can be given something: `known` demands a rank, so that nothing is given into a void.
    async fn colleague(&self, user: String, known: bool) -> Option<Arc<Person>> {
        let found = tokio::task::spawn_blocking(move || {
            uid_of(&user).map(|uid| {
                let gid =
                    nix::unistd::User::from_uid(uid.into()).ok().flatten().map_or(u32::MAX, |user| user.gid.as_raw());
                Arc::new(Person::look_up(uid, gid))
            })
        });
        let person = match found.await.unwrap_or_else(|panic| Err(panic.to_string())) {
            Ok(person) => person,
            Err(why) => {
                self.refuse(ErrorKind::Session, why);
                return None;
            }
        };
        if known && self.daemon.options.oversight.authority.policy().rank(&person).is_none() {
            self.refuse(ErrorKind::Session, no_rank(&person));
            return None;
        }
        Some(person)
    }
}

/// Why somebody without a rank is refused.
pub(super) fn no_rank(person: &Person) -> String {
    format!(
        "{} (user id {}) may not use this daemon: its policy gives no rank to the user or a group of theirs; ask an admin \
         of the daemon",
        person.name, person.uid
    )
}
