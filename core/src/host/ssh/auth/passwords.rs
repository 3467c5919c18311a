//! Passwords, given and typed.

use super::{Answered, Login, Trouble, timed};
use crate::host::ssh::failure::Failure;
use crate::host::{NoAnswer, QuestionKind};
use crate::node::Secret;

/// How passwords are named among what was tried.
pub(super) const GIVEN: &str = "the password";
pub(super) const TYPED: &str = "a typed password";

impl Login<'_> {
    pub(super) async fn given_password(&mut self) -> Result<Answered, Trouble> {
        let Some(password) = self.given.clone() else { return Ok(Answered::NotOffered) };
        let answered = self.password(&password).await?;
        if !matches!(answered, Answered::In | Answered::Out { partial: true, .. }) {
            self.memory.forget_password();
            self.notes.push(GIVEN.into());
        }
        Ok(answered)
    }

    pub(super) async fn asked_password(&mut self) -> Result<Answered, Trouble> {
        let again = self.notes.iter().any(|note| note == TYPED);
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
                self.notes.push(TYPED.into());
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
    pub(super) async fn ask(
        &mut self,
        notice: String,
        prompt: String,
        kind: QuestionKind,
    ) -> Result<Option<Secret>, Trouble> {
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
}
