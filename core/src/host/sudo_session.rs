//! sudo within one run: its streams, the one answer it gets, and why it refused.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::password::{NoPassword, Password};
use super::sudo::{Heard, Marks, SudoTalk};
use super::{ExitStatus, ProcessControl};

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
    answer: Option<BoxFuture<'static, Result<(), NoPassword>>>,
    talk: Vec<u8>,
}

/// What the run has to do about something that sudo said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing.
    None,
    /// A password is on its way: nobody else may type.
    Answering,
    /// The command has begun.
    Started,
    /// The password was wrong, or there is none.
    Refused(String),
    /// The person who was asked gave up.
    Cancelled,
}

impl SudoSession {
    pub(crate) fn new(marks: &Marks, password: Password, pty: bool) -> SudoSession {
        let (stdout, stderr) = (marks.listen(pty), marks.listen(pty));
        SudoSession { stdout, stderr, password, prompted: false, answer: None, talk: Vec::new() }
    }

    /// Takes output apart; the rest is the command's.
    pub(crate) fn stdout(&mut self, bytes: &[u8], control: &ProcessControl) -> (Heard, Reaction) {
        let heard = self.stdout.feed(bytes);
        let reaction = self.react(&heard, control);
        (heard, reaction)
    }

    /// The same for error output, where sudo asks when there is no terminal.
    pub(crate) fn stderr(&mut self, bytes: &[u8], control: &ProcessControl) -> (Heard, Reaction) {
        let mut heard = self.stderr.feed(bytes);
        // The command has begun when its mark came on stdout; the other one only tells the streams apart.
        heard.started = false;
        let reaction = self.react(&heard, control);
        (heard, reaction)
    }

    fn react(&mut self, heard: &Heard, control: &ProcessControl) -> Reaction {
        let room = TALK_MAX.saturating_sub(self.talk.len());
        self.talk.extend(heard.talk.iter().take(room));
        if heard.prompts > 1 || (heard.prompts == 1 && self.prompted) {
            return Reaction::Refused(self.password.wrong());
        }
        if heard.started {
            return Reaction::Started;
        }
        if heard.prompts == 1 {
            self.prompted = true;
            self.answer = Some(self.password.clone().give(control.clone()).boxed());
            return Reaction::Answering;
        }
        Reaction::None
    }

    /// Waits until the answer was given, for ever when there is none to give. Cancel safe.
    pub(crate) async fn answered(&mut self) -> Reaction {
        let result = match &mut self.answer {
            Some(answer) => answer.await,
            None => std::future::pending().await,
        };
        self.answer = None;
        match result {
            Ok(()) => Reaction::None,
            Err(NoPassword::Because(reason)) => Reaction::Refused(reason),
            Err(NoPassword::Cancelled) => Reaction::Cancelled,
        }
    }

    /// Why the command did not begin although sudo has ended; `None` when it did begin.
    pub(crate) fn refusal(&mut self, status: &ExitStatus) -> Option<String> {
        if self.stdout.started() || matches!(status, ExitStatus::Unknown(_)) {
            return None;
        }
        for talk in [self.stdout.finish(), self.stderr.finish()] {
            self.talk.extend(talk);
        }
        let text = String::from_utf8_lossy(&self.talk);
        let lines = text.lines().map(|line| line.chars().filter(|c| !c.is_control()).take(300).collect::<String>());
        let lines: Vec<String> = lines.filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(3)..].join("; ");
        Some(match last.as_str() {
            "" => format!("sudo ended before the command began: {status}"),
            said if said.contains("sudo") => said.to_string(),
            said => format!("sudo: {said}"),
        })
    }
}

#[cfg(test)]
mod tests;
