//! The actions of a session that were left running.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::Job;
use crate::shell::commands::Look;
use crate::shell::run::INTERRUPTED;
use crate::terminal::style::{clock, cut, escaped};
use crate::terminal::{JobTerminal, Terminal};

/// So many may be left, those included that have ended and were not looked at.
const LEFT_MAX: usize = 16;
/// How long they may take to end when the session does. A little shorter than what the session waits for its shell.
const GRACE: Duration = Duration::from_millis(9500);

/// In the order of their numbers.
#[derive(Default)]
pub(in crate::shell) struct Jobs {
    left: Vec<Left>,
}

struct Left {
    number: usize,
    job: Job,
    _teller: Option<AbortOnDropHandle<()>>,
}

impl Jobs {
    pub(in crate::shell) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// Whether no further one can be left.
    pub(in crate::shell) fn is_full(&self) -> bool {
        self.left.len() >= LEFT_MAX
    }

    /// How many have not ended.
    pub(in crate::shell) fn running(&self) -> usize {
        self.left.iter().filter(|left| left.job.over.borrow().is_none()).count()
    }

    /// One more was left; what the operator is told. What happens to it is told on `terminal`.
    pub(in crate::shell) fn add(&mut self, mut job: Job, terminal: &Arc<dyn Terminal>) -> String {
        let number = job.number.unwrap_or_else(|| (1..).find(|number| !self.has(*number)).unwrap_or(usize::MAX));
        job.number = Some(number);
        let title = escaped(&job.title);
        let teller = job.terminal().cloned().map(|from| {
            AbortOnDropHandle::new(tokio::spawn(tell(number, title.clone(), job.over.clone(), from, terminal.clone())))
        });
        self.left.push(Left { number, job, _teller: teller });
        self.left.sort_by_key(|left| left.number);
        format!("[{number}] {title} goes on in the background: 'jobs' lists it, 'jobs {number}' comes back to it\n")
    }

    fn has(&self, number: usize) -> bool {
        self.left.iter().any(|left| left.number == number)
    }

    /// Takes one out, to come back to it; `None` when there is none of this number.
    ///
    /// # Errors
    /// A sentence, when it has to stay in the background.
    pub(in crate::shell) fn take(&mut self, number: usize) -> Option<Result<Job, String>> {
        let at = self.left.iter().position(|left| left.number == number)?;
        Some(self.left[at].job.comes_back().map(|()| self.left.remove(at).job))
    }

    /// The reply to `jobs`.
    pub(in crate::shell) fn list(&self, look: &Look) -> String {
        if self.left.is_empty() {
            return "nothing was left running in the background\n".to_string();
        }
        let line = |left: &Left| {
            let Left { number, job, .. } = left;
            let (how, time) = match *job.over.borrow() {
                Some((status, time)) => (ending(status), time),
                None if job.terminal().is_some_and(|terminal| *terminal.asks().borrow()) => {
                    ("waits for you", job.begun.elapsed())
                }
                None if job.cancel.is_cancelled() => ("ending", job.begun.elapsed()),
                None => ("running", job.begun.elapsed()),
            };
            let text = format!("[{number}] {how:<13} {:>8}  {}", clock(time), escaped(&job.title));
            cut(&text, look.columns) + "\n"
        };
        let lines: String = self.left.iter().map(line).collect();
        lines + "'jobs NUMBER' comes back to one of them\n"
    }

    /// What a person is told who wants to leave the shell meanwhile.
    pub(in crate::shell) fn warning(&self) -> String {
        let what = match self.running() {
            1 => "an action still runs".to_string(),
            count => format!("{count} actions still run"),
        };
        format!("{what} in the background: 'jobs' lists what does; 'exit' again ends it\n")
    }

    /// Asks all to end and waits for them, for a while; what became of those that still ran.
    pub(in crate::shell) async fn end_all(&mut self) -> String {
        let deadline = Instant::now() + GRACE;
        let mut left = std::mem::take(&mut self.left);
        left.retain(|left| left.job.over.borrow().is_none());
        left.iter().for_each(|left| left.job.cancel.cancel());
        let mut told = String::new();
        for Left { number, mut job, .. } in left {
            let in_time = tokio::time::timeout_at(deadline, job.finished()).await.is_ok();
            let status = job.over.borrow().map(|(status, _)| status);
            let how = match (in_time, status) {
                (true, Some(status)) => ending(status),
                (true, None) => "did not end in order",
                (false, _) => "did not end in time and was given up",
            };
            told += &format!("[{number}] {}: {how}\n", escaped(&job.title));
        }
        told
    }
}

/// The word for an exit status.
fn ending(status: i32) -> &'static str {
    match status {
        0 => "ended: ok",
        INTERRUPTED => "interrupted",
        _ => "failed",
    }
}

/// Says on `terminal` when an action in the background has ended, or asks for something.
async fn tell(
    number: usize,
    title: String,
    mut over: tokio::sync::watch::Receiver<Option<(i32, Duration)>>,
    from: Arc<dyn JobTerminal>,
    terminal: Arc<dyn Terminal>,
) {
    let mut asks = from.asks();
    asks.mark_changed();
    loop {
        let (text, last) = tokio::select! {
            biased;
            ended = over.wait_for(Option::is_some) => match ended.map(|ended| *ended) {
                Ok(Some((status, _))) => {
                    (format!("[{number}] {title}: {}; 'jobs {number}' shows what it printed\n", ending(status)), true)
                }
                _ => return,
            },
            changed = asks.changed() => match changed.is_ok() {
                true if *asks.borrow_and_update() => {
                    (format!("[{number}] {title} waits for an answer: 'jobs {number}' comes back to it\n"), false)
                }
                true => continue,
                false => return,
            },
        };
        if let Err(error) = terminal.print_talk(&text).await {
            tracing::debug!(%error, "news of an action in the background could not be shown");
        }
        if last {
            return;
        }
    }
}
