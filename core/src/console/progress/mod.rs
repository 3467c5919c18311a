//! Progress bars: one line that is drawn again and again (rows I-24 to I-27).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::terminal::style::{clock, escaped, in_place};
use crate::terminal::{Kind, Terminal};

/// How often [`ProgressBar::next`] draws at most (row I-25).
const PAUSE: Duration = Duration::from_millis(100);

/// What a format may name.
const FIELDS: [&str; 6] = ["message", "counter", "expected", "percentage", "duration", "status"];

/// What a progress bar shows, and how.
#[derive(Clone, Debug, Default)]
pub struct ProgressLook {
    /// What the counter is at the end, where that is known.
    pub expected: Option<u64>,
    /// What is done at which count; the highest is the end (row I-27). Not together with `expected`.
    pub steps: BTreeMap<u64, String>,
    /// Whether the line is erased at the end (row I-26).
    pub clear_on_finish: bool,
    /// The line, with `{message}`, `{counter}`, `{expected}`, `{percentage}`, `{duration}` and `{status}`.
    pub format: Option<String>,
}

/// A line that says how far something is. Output of others goes above it; where there is no screen, only its end is
/// told.
pub struct ProgressBar {
    terminal: Arc<dyn Terminal>,
    message: String,
    look: ProgressLook,
    expected: Option<u64>,
    counter: u64,
    started: Instant,
    drawn: Option<Instant>,
    ended: bool,
}

impl ProgressBar {
    /// A bar at nothing, drawn at once.
    ///
    /// # Errors
    /// A sentence, when steps and an expected count are given both, or the format names what there is not.
    pub async fn begin(terminal: Arc<dyn Terminal>, message: &str, look: ProgressLook) -> Result<ProgressBar, String> {
        let highest = look.steps.last_key_value().map(|(step, _)| *step);
        let expected = match (look.expected, highest) {
            (Some(_), Some(_)) => return Err("a progress bar has steps or an expected count, not both".to_string()),
            (expected, highest) => expected.or(highest),
        };
        if let Some(format) = &look.format {
            check(format)?;
        }
        let mut bar = ProgressBar {
            terminal,
            message: escaped(message),
            look,
            expected,
            counter: 0,
            started: Instant::now(),
            drawn: None,
            ended: false,
        };
        bar.draw().await;
        Ok(bar)
    }

    /// Adds one.
    pub async fn next(&mut self) {
        self.counter = self.counter.saturating_add(1);
        if self.drawn.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.draw().await;
        }
    }

    /// Goes to a count; drawn at once when `redraw` says so.
    pub async fn set_progress(&mut self, counter: u64, redraw: bool) {
        self.counter = counter;
        if redraw {
            self.draw().await;
        }
    }

    /// The count.
    pub fn counter(&self) -> u64 {
        self.counter
    }

    /// It is over, well or not: the line stays and says so, or is erased.
    pub async fn finish(&mut self, well: bool) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let line = self.line(if well { "DONE" } else { "failed" });
        let shown = match (self.on_screen(), self.look.clear_on_finish) {
            (true, true) => self.erase().await,
            (true, false) => self.end_line(&line).await,
            (false, _) => self.terminal.print_talk(&(line + "\n")).await,
        };
        note(shown);
    }

    fn on_screen(&self) -> bool {
        self.terminal.kind() == Kind::Tty && self.terminal.label().is_none()
    }

    async fn draw(&mut self) {
        if self.ended || !self.on_screen() {
            return;
        }
        self.drawn = Some(Instant::now());
        let status = self.look.steps.get(&self.counter).cloned().unwrap_or_default();
        let line = self.line(&status);
        note(self.terminal.write_prompt(Some(&in_place(&line, self.terminal.as_ref()))).await);
    }

    async fn end_line(&self, line: &str) -> io::Result<()> {
        self.terminal.write_prompt(Some(&in_place(line, self.terminal.as_ref()))).await?;
        self.terminal.write_prompt(None).await
    }

    async fn erase(&self) -> io::Result<()> {
        self.terminal.write_prompt(Some(b"\r\x1b[K")).await?;
        // The line goes, and so does the one that its end begins.
        self.terminal.write_prompt(None).await?;
        self.terminal.write(b"\x1b[A").await
    }

    fn line(&self, status: &str) -> String {
        let field = |name: &str| match name {
            "message" => self.message.clone(),
            "counter" => self.counter.to_string(),
            "expected" => self.expected.map(|expected| expected.to_string()).unwrap_or_default(),
            "percentage" => self.percentage(),
            "duration" => clock(self.started.elapsed()),
            _ => escaped(status),
        };
        let format = self.look.format.as_deref().unwrap_or(match self.expected {
            Some(_) => "{message}: {counter}/{expected}  {percentage}  {duration}  {status}",
            None => "{message}: {counter}  {duration}  {status}",
        });
        escaped(fill(format, field).trim_end())
    }

    fn percentage(&self) -> String {
        match self.expected {
            Some(expected @ 1..) => format!("{}%", u128::from(self.counter) * 100 / u128::from(expected)),
            Some(0) => "100%".to_string(),
            None => String::new(),
        }
    }
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        if self.drawn.is_some() && !self.ended {
            self.terminal.abandon_prompt();
        }
    }
}

fn note(shown: io::Result<()>) {
    if let Err(error) = shown {
        tracing::debug!(%error, "progress could not be shown");
    }
}

fn check(format: &str) -> Result<(), String> {
    let mut wrong = None;
    fill(format, |name| {
        if !FIELDS.contains(&name) {
            wrong.get_or_insert(name.to_string());
        }
        String::new()
    });
    match wrong {
        None => Ok(()),
        Some(name) => {
            Err(format!("the format of a progress bar has no {{{name}}}: there is {{{}}}", FIELDS.join("}, {")))
        }
    }
}

/// The format with its `{names}` replaced; a brace that is never closed is a brace.
fn fill(format: &str, mut field: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some((before, name, after)) =
        rest.split_once('{').and_then(|(before, rest)| rest.split_once('}').map(|(name, after)| (before, name, after)))
    {
        out.push_str(before);
        out.push_str(&field(name));
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests;
