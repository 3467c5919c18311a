//! The log as a tree: one line per event, indented by the depth of calls (row L-12).

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::{Event, Listener, RunEntry, failure, summary};
use crate::terminal::Terminal;
use crate::terminal::style::{Style, cut, escaped, width};

/// Widest command or text of a line, columns.
const TEXT_COLUMNS: usize = 80;
/// Levels that are drawn; deeper calls look like this one.
const DEPTH_MAX: usize = 40;

/// One line of the log, harmless on any screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndentedLine {
    /// Which of several actions that run beside each other it comes from, from 2 on; `None` for the first of them.
    pub action: Option<usize>,
    /// Slug of the isolation it comes from; empty outside.
    pub label: String,
    /// The lines that are drawn in front, by depth.
    pub bars: String,
    /// What happened.
    pub text: String,
    style: Style,
}

impl IndentedLine {
    /// As it is printed, in one line of at most so many columns, with its end.
    pub fn shown(&self, colour: bool, columns: usize) -> String {
        let action = self.action.map(|number| format!("#{number} ")).unwrap_or_default();
        let label = if self.label.is_empty() { String::new() } else { cut(&self.label, columns / 2) + " " };
        let text = cut(&self.text, columns.saturating_sub(width(&action) + width(&label) + width(&self.bars)));
        let (action, label) = (Style::Cyan.paint(colour, &action), Style::Bold.paint(colour, &label));
        format!("{action}{label}{}{}\n", self.bars, self.style.paint(colour, &text))
    }
}

/// Where the lines go. Called in the middle of a run: it must not wait.
pub trait LineSink: Send + Sync {
    /// Takes the next line.
    fn line(&self, line: IndentedLine);
}

/// Makes lines of events. Actions and isolations have a depth of their own, so that those that run beside each other do not
/// mix (row L-07).
pub struct IndentedLogger {
    sink: Arc<dyn LineSink>,
    places: Arc<Places>,
    place: Option<Arc<Place>>,
    label: String,
    depth: AtomicUsize,
}

/// Numbers of actions under way. A mutex around plain data, never held across an await.
#[derive(Default)]
struct Places(Mutex<BTreeSet<usize>>);

/// One of them, free again when it is dropped.
struct Place {
    places: Arc<Places>,
    number: usize,
}

impl Place {
    /// The lowest that is free.
    fn take(places: &Arc<Places>) -> Place {
        let mut taken = places.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = (1..).find(|number| !taken.contains(number)).unwrap_or(usize::MAX);
        taken.insert(number);
        Place { places: places.clone(), number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

impl IndentedLogger {
    /// A log into this sink.
    pub fn new(sink: Arc<dyn LineSink>) -> Arc<IndentedLogger> {
        Arc::new(IndentedLogger {
            sink,
            places: Arc::default(),
            place: None,
            label: String::new(),
            depth: AtomicUsize::new(0),
        })
    }

    fn with(&self, place: Option<Arc<Place>>, label: String, depth: usize) -> Option<Arc<dyn Listener>> {
        let (sink, places, depth) = (self.sink.clone(), self.places.clone(), AtomicUsize::new(depth));
        Some(Arc::new(IndentedLogger { sink, places, place, label, depth }))
    }

    fn put(&self, mark: &str, style: Style, text: &str) {
        let depth = self.depth.load(Ordering::Relaxed).min(DEPTH_MAX);
        self.sink.line(IndentedLine {
            action: self.place.as_ref().map(|place| place.number).filter(|number| *number > 1),
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

    fn action(&self) -> Option<Arc<dyn Listener>> {
        self.with(Some(Arc::new(Place::take(&self.places))), String::new(), 0)
    }

    fn branch(&self, label: &str) -> Option<Arc<dyn Listener>> {
        let label = if self.label.is_empty() { label.to_string() } else { format!("{}/{label}", self.label) };
        self.with(self.place.clone(), cut(&escaped(&label), TEXT_COLUMNS), self.depth.load(Ordering::Relaxed))
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
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line.shown(false, 200));
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

    // rows: L-07 L-12
    #[tokio::test]
    async fn actions_beside_each_other_have_a_depth_and_a_number_of_their_own() {
        let lines = Arc::new(Lines::default());
        let terminal: Arc<dyn Terminal> = ScriptedTerminal::new();
        let logger = Logger::new(vec![IndentedLogger::new(lines.clone())], terminal.clone());
        let entered =
            |action: &str| Event::Entered { node: "prod".to_string(), action: action.to_string(), args: Vec::new() };
        let left = || Event::Left { node: String::new(), action: String::new(), ok: true };
        let (first, second) = (logger.action(), logger.action());
        first.emit(entered("deploy")).await;
        second.emit(entered("look")).await;
        second.branch(terminal, "w1").emit(Event::RunStarted(run("w1", "uptime"))).await;
        first.emit(left()).await;
        drop(first);
        let third = logger.action();
        third.emit(entered("say")).await;
        second.emit(left()).await;
        let lines = lines.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).concat();
        let expected =
            ["┌ prod.deploy()", "#2 ┌ prod.look()", "#2 w1 │ $ w1 [sudo] uptime", "└ ok", "┌ prod.say()", "#2 └ ok"];
        assert_eq!(lines.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_line_stays_one_line_on_a_narrow_screen() {
        let line = IndentedLine {
            action: Some(2),
            label: "web1.a-long-name.example.org".to_string(),
            bars: "│ │ $ ".to_string(),
            text: "x".repeat(80),
            style: Style::Plain,
        };
        assert_eq!(line.shown(false, 40), "#2 web1.a-long-name.... │ │ $ xxxxxxx...\n");
        assert!(line.shown(false, 4).ends_with("$ \n"), "{}", line.shown(false, 4));
    }
}
