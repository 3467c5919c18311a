//! The log as a tree: one line per event, indented by the depth of calls (row L-12).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;

use super::{Event, Listener, RunEntry, failure, summary};
use crate::terminal::Terminal;
use crate::terminal::style::{Style, cut, escaped};

/// Widest command or text of a line, columns.
const TEXT_COLUMNS: usize = 80;
/// Levels that are drawn; deeper calls look like this one.
const DEPTH_MAX: usize = 40;

/// One line of the log, harmless on any screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndentedLine {
    /// Slug of the isolation it comes from; empty outside.
    pub label: String,
    /// The lines that are drawn in front, by depth.
    pub bars: String,
    /// What happened.
    pub text: String,
    style: Style,
}

impl IndentedLine {
    /// As it is printed, with a line end.
    pub fn shown(&self, colour: bool) -> String {
        let label = match self.label.is_empty() {
            true => String::new(),
            false => Style::Bold.paint(colour, &self.label) + " ",
        };
        format!("{label}{}{}\n", self.bars, self.style.paint(colour, &self.text))
    }
}

/// Where the lines go. Called in the middle of a run: it must not wait.
pub trait LineSink: Send + Sync {
    /// Takes the next line.
    fn line(&self, line: IndentedLine);
}

/// Makes lines of events. Isolations have a depth of their own, so that parallel ones do not mix (row L-07).
pub struct IndentedLogger {
    sink: Arc<dyn LineSink>,
    label: String,
    depth: AtomicUsize,
}

impl IndentedLogger {
    /// A log into this sink.
    pub fn new(sink: Arc<dyn LineSink>) -> Arc<IndentedLogger> {
        Arc::new(IndentedLogger { sink, label: String::new(), depth: AtomicUsize::new(0) })
    }

    fn put(&self, mark: &str, style: Style, text: &str) {
        let depth = self.depth.load(Ordering::Relaxed).min(DEPTH_MAX);
        self.sink.line(IndentedLine {
            label: self.label.clone(),
            bars: format!("{}{mark} ", "│ ".repeat(depth)),
            text: cut(&escaped(&text.replace('\n', "\\n")), TEXT_COLUMNS),
            style,
        });
    }

    fn command(&self, run: &RunEntry) {
        let marks = [(run.use_sudo, "sudo"), (run.sandbox, "sandbox")];
        let marks: String = marks.iter().filter(|(on, _)| *on).map(|(_, mark)| format!("[{mark}] ")).collect();
        self.put("$", Style::Yellow, &format!("{} {marks}{}", run.host, run.command.trim()));
    }
}

#[async_trait]
impl Listener for IndentedLogger {
    async fn event(&self, event: &Event, _: &Arc<dyn Terminal>) {
        match event {
            Event::Entered { node, action, args } => {
                self.put("┌", Style::Bold, &format!("{node}.{action}({})", args.join(", ")));
                self.depth.fetch_add(1, Ordering::Relaxed);
            }
            Event::Left { ok, .. } => {
                // Never below the surface, whatever order events come in.
                let left = |depth: usize| Some(depth.saturating_sub(1));
                let _always = self.depth.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
                match ok {
                    true => self.put("└", Style::Green, "ok"),
                    false => self.put("└", Style::Red, "failed"),
                }
            }
            Event::RunStarted(run) => self.command(run),
            Event::RunFinished { run, status, by_key, elapsed } => {
                let time = summary::duration(*elapsed);
                match status {
                    _ if *by_key => self.put("!", Style::Yellow, &format!("{} interrupted (Ctrl-C)", run.host)),
                    Some(status) if status.success() => self.put("=", Style::Dim, &format!("{} ok, {time}", run.host)),
                    Some(status) => self.put("!", Style::Red, &format!("{} {status} after {time}", run.host)),
                    None => self.put("!", Style::Red, &format!("{} not started", run.host)),
                }
            }
            Event::ParallelStarted { node, action, labels } => {
                self.put("├", Style::Bold, &summary::title(node, action, labels));
            }
            Event::ParallelFinished { outcomes, .. } => {
                let style = if outcomes.iter().all(|o| o.outcome.is_ok()) { Style::Green } else { Style::Red };
                self.put("├", style, &summary::totals(outcomes));
            }
            Event::Failed(error) => self.put("!", Style::Red, &failure::first_line(error)),
            Event::Message(text) => self.put("-", Style::Plain, text),
            Event::Connecting { host, step } => self.put("-", Style::Dim, &format!("{host}: {step}")),
            #[allow(unreachable_patterns, reason = "events that say nothing in a tree")]
            _ => {}
        }
    }

    fn branch(&self, label: &str) -> Option<Arc<dyn Listener>> {
        let label = if self.label.is_empty() { label.to_string() } else { format!("{}/{label}", self.label) };
        let depth = AtomicUsize::new(self.depth.load(Ordering::Relaxed));
        Some(Arc::new(IndentedLogger { sink: self.sink.clone(), label: cut(&escaped(&label), TEXT_COLUMNS), depth }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;
    use crate::host::ExitStatus;
    use crate::logger::Logger;
    use crate::terminal::scripted::ScriptedTerminal;

    #[derive(Default)]
    struct Lines(Mutex<Vec<String>>);

    impl LineSink for Lines {
        fn line(&self, line: IndentedLine) {
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line.shown(false));
        }
    }

    fn run(host: &str, command: &str) -> RunEntry {
        let (host, command) = (host.to_string(), command.to_string());
        RunEntry { node: "prod".to_string(), host, command, use_sudo: true, sandbox: false, interactive: true }
    }

    // rows: L-06 L-07 L-12
    #[tokio::test]
    async fn calls_are_a_tree_and_branches_do_not_mix() {
        let lines = Arc::new(Lines::default());
        let terminal: Arc<dyn Terminal> = ScriptedTerminal::new();
        let logger = Logger::new(vec![IndentedLogger::new(lines.clone())], terminal.clone());
        let entered = |action: &str| Event::Entered {
            node: "prod".to_string(),
            action: action.to_string(),
            args: vec!["\"1\"".to_string()],
        };
        let left = |ok| Event::Left { node: String::new(), action: String::new(), ok };
        logger.emit(entered("deploy")).await;
        let labels = vec!["w1".to_string(), "w2".to_string()];
        let started = Event::ParallelStarted { node: "prod.web".to_string(), action: "build".to_string(), labels };
        logger.emit(started).await;
        let (one, two) = (logger.branch(terminal.clone(), "w1"), logger.branch(terminal, "w2"));
        one.emit(entered("build")).await;
        two.emit(entered("build")).await;
        let long = format!("make\n{}", "x".repeat(200));
        one.emit(Event::RunStarted(run("w1", &long))).await;
        two.emit(left(false)).await;
        let status = Some(ExitStatus::Code(2));
        let (run, elapsed) = (run("w1", "make"), Duration::from_millis(300));
        one.emit(Event::RunFinished { run, status, by_key: false, elapsed }).await;
        one.emit(left(true)).await;
        logger.emit(left(true)).await;
        logger.emit(left(true)).await;
        let lines = lines.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).concat();
        let x = "x".repeat(80 - "w1 [sudo] make\\n...".len());
        let cut = lines.lines().find(|line| line.contains("make\\n")).unwrap_or_default();
        assert!(cut.starts_with(&format!("w1 │ │ $ w1 [sudo] make\\n{}", &x[..x.len() - 3])), "{cut}");
        assert!(unicode_width::UnicodeWidthStr::width(cut) <= 80 + "w1 │ │ $ ".chars().count(), "{cut}");
        let others: Vec<&str> = lines.lines().filter(|line| !line.contains("make\\n")).collect();
        let expected = [
            "┌ prod.deploy(\"1\")",
            "│ ├ prod.web.build on 2 hosts: w1, w2",
            "w1 │ ┌ prod.build(\"1\")",
            "w2 │ ┌ prod.build(\"1\")",
            "w2 │ └ failed",
            "w1 │ │ ! w1 status 2 after 0.3 s",
            "w1 │ └ ok",
            "└ ok",
            "└ ok",
        ];
        assert_eq!(others, expected);
    }
}
