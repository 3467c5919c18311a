//! The log a person reads: what runs where, what failed and why (rows L-03, L-08, L-11).

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::failure::Told;
use super::{Event, FileEntry, FileOperation, Listener, RunEntry, failure, summary};
use crate::env::{ActionError, Cause};
use crate::host::files::OpenMode;
use crate::host::{ExitStatus, RunError};
use crate::terminal::style::{Style, cut, escaped};
use crate::terminal::{Kind, Terminal};

/// Hosts and commands remembered; a bound for sessions that stay up for months.
const REMEMBERED_MAX: usize = 10_000;
/// Longest log line where no width limits it (files), columns.
const PLAIN_COLUMNS: usize = 400;

/// Shows the events of a session on its terminal; short lines on the terminals of isolations, whose full story comes
/// in the summary.
pub struct ScreenLogger {
    main: Arc<dyn Terminal>,
    colour: bool,
    memory: Arc<Mutex<Memory>>,
}

#[derive(Default)]
struct Memory {
    connecting: HashSet<String>,
    /// Failed commands, and whether their output was shown while they ran.
    failed: HashMap<(String, String), bool>,
    parallel: HashMap<(String, String), Instant>,
}

impl ScreenLogger {
    /// A log for the session on this terminal; `colour` false for people who want none (`NO_COLOR`). Only screens
    /// get colours at all, and no colour is the only sign of anything.
    pub fn new(main: Arc<dyn Terminal>, colour: bool) -> Arc<ScreenLogger> {
        Arc::new(ScreenLogger { main, colour, memory: Arc::default() })
    }

    /// The same log on another terminal, for an action that can be left; what was told once is not told again.
    pub(crate) fn on(&self, main: Arc<dyn Terminal>) -> Arc<ScreenLogger> {
        Arc::new(ScreenLogger { main, colour: self.colour, memory: self.memory.clone() })
    }

    fn remember<T>(&self, change: impl FnOnce(&mut Memory) -> T) -> T {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.connecting.len() + memory.failed.len() + memory.parallel.len() > REMEMBERED_MAX {
            *memory = Memory::default();
        }
        change(&mut memory)
    }

    fn is_main(&self, terminal: &Arc<dyn Terminal>) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(terminal), Arc::as_ptr(&self.main))
    }

    fn text(&self, event: &Event, terminal: &Arc<dyn Terminal>) -> Option<String> {
        let look = Look::of(terminal, self.colour);
        match event {
            Event::Entered { .. } | Event::Left { .. } | Event::RanUnseen { .. } | Event::FileFinished { .. } => None,
            Event::FileStarted(file) => (!file.silent).then(|| look.file(file, terminal.label())),
            Event::RunStarted(run) => Some(look.started(run, terminal.label())),
            Event::RunFinished { run, status, by_key, elapsed } => {
                let host = if terminal.label() == Some(&run.host) { "" } else { &run.host };
                match by_key {
                    true => Some(look.line(Style::Yellow, format!("{host} ! interrupted (Ctrl-C)").trim_start())),
                    false => self.finished(&look, run, host, status.as_ref(), *elapsed),
                }
            }
            Event::ParallelStarted { node, action, labels } => {
                self.remember(|memory| memory.parallel.insert((node.clone(), action.clone()), Instant::now()));
                Some(look.line(Style::Bold, &summary::title(node, action, labels)))
            }
            Event::ParallelFinished { node, action, outcomes } => {
                let started = self.remember(|memory| memory.parallel.remove(&(node.clone(), action.clone())));
                let elapsed = started.map(|at| at.elapsed());
                Some(summary::table(&look, node, action, outcomes, elapsed))
            }
            Event::Failed(error) => self.failed(&look, error, self.is_main(terminal)),
            Event::Message(text) => {
                let lines = crate::terminal::style::escaped_lines(text, usize::MAX);
                Some(lines.iter().map(|line| format!("{line}\n")).collect())
            }
            Event::Connecting { host, step } => {
                let first = self.remember(|memory| memory.connecting.insert(host.clone()));
                first.then(|| look.line(Style::Dim, &format!("{host}: {step}")))
            }
        }
    }

    /// Success says nothing beyond what the program printed.
    fn finished(
        &self,
        look: &Look,
        run: &RunEntry,
        host: &str,
        status: Option<&ExitStatus>,
        elapsed: Duration,
    ) -> Option<String> {
        if status.is_some_and(ExitStatus::success) {
            return None;
        }
        self.remember(|memory| memory.failed.insert((run.host.clone(), run.command.clone()), run.interactive));
        let text = match status {
            Some(status) => format!("{host} ! {status} after {}", summary::duration(elapsed)),
            None => format!("{host} ! not started"),
        };
        Some(look.line(Style::Red, text.trim_start()))
    }

    fn failed(&self, look: &Look, error: &ActionError, main: bool) -> Option<String> {
        if let Cause::Run(RunError::Interrupted { by_key: true, .. }) = &*error.cause {
            // The operator did it and has just read it.
            return None;
        }
        let key = failure::command_of(error).map(|run| (run.host.clone(), run.command.clone()));
        let seen = key.and_then(|key| self.remember(|memory| memory.failed.remove(&key)));
        match (main, seen) {
            // Output of a silent command was never logged, and is not shown now.
            (true, Some(false)) => Some(failure::full(look, error, Told::Status)),
            (true, Some(true)) => Some(failure::full(look, error, Told::Output)),
            (true, None) => Some(failure::full(look, error, Told::Nothing)),
            // In an isolation the line with the status has just said it; the rest comes in the summary.
            (false, Some(_)) => None,
            (false, None) => Some(failure::brief(look, error)),
        }
    }
}

#[async_trait]
impl Listener for ScreenLogger {
    async fn event(&self, event: &Event, terminal: &Arc<dyn Terminal>) {
        let Some(text) = self.text(event, terminal) else { return };
        let shown = async {
            terminal.fresh_line().await?;
            terminal.print_talk(&text).await
        };
        if let Err(error) = shown.await {
            tracing::debug!(%error, "the log could not be shown");
        }
    }
}

/// How lines look on one terminal.
pub(super) struct Look {
    pub(super) colour: bool,
    pub(super) columns: usize,
}

impl Look {
    fn of(terminal: &Arc<dyn Terminal>, colour: bool) -> Look {
        match terminal.kind() {
            Kind::Tty => {
                let columns = usize::from(terminal.size().borrow().cols);
                Look { colour: colour && terminal.colour(), columns: columns.saturating_sub(1).max(20) }
            }
            Kind::Plain => Look { colour: false, columns: PLAIN_COLUMNS },
        }
    }

    /// One line, harmless and cut to the width.
    pub(super) fn line(&self, style: Style, text: &str) -> String {
        style.paint(self.colour, &cut(&escaped(text), self.columns)) + "\n"
    }

    /// `web1 $ [sudo] command`, the first line of it.
    fn started(&self, run: &RunEntry, label: Option<&str>) -> String {
        let marks: Vec<&str> =
            [(run.use_sudo, "sudo"), (run.sandbox, "sandbox")].iter().filter(|(on, _)| *on).map(|(_, m)| *m).collect();
        let marks = if marks.is_empty() { String::new() } else { format!("[{}] ", marks.join(", ")) };
        let mark = if run.use_sudo { "#" } else { "$" };
        // Not twice on one line.
        let host = if label == Some(&run.host) { String::new() } else { cut(&escaped(&run.host), self.columns / 2) };
        let room = self.columns.saturating_sub(crate::terminal::style::width(&host) + 3 + marks.len());
        let command = cut(&escaped(&first_line(&run.command)), room.max(8));
        let command = Style::Yellow.paint(self.colour, &command);
        let host = if host.is_empty() { host } else { Style::Bold.paint(self.colour, &host) + " " };
        format!("{host}{mark} {marks}{command}\n")
    }

    /// `web1 put app.conf -> /etc/app.conf`, `web1 read /etc/hosts` (row L-10).
    fn file(&self, file: &FileEntry, label: Option<&str>) -> String {
        let word = match file.operation {
            FileOperation::Put => "put",
            FileOperation::Get => "get",
            FileOperation::Open(OpenMode::Read) => "read",
            FileOperation::Open(OpenMode::Write) => "write",
            FileOperation::Open(OpenMode::Append) => "append",
        };
        let marks: String = [(file.use_sudo, "[sudo] "), (file.sandbox, "[sandbox] ")]
            .iter()
            .filter_map(|(on, mark)| on.then_some(*mark))
            .collect();
        let paths = match (&file.local, file.operation) {
            (Some(local), FileOperation::Get) => format!("{} -> {local}", file.remote),
            (Some(local), _) => format!("{local} -> {}", file.remote),
            (None, _) => file.remote.clone(),
        };
        let host = if label == Some(&file.host) { String::new() } else { format!("{} ", file.host) };
        self.line(Style::Dim, &format!("{host}{word} {marks}{paths}"))
    }
}

fn first_line(command: &str) -> String {
    let command = command.trim();
    match command.split_once('\n') {
        None => command.to_string(),
        Some((first, rest)) => {
            let more = rest.lines().count();
            format!("{} ... (+{more} {})", first.trim_end(), if more == 1 { "line" } else { "lines" })
        }
    }
}
