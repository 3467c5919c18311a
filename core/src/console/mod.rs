//! Questions on a terminal (section I).

mod columns;
mod pager;
mod progress;
mod question;
mod reading;
#[cfg(test)]
mod tests;

pub use columns::in_columns;
pub use pager::page;
pub use progress::{ProgressBar, ProgressLook};

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::host::{Answer, Asker, NoAnswer, Operator, Question, QuestionKind};
use crate::terminal::Terminal;
use crate::terminal::style::{self, Style};
use question::{Judgement, Wording};
use reading::Reading;

/// Asks the person at one terminal. Shared by everything that runs in a session, so that questions of parallel
/// isolations come one after the other.
pub struct Console {
    terminal: Arc<dyn Terminal>,
    colour: bool,
    one_at_a_time: Semaphore,
    operator: Operator,
}

impl Console {
    /// A console on this terminal (row I-01).
    pub fn new(terminal: Arc<dyn Terminal>) -> Arc<Console> {
        Console::of(Operator::default(), terminal)
    }

    /// A console for the same person on another terminal.
    pub fn elsewhere(&self, terminal: Arc<dyn Terminal>) -> Arc<Console> {
        Console::of(self.operator.clone(), terminal)
    }

    fn of(operator: Operator, terminal: Arc<dyn Terminal>) -> Arc<Console> {
        let colour = terminal.colour();
        Arc::new(Console { terminal, colour, one_at_a_time: Semaphore::new(1), operator })
    }

    /// The terminal (row I-01).
    pub fn terminal(&self) -> &Arc<dyn Terminal> {
        &self.terminal
    }

    /// A line that says how far something is (row I-24). What `look` says wrong is said.
    ///
    /// # Errors
    /// As [`ProgressBar::begin`].
    pub async fn progress_bar(&self, message: &str, look: ProgressLook) -> Result<ProgressBar, String> {
        ProgressBar::begin(self.terminal.clone(), message, look).await
    }

    /// Nobody is there: the default, shown, or no answer (rows I-10, I-11, W-46).
    async fn unattended(&self, wording: &Wording, kind: &QuestionKind) -> Result<Answer, NoAnswer> {
        let QuestionKind::Choice { options, default: Some(default) } = kind else {
            return Err(NoAnswer::NobodyThere);
        };
        if !options.contains(default) {
            return Err(NoAnswer::NobodyThere);
        }
        let (above, prompt) = wording.laid_out(usize::from(self.terminal.size().borrow().cols));
        let prompt = Style::Cyan.paint(self.colour, &prompt);
        let shown = format!("{above}{prompt}{} [non interactive]\n", style::escaped(default));
        self.show(self.terminal.print_talk(&shown).await)?;
        Ok(Answer(Zeroizing::new(default.clone())))
    }

    async fn attended(&self, wording: &Wording, kind: &QuestionKind) -> Result<Answer, NoAnswer> {
        let columns = usize::from(self.terminal.size().borrow().cols);
        let (above, prompt) = wording.laid_out(columns);
        let mut reading = Reading::new(&self.terminal, self.colour, &prompt, wording.room(columns), kind);
        // As ssh and sudo do: an answer to these is given by somebody who has read them.
        if matches!(kind, QuestionKind::Secret | QuestionKind::Confirm) {
            reading.flush();
        }
        self.show(self.terminal.print(&above).await)?;
        loop {
            let typed = reading.line().await?;
            match question::judge(kind, &typed) {
                Judgement::Accepted(answer) => return Ok(Answer(answer)),
                // Enter on nothing asks for something (row I-03).
                Judgement::Again(None) => {}
                Judgement::Again(Some(why)) => {
                    let lines = style::folded(&format!("  {why}"), columns);
                    // A table may have scrolled away meanwhile (row I-15).
                    let table = if wording.has_table() { above.as_str() } else { "" };
                    self.show(self.terminal.print(&(lines.join("\n") + "\n" + table)).await)?;
                }
            }
        }
    }

    /// A terminal that went away answers nothing.
    fn show(&self, shown: std::io::Result<()>) -> Result<(), NoAnswer> {
        shown.map_err(|error| {
            tracing::debug!(%error, "the terminal of a question went away");
            NoAnswer::Cancelled
        })
    }
}

/// Who answers what is asked by something that runs on `terminal`: the person there, when it has a keyboard of its own,
/// else whoever answers for the whole run.
pub(crate) fn asker_on(terminal: &Arc<dyn Terminal>, of_the_run: &Arc<dyn Asker>) -> Arc<dyn Asker> {
    match terminal.interactive() {
        true => Console::of(of_the_run.operator().unwrap_or_default(), terminal.clone()),
        false => of_the_run.clone(),
    }
}

#[async_trait]
impl Asker for Console {
    async fn ask(&self, question: Question) -> Result<Answer, NoAnswer> {
        let _turn = self.one_at_a_time.acquire().await;
        let wording = Wording::new(&question);
        if self.terminal.interactive() {
            self.attended(&wording, &question.kind).await
        } else {
            self.unattended(&wording, &question.kind).await
        }
    }

    async fn tell(&self, line: &str) {
        // While a question is open the person has something better to read.
        let Ok(_turn) = self.one_at_a_time.try_acquire() else { return };
        let columns = usize::from(self.terminal.size().borrow().cols);
        let lines = style::folded(&style::escaped(line), columns).join("\n");
        let _gone = self.show(self.terminal.print_talk(&format!("{lines}\n")).await);
    }

    fn attended(&self) -> bool {
        self.terminal.interactive()
    }

    fn operator(&self) -> Option<Operator> {
        Some(self.operator.clone())
    }
}
