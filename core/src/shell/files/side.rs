//! One side of the file shell: a host, a directory on it, and what was in it when somebody last looked.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::host::files::{Fault, FileError, FileOptions, OpenMode, Problem, Stat};
use crate::host::{HostContainer, RunError, RunOptions};
use crate::terminal::style::escaped_lines;
use crate::text::shell_word;

/// Most of a file that `view` shows.
const VIEW_MAX: usize = 4 * 1024 * 1024;

/// A name in a directory, and whether it leads to a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) directory: bool,
    /// Whether the name is text that can be typed.
    pub(super) typable: bool,
}

pub(super) struct Side {
    /// How the prompt calls it.
    pub(super) label: String,
    container: HostContainer,
    pub(super) directory: PathBuf,
    /// For completion; asked for again whenever a command may have changed it (row O-18).
    pub(super) entries: Vec<Entry>,
}

impl Side {
    pub(super) async fn open(label: &str, container: HostContainer) -> Result<Side, RunError> {
        let start = container.member.host.start_path(&container.io().reach()).await?;
        Ok(Side { label: label.to_string(), container, directory: PathBuf::from(start), entries: Vec::new() })
    }

    /// The host, for a command that this token ends.
    pub(super) fn host(&self, cancel: &CancellationToken) -> HostContainer {
        let mut io = self.container.io().clone();
        io.cancel = cancel.clone();
        HostContainer::of(self.container.member.host.clone(), io)
    }

    /// A path as it was typed, from where this side stands. `..` goes back the way that was come.
    pub(super) fn path(&self, typed: &Path) -> PathBuf {
        let mut path = PathBuf::new();
        for part in self.directory.join(typed).components() {
            match part {
                Component::ParentDir => drop(path.pop()),
                part => path.push(part),
            }
        }
        path
    }

    /// The same with a tilde expanded.
    async fn expanded(&self, typed: &Path, host: &HostContainer) -> Result<PathBuf, RunError> {
        if !typed.starts_with("~") {
            return Ok(self.path(typed));
        }
        Ok(host.expand_path(typed).await?.unwrap_or_else(|| self.path(typed)))
    }

    /// Goes to a directory, and to nothing else (row W-39).
    pub(super) async fn enter(&mut self, typed: &Path, cancel: &CancellationToken) -> Result<(), RunError> {
        let host = self.host(cancel);
        let path = self.expanded(typed, &host).await?;
        let entries = listed(&host, &path).await?;
        (self.directory, self.entries) = (path, entries);
        Ok(())
    }

    /// Looks at the directory again.
    pub(super) async fn refresh(&mut self, cancel: &CancellationToken) -> Result<(), RunError> {
        self.entries = listed(&self.host(cancel), &self.directory).await?;
        Ok(())
    }

    pub(super) async fn list(
        &mut self,
        typed: Option<&Path>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Entry>, RunError> {
        match typed {
            Some(typed) => {
                let host = self.host(cancel);
                listed(&host, &self.expanded(typed, &host).await?).await
            }
            None => {
                self.refresh(cancel).await?;
                Ok(self.entries.clone())
            }
        }
    }

    pub(super) async fn stat(&self, typed: &Path, cancel: &CancellationToken) -> Result<Stat, RunError> {
        let host = self.host(cancel);
        let path = self.expanded(typed, &host).await?;
        known(host.lstat(&path).await?, &host, &path)
    }

    /// A file as text that is harmless on a terminal.
    pub(super) async fn content(&self, typed: &Path, cancel: &CancellationToken) -> Result<String, RunError> {
        let host = self.host(cancel);
        let path = self.expanded(typed, &host).await?;
        let options = FileOptions { silent: true, ..FileOptions::default() };
        let mut file = host.open(&path, OpenMode::Read, &options).await?;
        let bytes = file.read(Some(VIEW_MAX)).await?;
        let more = !file.read(Some(1)).await?.is_empty();
        file.close().await?;
        let lines = escaped_lines(&String::from_utf8_lossy(&bytes), usize::MAX);
        let mut text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        if more {
            text.push_str(&format!("(the first {} MiB of it; get it to see the rest)\n", VIEW_MAX >> 20));
        }
        Ok(text)
    }

    /// The editor of that side, on its terminal.
    pub(super) async fn edit(&mut self, typed: &Path, cancel: &CancellationToken) -> Result<(), RunError> {
        let host = self.host(cancel);
        let path = self.expanded(typed, &host).await?;
        let Some(name) = path.to_str() else { return Err(untypable(&host, &path)) };
        self.interact(&host, &format!("${{VISUAL:-${{EDITOR:-vi}}}} {}", shell_word(name))).await?;
        self.refresh(cancel).await
    }

    /// A shell in the directory of that side (row O-11).
    pub(super) async fn connect(&mut self, cancel: &CancellationToken) -> Result<(), RunError> {
        let host = self.host(cancel);
        self.interact(&host, r#"exec "${SHELL:-/bin/sh}""#).await?;
        self.refresh(cancel).await
    }

    async fn interact(&self, host: &HostContainer, command: &str) -> Result<(), RunError> {
        let Some(directory) = self.directory.to_str() else { return Err(untypable(host, &self.directory)) };
        let _cd = host.cd(directory, false, false);
        let options = RunOptions { ignore_exit_status: true, ..RunOptions::default() };
        host.run_with(command, &options).await.map(drop)
    }
}

fn untypable(host: &HostContainer, path: &Path) -> RunError {
    let message = format!("{} is no text: a command cannot name it", path.display());
    RunError::Usage { host: host.slug().to_string(), message }
}

fn known<T>(answer: Option<T>, host: &HostContainer, path: &Path) -> Result<T, RunError> {
    let unknown = || FileError::new(host.slug(), "look at", path, Fault::new(Problem::Other, "unknown in a sandbox"));
    answer.ok_or_else(|| RunError::File(Arc::new(unknown())))
}

/// What is in a directory; a link to a directory counts as one (row O-20).
async fn listed(host: &HostContainer, path: &Path) -> Result<Vec<Entry>, RunError> {
    let stats = known(host.listdir_stat(Some(path)).await?, host, path)?;
    let mut entries = Vec::with_capacity(stats.len());
    for stat in stats {
        let directory = match stat.is_symlink() {
            // A link that leads nowhere is no directory.
            true => matches!(host.stat(path.join(&stat.name)).await, Ok(Some(target)) if target.is_dir()),
            false => stat.is_dir(),
        };
        let typable = stat.name.to_str().is_some();
        entries.push(Entry { name: stat.name.to_string_lossy().into_owned(), directory, typable });
    }
    Ok(entries)
}
