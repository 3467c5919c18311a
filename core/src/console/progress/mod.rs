//! Progress bars: one line that is drawn again and again (rows I-24 to I-27).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::terminal::style::{cut, escaped};
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
        note(self.terminal.write_prompt(Some(&self.bytes(&line))).await);
    }

    async fn end_line(&self, line: &str) -> io::Result<()> {
        self.terminal.write_prompt(Some(&self.bytes(line))).await?;
        self.terminal.write_prompt(None).await
    }

    async fn erase(&self) -> io::Result<()> {
        self.terminal.write_prompt(Some(b"\r\x1b[K")).await?;
        // The line goes, and so does the one that its end begins.
        self.terminal.write_prompt(None).await?;
        self.terminal.write(b"\x1b[A").await
    }

    fn bytes(&self, line: &str) -> Vec<u8> {
        let columns = usize::from(self.terminal.size().borrow().cols).saturating_sub(1);
        format!("\r\x1b[K{}", cut(line, columns)).into_bytes()
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

/// Minutes and seconds, hours when there are any.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::terminal::scripted::ScriptedTerminal;

    async fn bar(terminal: &Arc<ScriptedTerminal>, look: ProgressLook) -> ProgressBar {
        ProgressBar::begin(terminal.clone(), "copy", look).await.unwrap()
    }

    fn expected(expected: u64) -> ProgressLook {
        ProgressLook { expected: Some(expected), ..ProgressLook::default() }
    }

    fn screen(terminal: &ScriptedTerminal) -> String {
        let mut screen = vt100::Parser::new(10.try_into().unwrap(), 80.try_into().unwrap(), 0);
        screen.process(terminal.output().as_bytes());
        screen.screen().contents()
    }

    // rows: I-24 I-25
    #[tokio::test]
    async fn one_line_counts_and_stays_when_it_is_done() {
        let terminal = ScriptedTerminal::interactive();
        let mut bar = bar(&terminal, expected(4)).await;
        assert_eq!(screen(&terminal), "copy: 0/4  0%  0:00");
        // Just drawn: counted, and not drawn again.
        bar.next().await;
        bar.set_progress(2, false).await;
        assert_eq!(screen(&terminal), "copy: 0/4  0%  0:00");
        bar.drawn = bar.drawn.and_then(|at| at.checked_sub(PAUSE));
        bar.next().await;
        assert_eq!((screen(&terminal), bar.counter()), ("copy: 3/4  75%  0:00".to_string(), 3));
        bar.set_progress(4, true).await;
        terminal.print("output of others\n").await.unwrap();
        bar.finish(true).await;
        bar.finish(false).await;
        assert!(screen(&terminal).ends_with("copy: 4/4  100%  0:00  DONE"), "{}", screen(&terminal));
        terminal.print("next\n").await.unwrap();
        assert!(screen(&terminal).ends_with("DONE\nnext"), "{}", screen(&terminal));
    }

    // rows: I-24
    #[tokio::test]
    async fn without_an_end_or_with_a_format_of_its_own() {
        let terminal = ScriptedTerminal::interactive();
        let mut unknown = bar(&terminal, ProgressLook::default()).await;
        unknown.set_progress(7, true).await;
        assert_eq!(screen(&terminal), "copy: 7  0:00");
        unknown.finish(false).await;
        assert_eq!(screen(&terminal), "copy: 7  0:00  failed");
        let terminal = ScriptedTerminal::interactive();
        let format = "{counter} of {expected} ({percentage}) {message} {status} {".to_string();
        let mut own = bar(&terminal, ProgressLook { format: Some(format), ..expected(0) }).await;
        own.finish(true).await;
        assert_eq!(screen(&terminal), "0 of 0 (100%) copy DONE {");
        let wrong = ProgressLook { format: Some("{counter} {speed}".to_string()), ..expected(1) };
        let error = ProgressBar::begin(terminal.clone(), "x", wrong).await.err().unwrap();
        assert!(
            error.starts_with("the format of a progress bar has no {speed}: there is {message}, {counter}"),
            "{error}"
        );
    }

    // rows: I-26
    #[tokio::test]
    async fn the_line_can_go_when_it_is_done() {
        let terminal = ScriptedTerminal::interactive();
        terminal.print("before\n").await.unwrap();
        let mut bar = bar(&terminal, ProgressLook { clear_on_finish: true, ..expected(1) }).await;
        bar.finish(true).await;
        terminal.print("after\n").await.unwrap();
        assert_eq!(screen(&terminal), "before\nafter");
    }

    // rows: I-27
    #[tokio::test]
    async fn steps_say_what_is_done() {
        let terminal = ScriptedTerminal::interactive();
        let steps = BTreeMap::from([(1, "resolve".to_string()), (4, "log in".to_string())]);
        let mut bar = bar(&terminal, ProgressLook { steps: steps.clone(), ..ProgressLook::default() }).await;
        bar.set_progress(1, true).await;
        assert_eq!(screen(&terminal), "copy: 1/4  25%  0:00  resolve");
        bar.set_progress(2, true).await;
        assert_eq!(screen(&terminal), "copy: 2/4  50%  0:00");
        let both = ProgressLook { steps, ..expected(4) };
        let error = ProgressBar::begin(terminal.clone(), "x", both).await.err().unwrap();
        assert_eq!(error, "a progress bar has steps or an expected count, not both");
    }

    #[tokio::test]
    async fn where_there_is_no_screen_the_end_is_one_line() {
        let terminal = ScriptedTerminal::new();
        let mut bar = bar(&terminal, expected(2)).await;
        bar.set_progress(2, true).await;
        bar.finish(true).await;
        assert_eq!(terminal.output(), "copy: 2/2  100%  0:00  DONE\n");
    }
}
