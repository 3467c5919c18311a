//! Keyboard-interactive: the server asks what it likes, as often as it likes.

use russh::client::{KeyboardInteractiveAuthResponse as Response, Prompt};
use zeroize::Zeroize;

use super::{Answered, Login, Trouble, timed};
use crate::host::QuestionKind;
use crate::host::ssh::failure::{Failure, printable};

/// Rounds in one dialogue and prompts in one round; real servers use one to three.
const MAX_ROUNDS: usize = 20;
const MAX_PROMPTS: usize = 16;

impl Login<'_> {
    pub(super) async fn dialogue(&mut self) -> Result<Answered, Trouble> {
        self.notes.push("keyboard-interactive".into());
        let user = self.target.user.clone();
        let starting = self.link.handle.authenticate_keyboard_interactive_start(user, None::<String>);
        let mut response = timed(self.target, starting).await?;
        for _ in 0..MAX_ROUNDS {
            let (name, instructions, prompts) = match response {
                Response::Success => return Ok(Answered::In),
                Response::Failure { remaining_methods, partial_success } => {
                    return Ok(Answered::Out { allowed: remaining_methods.to_vec(), partial: partial_success });
                }
                Response::InfoRequest { name, instructions, prompts } => (name, instructions, prompts),
            };
            let Some(answers) = self.answers(&name, &instructions, &prompts).await? else {
                // The dialogue cannot be left half-way; the server takes empty answers for wrong ones.
                let empty = vec![String::new(); prompts.len()];
                let handle = &mut self.link.handle;
                response = timed(self.target, handle.authenticate_keyboard_interactive_respond(empty)).await?;
                continue;
            };
            let handle = &mut self.link.handle;
            response = timed(self.target, handle.authenticate_keyboard_interactive_respond(answers)).await?;
        }
        Err(Failure::new("authentication: the server never stops asking").into())
    }

    /// One answer for each prompt. `None`: nobody is there.
    async fn answers(
        &mut self,
        name: &str,
        instructions: &str,
        prompts: &[Prompt],
    ) -> Result<Option<Vec<String>>, Trouble> {
        if prompts.len() > MAX_PROMPTS {
            return Err(Failure::new(format!("authentication: {} questions at once", prompts.len())).into());
        }
        let mut notice = [self.link.vitals.banner(), printable(name, 200), printable(instructions, 2000)];
        let mut answers: Vec<String> = Vec::new();
        for prompt in prompts {
            if prompts.len() == 1
                && wants_password(prompt)
                && self.plan.take_given()
                && let Some(password) = &self.given
            {
                return Ok(Some(vec![password.reveal().to_string()]));
            }
            let kind = if prompt.echo { QuestionKind::Line } else { QuestionKind::Secret };
            let shown: Vec<String> = notice.iter_mut().map(std::mem::take).filter(|text| !text.is_empty()).collect();
            match self.ask(shown.join("\n"), question(prompt), kind).await? {
                Some(answer) => answers.push(answer.reveal().to_string()),
                None => {
                    answers.iter_mut().for_each(Zeroize::zeroize);
                    return Ok(None);
                }
            }
        }
        Ok(Some(answers))
    }
}

fn wants_password(prompt: &Prompt) -> bool {
    !prompt.echo && prompt.prompt.to_lowercase().contains("password")
}

/// A prompt as our own prompts look: without a colon at its end.
fn question(prompt: &Prompt) -> String {
    let text = printable(&prompt.prompt, 200);
    text.trim_end_matches(':').trim_end().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hidden_prompts_for_a_password_get_it() {
        let wants = |prompt: &str, echo| wants_password(&Prompt { prompt: prompt.into(), echo });
        assert!(wants("Password: ", false));
        assert!(wants("(anna@web1) Password: ", false));
        assert!(!wants("Password: ", true));
        assert!(!wants("Verification code: ", false));
    }

    #[test]
    fn prompts_lose_their_colon_and_their_escapes() {
        let asked = |prompt: &str| question(&Prompt { prompt: prompt.into(), echo: false });
        assert_eq!(asked("Verification code: "), "Verification code");
        assert_eq!(asked("\x1b[31mCode:"), "[31mCode");
    }
}
