//! The file shell: two sides, this machine and a host, and files that go from one to the other (section O). It shares
//! the line editor with the shell, and the connection and the files of the host with everything else (row O-21).

#![allow(clippy::result_large_err, reason = "an error names host, file and remedy, and is made once a failure")]

mod commands;
mod complete;
mod listing;
mod side;
#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use self::commands::{Command, Deed, Side as Which};
use self::side::Side;
use super::editor::Editor;
use super::reader::{self, Read, Script};
use super::screen::Screen;
use super::supervise::{End, supervise};
use super::words::split;
use crate::host::{Asker, HostContainer, RunError, RunIo};
use crate::terminal::style::{Style, escaped_lines};
use crate::terminal::{Kind, Terminal};

const FAILED: i32 = 1;
const USAGE: i32 = 2;
const INTERRUPTED: i32 = 130;
/// Lines of a message.
const MESSAGE_LINES: usize = 20;

/// One file shell.
pub(super) struct FileShell<'a> {
    screen: &'a Arc<Screen>,
    /// The same, as others see it.
    terminal: Arc<dyn Terminal>,
    asker: Arc<dyn Asker>,
    /// Ends the session.
    cancel: CancellationToken,
    local: Side,
    remote: Side,
}

/// Why a command did not do its work.
enum Trouble {
    /// Wrong use: nothing was done.
    Usage(String),
    /// A file or host could not be used.
    Run(RunError),
    /// The terminal went away.
    Terminal(io::Error),
}

impl From<RunError> for Trouble {
    fn from(error: RunError) -> Trouble {
        Trouble::Run(error)
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Trouble {
        Trouble::Terminal(error)
    }
}

impl<'a> FileShell<'a> {
    /// Opens it: connects and looks at the directory it starts in (row O-01).
    ///
    /// # Errors
    /// When the host cannot be used.
    pub(super) async fn open(
        screen: &'a Arc<Screen>,
        terminal: Arc<dyn Terminal>,
        asker: Arc<dyn Asker>,
        remote: HostContainer,
        local: HostContainer,
    ) -> Result<FileShell<'a>, RunError> {
        let cancel = remote.io().cancel.clone();
        let mut shell = FileShell {
            screen,
            terminal,
            asker,
            cancel,
            local: Side::open("local", local).await?,
            remote: Side::open(remote.slug(), remote.clone()).await?,
        };
        shell.local.refresh(&shell.cancel).await?;
        shell.remote.refresh(&shell.cancel).await?;
        Ok(shell)
    }

    /// Works until `exit` or the end of input; the exit status (row O-15).
    ///
    /// # Errors
    /// When the terminal went away.
    pub(super) async fn work(mut self) -> io::Result<i32> {
        if self.screen.kind() == Kind::Plain {
            return self.script().await;
        }
        let mut editor = Editor::default();
        loop {
            let colour = self.terminal.colour();
            let cancel = self.cancel.clone();
            let read = tokio::select! {
                biased;
                () = cancel.cancelled() => return Ok(INTERRUPTED),
                read = reader::edit(self.screen, &mut editor, &self, colour) => read?,
            };
            match read {
                Read::Line(line) => {
                    if self.line(&line).await?.is_none() {
                        return Ok(0);
                    }
                }
                Read::Nothing => {}
                Read::End => return Ok(0),
            }
        }
    }

    /// Lines from a pipe; the first that fails ends it.
    async fn script(&mut self) -> io::Result<i32> {
        let mut script = Script::new(self.screen);
        loop {
            let line = tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ok(INTERRUPTED),
                line = script.line() => line,
            };
            let status = match line {
                Ok(Some(line)) => self.line(&line).await?,
                Ok(None) => return Ok(0),
                Err(problem) => Some(self.wrong(&problem).await?),
            };
            match status {
                Some(0) => {}
                Some(status) => return Ok(status),
                None => return Ok(0),
            }
        }
    }

    /// Does what a line says: the status, or `None` to leave.
    async fn line(&mut self, line: &str) -> io::Result<Option<i32>> {
        let words: Vec<String> = match split(line) {
            Ok(words) => words.into_iter().map(|word| word.text).collect(),
            Err(problem) => return self.wrong(&problem.to_string()).await.map(Some),
        };
        let Some((first, rest)) = words.split_first() else { return Ok(Some(0)) };
        let Some(command) = commands::by_name(first) else {
            let known = commands::TABLE.iter().map(|command| command.name);
            let hint = super::place::suggestion(first, known);
            let hint = if hint.is_empty() { " (help lists the commands)".to_string() } else { hint };
            return self.wrong(&format!("no command '{first}'{hint}")).await.map(Some);
        };
        if let Err(problem) = command.check(rest) {
            return self.wrong(&problem).await.map(Some);
        }
        if command.deed == Deed::Leave {
            return Ok(None);
        }
        let cancel = self.cancel.child_token();
        let (terminal, asker) = (self.terminal.clone(), self.asker.clone());
        let work = self.command(command, rest, &cancel);
        let done = match terminal.kind() {
            Kind::Tty => supervise(&terminal, &*asker, &cancel, work).await,
            Kind::Plain => End::Itself(work.await),
        };
        self.screen.fresh_line().await?;
        match done {
            End::Itself(Ok(())) => Ok(Some(0)),
            End::Itself(Err(Trouble::Usage(problem))) => self.wrong(&problem).await.map(Some),
            End::Itself(Err(Trouble::Terminal(error))) => Err(error),
            End::Itself(Err(Trouble::Run(error))) => {
                self.complain(&error.to_string()).await?;
                Ok(Some(crate::env::ActionError::from(error).exit_code().max(FAILED)))
            }
            End::Stopped => Ok(Some(INTERRUPTED)),
        }
    }

    async fn command(
        &mut self,
        command: &Command,
        words: &[String],
        cancel: &CancellationToken,
    ) -> Result<(), Trouble> {
        let first = words.first().map(Path::new);
        let side = match command.side {
            Which::Local => &mut self.local,
            Which::Remote => &mut self.remote,
        };
        match (command.deed, first) {
            (Deed::Enter, Some(path)) => {
                side.enter(path, cancel).await.map_err(Trouble::from)?;
                let shown = format!("{}\n", crate::terminal::style::escaped(&side.directory.to_string_lossy()));
                self.terminal.print(&shown).await?;
            }
            (Deed::Where, _) => {
                let shown = format!("{}\n", crate::terminal::style::escaped(&side.directory.to_string_lossy()));
                self.terminal.print(&shown).await?;
            }
            (Deed::List, path) => {
                let entries = side.list(path, cancel).await?;
                let columns = usize::from(self.terminal.size().borrow().cols);
                let text = listing::columns(&entries, columns, self.terminal.colour());
                crate::console::page(&self.terminal, &text).await?;
            }
            (Deed::Stat, Some(path)) => {
                let text = listing::facts(&side.stat(path, cancel).await?);
                self.terminal.print(&text).await?;
            }
            (Deed::View, Some(path)) => {
                let text = side.content(path, cancel).await?;
                crate::console::page(&self.terminal, &text).await?;
            }
            (Deed::Edit, Some(path)) => side.edit(path, cancel).await?,
            (Deed::Connect, _) => side.connect(cancel).await?,
            (Deed::Put | Deed::Get, _) => self.transfer(command.deed, words, cancel).await?,
            (Deed::Clear, _) if self.screen.kind() == Kind::Tty => self.screen.write(b"\x1b[H\x1b[2J").await?,
            (Deed::Help, _) => self.terminal.print(&commands::help()).await?,
            _ => {}
        }
        Ok(())
    }

    /// Files and directories go over under the same names (rows O-12 to O-14).
    async fn transfer(&mut self, deed: Deed, words: &[String], cancel: &CancellationToken) -> Result<(), Trouble> {
        for word in words {
            let name = Path::new(word).file_name();
            let Some(name) = name else {
                return Err(Trouble::Usage(format!("'{word}' has no name of its own: name a file or directory")));
            };
            let host = self.remote.host(cancel);
            let options = crate::host::files::FileOptions { recursive: true, ..Default::default() };
            match deed {
                Deed::Put => {
                    host.put_file(self.local.path(Path::new(word)), self.remote.directory.join(name), &options).await?;
                    self.remote.refresh(cancel).await?;
                }
                _ => {
                    host.get_file(self.remote.path(Path::new(word)), self.local.directory.join(name), &options).await?;
                    self.local.refresh(cancel).await?;
                }
            }
        }
        Ok(())
    }

    async fn wrong(&self, problem: &str) -> io::Result<i32> {
        self.complain(problem).await?;
        Ok(USAGE)
    }

    async fn complain(&self, problem: &str) -> io::Result<()> {
        let lines = escaped_lines(problem, MESSAGE_LINES);
        let colour = self.terminal.colour();
        let text: String = lines.iter().map(|line| Style::Red.paint(colour, line) + "\n").collect();
        self.screen.print_talk(&text).await
    }
}

/// The local side of a file shell whose commands show where `io` says.
pub(super) fn here(io: RunIo) -> HostContainer {
    let settings = crate::node::HostSettings { slug: "local".to_string(), ..Default::default() };
    let definition = crate::node::HostDef::new(crate::node::HostKind::Local, settings);
    HostContainer::of(io.services.host(&definition), io)
}
