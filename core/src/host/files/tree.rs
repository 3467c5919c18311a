//! A directory with everything in it from one host to another.
//!
//! Links are copied as links, and nothing is written through one: a hostile host could otherwise send a link and then
//! a file below it. Each file is replaced in one step; the directory as a whole is not.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::copy::{End, Failure, How, Place, copy, unless};
use super::fault::{Fault, Problem};
use super::meter::Meter;
use super::path::temporary_beside;
use super::replace::Plan;
use super::stat::{FileKind, Stat};
use super::system::Attributes;
use crate::terminal::Terminal;

/// Files under way at once: what hides the time that each small one waits for answers.
const AT_ONCE: usize = 16;
/// Deepest nesting.
const DEPTH_MAX: usize = 256;
/// Most files of one tree.
const FILES_MAX: usize = 5_000_000;

/// Everything below a directory, parents first.
pub(crate) struct Tree {
    top: Stat,
    directories: Vec<(PathBuf, Stat)>,
    files: Vec<(PathBuf, Stat)>,
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Files and links.
    pub files: u64,
    /// Bytes in them.
    pub bytes: u64,
}

impl Tree {
    /// Looks at everything, so that nothing is begun that cannot be done.
    pub(crate) async fn of(from: &Place, cancel: &CancellationToken) -> Result<Tree, Failure> {
        let failed = |path: &Path, fault| Failure::new(End::From, path, fault);
        let top = unless(cancel, from.files.stat(&from.path)).await.map_err(|fault| failed(&from.path, fault))?;
        let mut tree = Tree { top, directories: Vec::new(), files: Vec::new() };
        let mut left = vec![PathBuf::new()];
        while let Some(relative) = left.pop() {
            let path = from.path.join(&relative);
            if relative.components().count() > DEPTH_MAX || tree.files.len() > FILES_MAX {
                return Err(failed(&path, Fault::new(Problem::Other, "the directory is too deep or too large")));
            }
            let entries = unless(cancel, from.files.list(&path)).await.map_err(|fault| failed(&path, fault))?;
            for stat in entries {
                let below = relative.join(&stat.name);
                match stat.kind {
                    FileKind::Directory => {
                        left.push(below.clone());
                        tree.directories.push((below, stat));
                    }
                    FileKind::File | FileKind::Symlink => tree.files.push((below, stat)),
                    FileKind::Other => {
                        let fault = Fault::new(Problem::Other, "a device, pipe or socket cannot be copied");
                        return Err(failed(&from.path.join(&below), fault));
                    }
                }
            }
        }
        Ok(tree)
    }

    /// Bytes of all files.
    pub(crate) fn size(&self) -> u64 {
        self.files.iter().filter(|(_, stat)| stat.is_file()).map(|(_, stat)| stat.size).sum()
    }

    /// Copies it all into the directory `to`, which is made when it is not there.
    pub(crate) async fn copy(
        &self,
        from: &Place,
        to: &Place,
        preserve: bool,
        meter: &mut Meter,
        terminal: &std::sync::Arc<dyn Terminal>,
        cancel: &CancellationToken,
    ) -> Result<Copied, Failure> {
        let mut made = HashSet::new();
        let all =
            std::iter::once((PathBuf::new(), &self.top)).chain(self.directories.iter().map(|(p, s)| (p.clone(), s)));
        for (relative, stat) in all.clone() {
            let path = join(&to.path, &relative);
            let is_top = relative.as_os_str().is_empty();
            let directory = make(to, &path, stat.mode, is_top, cancel).await;
            if directory.map_err(|fault| Failure::new(End::To, &path, fault))? {
                made.insert(relative);
            }
        }
        let (files, bytes) = (AtomicU64::new(0), AtomicU64::new(0));
        let shared = Mutex::new(meter);
        // The first failure stops the others, each of which then removes its temporary.
        let stop = cancel.child_token();
        let one = |(relative, stat): &(PathBuf, Stat)| {
            let parent = relative.parent().map(Path::to_path_buf).unwrap_or_default();
            let fresh = made.contains(&parent);
            let (from, to) = (beside(from, relative), beside(to, relative));
            let (stat, files, bytes, shared, stop) = (stat.clone(), &files, &bytes, &shared, &stop);
            async move {
                let plan = Plan { follow: false, fresh, ..Plan::default() };
                let copied = match stat.kind {
                    FileKind::Symlink => link(&from, &to, stop).await?,
                    _ => {
                        let mut quiet = Meter::new(terminal, false, "", 0);
                        copy(&from, &to, How { plan, preserve, sync: false }, &mut quiet, stop).await?
                    }
                };
                files.fetch_add(1, Ordering::Relaxed);
                bytes.fetch_add(copied, Ordering::Relaxed);
                shared.lock().await.advance(copied).await;
                Ok::<(), Failure>(())
            }
        };
        let mut running = stream::iter(&self.files).map(one).buffer_unordered(AT_ONCE);
        let mut first: Option<Failure> = None;
        let mut also_left = 0;
        while let Some(result) = running.next().await {
            if let Err(failure) = result {
                stop.cancel();
                match &mut first {
                    Some(_) => also_left += usize::from(failure.left.is_some()),
                    None => first = Some(failure),
                }
            }
        }
        drop(running);
        if let Some(failure) = first {
            return Err(self.unfinished(failure, files.into_inner(), also_left));
        }
        if preserve {
            for (relative, stat) in all.collect::<Vec<_>>().into_iter().rev() {
                let times = Some((stat.accessed, stat.modified));
                let exact = Attributes { mode: Some(stat.mode), times, ..Attributes::default() };
                let path = join(&to.path, &relative);
                let set = unless(cancel, to.files.set(&path, exact)).await;
                set.map_err(|fault| Failure::new(End::To, &path, fault))?;
            }
        }
        Ok(Copied { files: files.into_inner(), bytes: bytes.into_inner() })
    }

    /// `also_left` temporaries could not be removed, beside one that the failure names.
    fn unfinished(&self, mut failure: Failure, done: u64, also_left: usize) -> Failure {
        failure.notes.push(format!("{done} of {} files were copied", self.files.len()));
        if also_left > 0 {
            failure.notes.push(format!("{also_left} temporary files may be left there: .NAME.deployer-*"));
        }
        failure
    }
}

/// `join` of an empty path would end in a slash.
fn join(path: &Path, relative: &Path) -> PathBuf {
    if relative.as_os_str().is_empty() { path.to_path_buf() } else { path.join(relative) }
}

fn beside(place: &Place, relative: &Path) -> Place {
    Place { files: place.files.clone(), path: join(&place.path, relative) }
}

/// Makes a directory; false when it was there. Below the top a link to one will not do.
async fn make(to: &Place, path: &Path, mode: u32, is_top: bool, cancel: &CancellationToken) -> Result<bool, Fault> {
    let made = unless(cancel, to.files.make_directory(path, mode & 0o777 | 0o700)).await;
    match made {
        Ok(()) => Ok(true),
        Err(fault) if fault.problem == Problem::Exists => {
            let there = if is_top { to.files.stat(path).await? } else { to.files.lstat(path).await? };
            match there.kind {
                FileKind::Directory => Ok(false),
                FileKind::Symlink => Err(Fault::new(Problem::NotADirectory, "it is a link where a directory is to be")),
                _ => Err(Fault::of(Problem::NotADirectory)),
            }
        }
        Err(fault) => Err(fault),
    }
}

/// Copies a link, in one step as files are.
async fn link(from: &Place, to: &Place, cancel: &CancellationToken) -> Result<u64, Failure> {
    let target = unless(cancel, from.files.read_link(&from.path)).await;
    let target = target.map_err(|fault| Failure::new(End::From, &from.path, fault))?;
    let temporary = temporary_beside(&to.path);
    let placed = async {
        to.files.make_link(&temporary, &target).await?;
        match to.files.rename(&temporary, &to.path).await {
            Ok(()) => Ok(()),
            Err(fault) => {
                if let Err(left) = to.files.remove_file(&temporary).await {
                    tracing::warn!(path = %temporary.display(), fault = %left, "a temporary link could not be removed");
                }
                Err(fault)
            }
        }
    };
    placed.await.map(|()| 0).map_err(|fault| Failure::new(End::To, &to.path, fault))
}
