//! The shell at work: one action, a script, or a person.

use std::io;
use std::sync::Arc;

use super::Session;
use super::commands::{self, Look, Reply, connections};
use super::editor::Editor;
use super::jobs::{Done, Jobs, Running};
use super::place::Place;
use super::reader::{self, Read, Script};
use super::screen::Screen;
use super::state::State;
use super::target;
use super::words::split;
use crate::console::{Console, page};
use crate::logger::{Listener, Logger, ScreenLogger};
use crate::options::Layer;
use crate::terminal::style::{Style, escaped_lines};
use crate::terminal::{Kind, Terminal};

/// Wrong use: nothing was run.
const USAGE: i32 = 2;
pub(super) const INTERRUPTED: i32 = 130;
/// Lines of a message; it may quote what a person pasted.
const MESSAGE_LINES: usize = 100;

/// What became of one line.
pub(super) enum Outcome {
    /// It ended, well or not.
    Status(i32),
    /// The shell is to be left.
    Leave,
}

pub(super) async fn run(mut session: Session) -> i32 {
    session.listeners.extend(session.tree.listeners());
    let script = session.action.is_none() && session.terminal.kind() == Kind::Plain;
    let screen = Screen::new(session.terminal.clone(), script);
    let colour = session.terminal.colour();
    let root = match session.tree.load() {
        Ok(root) => root,
        Err(error) => return refuse(&screen, colour, &error.to_string()).await,
    };
    let start = match Place::new(root).resolve(&session.path) {
        Ok(node) => node,
        Err(error) => return refuse(&screen, colour, &format!("--path {}: {error}", session.path.join(" "))).await,
    };
    session.options.replace(Layer::File, session.tree.settings(&start.top()));
    session.status.at(&start.to_string());
    let terminal: Arc<dyn Terminal> = screen.clone();
    let log = ScreenLogger::new(terminal.clone(), colour);
    let mut listeners: Vec<Arc<dyn Listener>> = vec![log.clone()];
    listeners.extend(session.listeners.iter().cloned());
    let mut shell = Shell {
        log,
        logger: Logger::new(listeners, terminal.clone()),
        running: Running::new(session.status.clone()),
        jobs: Jobs::default(),
        asker: Console::new(terminal.clone()),
        state: State::new(start, session.extensions.clone(), session.options.clone()),
        screen,
        terminal,
        colour,
        session,
    };
    let worked = match (shell.session.action.clone(), script) {
        (Some(words), _) => shell.one_action(&words).await,
        (None, true) => shell.script().await,
        (None, false) => shell.person().await,
    };
    shell.jobs.end_all().await;
    worked.unwrap_or_else(|error| {
        tracing::info!(%error, "the terminal of a session went away");
        INTERRUPTED
    })
}

async fn refuse(screen: &Screen, colour: bool, message: &str) -> i32 {
    if let Err(error) = screen.print_talk(&complaint(colour, message)).await {
        tracing::warn!(%error, message, "a message could not be shown");
    }
    USAGE
}

fn complaint(colour: bool, message: &str) -> String {
    let lines = escaped_lines(message, MESSAGE_LINES);
    lines.iter().map(|line| Style::Red.paint(colour, line) + "\n").collect()
}

pub(super) struct Shell {
    pub(super) session: Session,
    pub(super) screen: Arc<Screen>,
    /// The same, as others see it.
    pub(super) terminal: Arc<dyn Terminal>,
    colour: bool,
    /// The log on the screen.
    pub(super) log: Arc<ScreenLogger>,
    /// That and whoever else hears of everything.
    pub(super) logger: Logger,
    pub(super) asker: Arc<Console>,
    pub(super) state: State,
    pub(super) running: Arc<Running>,
    pub(super) jobs: Jobs,
}

impl Shell {
    /// `deployer run -- ACTION PARAMETER...`; a command, such as `find`, when no action is named so.
    async fn one_action(&mut self, words: &[String]) -> io::Result<i32> {
        match target::find(self.state.place(), words) {
            Ok(target) => Ok(self.act(target, false).await?.status),
            Err(problem) => {
                let is_command = words.first().is_some_and(|word| commands::by_name(&self.state, word).is_some());
                if !is_command {
                    return self.wrong(&problem).await;
                }
                match self.words(words).await? {
                    Outcome::Status(status) => Ok(status),
                    Outcome::Leave => Ok(0),
                }
            }
        }
    }

    /// Lines from a pipe; the first that fails ends it (row W-44).
    async fn script(&mut self) -> io::Result<i32> {
        let mut script = Script::new(&self.screen);
        loop {
            let line = tokio::select! {
                biased;
                () = self.session.cancel.cancelled() => return Ok(INTERRUPTED),
                line = script.line() => line,
            };
            let outcome = match line {
                Ok(Some(line)) => self.line(&line).await?,
                Ok(None) => return Ok(0),
                Err(problem) => return self.wrong(&problem).await,
            };
            match outcome {
                Outcome::Status(0) => {}
                Outcome::Status(status) => return Ok(status),
                Outcome::Leave if self.state.leave() => self.moved(),
                Outcome::Leave => return Ok(0),
            }
        }
    }

    /// Prompt, line, prompt, until the person leaves.
    async fn person(&mut self) -> io::Result<i32> {
        let mut editor = Editor::default();
        let mut warned = false;
        loop {
            let cancel = self.session.cancel.clone();
            self.session.overseer.awaiting_line();
            let read = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(INTERRUPTED),
                read = reader::edit(&self.screen, &mut editor, &self.state, self.colour) => read?,
            };
            let leave = match read {
                Read::Line(line) => matches!(self.line(&line).await?, Outcome::Leave),
                Read::Nothing => false,
                Read::End => true,
            };
            if leave {
                if self.state.leave() {
                    self.moved();
                } else if warned || self.jobs.running() == 0 {
                    return self.part().await;
                } else {
                    self.screen.print_talk(&self.jobs.warning()).await?;
                }
            }
            warned = leave;
        }
    }

    /// Leaves the shell for good, with what still runs in the background.
    async fn part(&mut self) -> io::Result<i32> {
        if self.jobs.running() > 0 {
            self.screen.print_talk("ending what runs in the background ...\n").await?;
            let told = self.jobs.end_all().await;
            self.screen.print_talk(&told).await?;
        }
        Ok(0)
    }

    async fn line(&mut self, line: &str) -> io::Result<Outcome> {
        match split(line) {
            Ok(words) if words.is_empty() => Ok(Outcome::Status(0)),
            Ok(words) => {
                let words: Vec<String> = words.into_iter().map(|word| word.text).collect();
                self.words(&words).await
            }
            Err(problem) => self.wrong(&problem.to_string()).await.map(Outcome::Status),
        }
    }

    async fn words(&mut self, words: &[String]) -> io::Result<Outcome> {
        let Some((first, rest)) = words.split_first() else { return Ok(Outcome::Status(0)) };
        if let Some(command) = commands::by_name(&self.state, first) {
            let look = self.look();
            let reply = (command.run)(&mut self.state, rest, &look);
            return self.reply(reply).await;
        }
        if let Some(extension) = self.state.extension(first) {
            let node = self.state.place().node.clone();
            return match extension.run_at(&node, rest).await {
                Ok(text) => self.reply(Ok(Reply::Text(text))).await,
                Err(problem) => self.reply(Err(problem)).await,
            };
        }
        self.action(words, false).await
    }

    fn look(&self) -> Look {
        Look { columns: usize::from(self.screen.size().borrow().cols), colour: self.colour }
    }

    async fn reply(&mut self, reply: Result<Reply, String>) -> io::Result<Outcome> {
        match reply {
            Ok(Reply::Done) => self.moved(),
            Ok(Reply::Text(text)) => page(&self.terminal, &text).await?,
            Ok(Reply::Clear) if self.screen.kind() == Kind::Tty => self.screen.write(b"\x1b[H\x1b[2J").await?,
            Ok(Reply::Clear) => {}
            Ok(Reply::Leave) => return Ok(Outcome::Leave),
            Ok(Reply::Connections) => {
                let list = connections::text(&self.session.services.ssh().connections(), &self.look());
                page(&self.terminal, &list).await?;
            }
            Ok(Reply::Reload) => return self.reload().await,
            Ok(Reply::Jobs) => {
                let list = self.jobs.list(&self.look());
                page(&self.terminal, &list).await?;
            }
            Ok(Reply::Job(number)) => return self.return_to(number).await,
            Ok(Reply::Special(special, words)) => {
                return match special.target(self.state.place(), &words) {
                    Ok((target, sandbox)) => {
                        let done = self.act(target, sandbox).await?;
                        Ok(self.after(done))
                    }
                    Err(problem) => self.wrong(&problem).await.map(Outcome::Status),
                };
            }
            Ok(Reply::Sandbox(words)) => return self.action(&words, true).await,
            Ok(Reply::FileShell(words)) => return self.file_shell(&words).await.map(Outcome::Status),
            Err(problem) => return self.wrong(&problem).await.map(Outcome::Status),
        }
        Ok(Outcome::Status(0))
    }

    async fn action(&mut self, words: &[String], sandbox: bool) -> io::Result<Outcome> {
        let target = match target::find(self.state.place(), words) {
            Ok(target) => target,
            Err(problem) => return self.wrong(&problem).await.map(Outcome::Status),
        };
        let done = self.act(target, sandbox).await?;
        Ok(self.after(done))
    }

    /// Comes back to an action that was left.
    async fn return_to(&mut self, number: usize) -> io::Result<Outcome> {
        let Some(job) = self.jobs.take(number) else {
            let hint = if self.jobs.is_empty() { "nothing was left running" } else { "jobs lists them" };
            return self.wrong(&format!("no job {number}: {hint}")).await.map(Outcome::Status);
        };
        let job = match job {
            Ok(job) => job,
            Err(why) => return Ok(Outcome::Status(self.forbid(why).await)),
        };
        job.bring_front().await;
        let done = self.in_front(job).await?;
        Ok(self.after(done))
    }

    fn after(&mut self, done: Done) -> Outcome {
        if let Some(node) = done.subshell {
            self.state.enter(node);
            self.moved();
        }
        Outcome::Status(done.status)
    }

    /// Wrong use: a message, nothing was run.
    pub(super) async fn wrong(&self, problem: &str) -> io::Result<i32> {
        self.screen.print_talk(&complaint(self.colour, problem)).await?;
        Ok(USAGE)
    }

    pub(super) fn moved(&self) {
        self.session.status.at(&self.state.place().node.to_string());
    }
}
