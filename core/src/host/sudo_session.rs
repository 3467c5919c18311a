//! sudo within one run: its streams, the one answer it gets, and why it refused.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::driven::Stop;
use super::keys::Gate;
use super::password::{NoPassword, Password};
use super::sudo::{Heard, Marks, SudoTalk};
use super::{ExitStatus, ProcessControl};
use crate::node::Secret;

/// Bytes of sudo's own words that are kept for an error.
const TALK_MAX: usize = 8 * 1024;

/// One run under sudo.
pub(crate) struct SudoSession {
    stdout: SudoTalk,
    stderr: SudoTalk,
    password: Password,
    /// Whether the prompt was seen; it is answered once.
    prompted: bool,
    /// The answer on its way.
    answer: Option<BoxFuture<'static, Result<Secret, NoPassword>>>,
    /// What was answered, so that no echo of it gets into an error.
    answered: Option<Secret>,
    talk: Vec<u8>,
}

/// What the run has to do about something that sudo said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing.
    None,
    /// The keyboard is to be treated so from now on.
    Gate(Gate),
    /// The password was wrong, or there is none.
    Refused(String),
    /// The person who was asked gave up.
    Cancelled,
}

impl SudoSession {
    pub(crate) fn new(marks: &Marks, password: Password, pty: bool) -> SudoSession {
        let (stdout, stderr) = (marks.listen(pty), marks.listen(pty));
        SudoSession { stdout, stderr, password, prompted: false, answer: None, answered: None, talk: Vec::new() }
    }

    /// Takes output apart; what remains is the command's, and sudo's talk that may be shown.
    pub(crate) fn stdout(&mut self, bytes: &[u8], control: &ProcessControl) -> (Heard, Reaction) {
        let heard = self.stdout.feed(bytes);
        self.react(heard, control)
    }

    /// The same for error output, where sudo asks when there is no terminal.
    pub(crate) fn stderr(&mut self, bytes: &[u8], control: &ProcessControl) -> (Heard, Reaction) {
        let mut heard = self.stderr.feed(bytes);
        // The command has begun when its mark came on stdout; the other one only tells the streams apart.
        heard.started = false;
        self.react(heard, control)
    }

    fn react(&mut self, mut heard: Heard, control: &ProcessControl) -> (Heard, Reaction) {
        let room = TALK_MAX.saturating_sub(self.talk.len());
        self.talk.extend(heard.talk.iter().take(room));
        let prompted_before = self.prompted;
        self.prompted |= heard.prompts > 0;
        if self.prompted {
            // Should the answer be echoed, by whatever mishap, nobody sees it.
            heard.talk.clear();
        }
        let reaction = if heard.prompts > usize::from(!prompted_before) {
            Reaction::Refused(self.password.wrong())
        } else if heard.started {
            Reaction::Gate(Gate::Open)
        } else if heard.prompts == 1 {
            self.answer = Some(self.password.clone().give(control.clone()).boxed());
            Reaction::Gate(Gate::Held)
        } else if !heard.talk.is_empty() {
            Reaction::Gate(if asks(&heard.talk) { Gate::Keys } else { Gate::Held })
        } else {
            Reaction::None
        };
        (heard, reaction)
    }

    /// Waits until the answer was given, for ever when there is none to give. Cancel safe.
    pub(crate) async fn answered(&mut self) -> Reaction {
        let result = match &mut self.answer {
            Some(answer) => answer.await,
            None => std::future::pending().await,
        };
        self.answer = None;
        match result {
            Ok(secret) => {
                self.answered = Some(secret);
                Reaction::None
            }
            Err(NoPassword::Because(reason)) => Reaction::Refused(reason),
            Err(NoPassword::Cancelled) => Reaction::Cancelled,
        }
    }

    /// Whether a line shows the answer or a part of it.
    fn echoes(&self, line: &str) -> bool {
        let answer = self.answered.as_ref().map(Secret::reveal);
        answer.is_some_and(|answer| !answer.is_empty() && (line.contains(answer) || answer.contains(line.trim())))
    }

    /// Why the command did not begin although sudo has ended; `None` when it did begin.
    pub(crate) fn refusal(&mut self, status: &ExitStatus) -> Option<Stop> {
        // Where output may be missing, the mark that says that it began may be missing too.
        if self.stdout.started() || matches!(status, ExitStatus::Unknown(_) | ExitStatus::CutOff { .. }) {
            return None;
        }
        for talk in [self.stdout.finish(), self.stderr.finish()] {
            self.talk.extend(talk);
        }
        let text = String::from_utf8_lossy(&self.talk);
        let lines = text.lines().map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect::<String>());
        let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty() && !self.echoes(line)).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        let wants_terminal = !self.prompted && last.to_lowercase().contains("tty");
        let reason = match last.as_str() {
            "" => format!("sudo ended before the command began: {status}"),
            said if said.contains("sudo") => said.to_string(),
            said => format!("sudo: {said}"),
        };
        Some(Stop::Refused { reason, wants_terminal })
    }
}

/// Whether this looks like a prompt that is not ours: the line is not finished.
fn asks(talk: &[u8]) -> bool {
    let last = talk.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    !last.trim_ascii().is_empty()
}

#[cfg(test)]
mod tests;
