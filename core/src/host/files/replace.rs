//! A file is replaced in one step: what is new goes into a temporary beside it, which takes its name when it is whole.
//! Until then the old file is as it was, whatever happens.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Answer, Fault, Problem};
use super::path::{followed, temporary_beside};
use super::stat::Stat;
use super::system::{Attributes, Create, FileSystem, WriteFile};

/// How long a temporary may take to be removed when something else has failed already.
const TIDY: Duration = Duration::from_secs(10);

/// How a file is to be replaced.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Plan {
    /// A link at the end of the path stays a link, and what it leads to is replaced; otherwise the link is.
    pub(crate) follow: bool,
    /// Written over, not replaced: for directories in which no temporary can be made.
    pub(crate) in_place: bool,
    /// Permissions of a file that is new, less the umask.
    pub(crate) mode: Option<u32>,
    /// Nothing of that name is there: the directory was made a moment ago.
    pub(crate) fresh: bool,
}

/// A file that is being written.
pub(crate) struct Replacement {
    files: Arc<dyn FileSystem>,
    target: PathBuf,
    temporary: Option<PathBuf>,
    writer: Option<Box<dyn WriteFile>>,
    old: Option<Stat>,
    /// The temporary was told to take the name: from here on the outcome is the server's.
    renaming: bool,
}

/// What a failed replacement leaves.
pub(crate) struct Remains {
    /// What became of the file, for the message.
    pub(crate) note: &'static str,
    /// A temporary that could not be removed.
    pub(crate) left: Option<PathBuf>,
}

impl Replacement {
    /// Begins to write.
    ///
    /// # Errors
    /// When that cannot be done without harm; nothing is changed then.
    pub(crate) async fn begin(files: Arc<dyn FileSystem>, path: &Path, plan: Plan) -> Answer<Replacement> {
        let (target, old) = match plan {
            Plan { fresh: true, .. } => (path.to_path_buf(), None),
            Plan { follow: true, .. } => followed(&*files, path).await?,
            Plan { follow: false, .. } => match files.lstat(path).await {
                Ok(stat) => (path.to_path_buf(), Some(stat)),
                Err(fault) if fault.problem == Problem::Missing => (path.to_path_buf(), None),
                Err(fault) => return Err(fault),
            },
        };
        if old.as_ref().is_some_and(Stat::is_dir) {
            return Err(Fault::of(Problem::IsADirectory));
        }
        let device = old.as_ref().is_some_and(|old| !old.is_file() && !old.is_symlink());
        if plan.in_place || device || is_of_the_kernel(&target) {
            let writer = files.write(&target, Create::Truncate).await?;
            return Ok(Replacement { files, target, temporary: None, writer: Some(writer), old, renaming: false });
        }
        let kept = old.as_ref().filter(|old| old.is_file()).cloned();
        let temporary = temporary_beside(&target);
        // What is there may be private, so the temporary is until it has the same permissions.
        let mode = if kept.is_some() { Some(0o600) } else { plan.mode };
        let writer = match files.write(&temporary, Create::New(mode)).await {
            Err(fault) if fault.problem == Problem::Denied => return Err(no_temporary(fault)),
            opened => opened?,
        };
        let mut begun =
            Replacement { files, target, temporary: Some(temporary), writer: Some(writer), old, renaming: false };
        if let Some(kept) = kept
            && let Err(fault) = begun.keep(&kept).await
        {
            begun.abandon().await;
            return Err(fault);
        }
        Ok(begun)
    }

    /// Owner and permissions of the old file.
    async fn keep(&mut self, old: &Stat) -> Answer<()> {
        let Some(temporary) = self.temporary.clone() else { return Ok(()) };
        let ours = self.files.lstat(&temporary).await?;
        if (ours.uid, ours.gid) != (old.uid, old.gid) {
            let owner = Attributes { owner: Some((old.uid, old.gid)), ..Attributes::default() };
            if self.writer()?.set(owner).await.is_err() {
                let owner =
                    format!("its owner {}:{} could not be kept; use_sudo keeps it, in_place too", old.uid, old.gid);
                return Err(Fault::new(Problem::Denied, owner));
            }
        }
        // Writing takes setuid and setgid away, so this comes again at the end.
        self.writer()?.set(Attributes::mode(old.mode)).await
    }

    /// Where to write.
    pub(crate) fn writer(&mut self) -> Answer<&mut Box<dyn WriteFile>> {
        self.writer.as_mut().ok_or_else(|| Fault::of(Problem::Closed))
    }

    /// The new content is whole: it takes the name. With `sync` it is on the disk before. `exact` are permissions and
    /// times that it is to have.
    ///
    /// # Errors
    /// The old file is as it was; call [`Replacement::abandon`].
    pub(crate) async fn finish(&mut self, sync: bool, exact: Attributes) -> Answer<()> {
        let special = self.old.as_ref().filter(|old| old.is_file() && old.mode & 0o7000 != 0).map(|old| old.mode);
        let replaced = self.temporary.clone();
        let writer = self.writer()?;
        writer.flush().await?;
        let last = Attributes { mode: exact.mode.or(special), ..exact };
        if last != Attributes::default() {
            writer.set(last).await?;
        }
        if sync && replaced.is_some() {
            writer.sync().await?;
        }
        if let Some(writer) = self.writer.take() {
            writer.close().await?;
        }
        if let Some(temporary) = replaced {
            self.renaming = true;
            self.files.rename(&temporary, &self.target).await?;
            self.temporary = None;
        }
        Ok(())
    }

    /// Gives up: removes what was written. Takes no longer than [`TIDY`].
    pub(crate) async fn abandon(&mut self) -> Remains {
        self.writer = None;
        let Some(temporary) = self.temporary.take() else {
            return Remains { note: "it may be written in part", left: None };
        };
        let removed = tokio::time::timeout(TIDY, self.files.remove_file(&temporary)).await;
        let (gone, left) = match removed {
            Ok(Ok(())) => (true, None),
            Ok(Err(fault)) if fault.problem == Problem::Missing => (false, None),
            _ => (false, Some(temporary)),
        };
        let note = match (self.renaming && !gone, &self.old) {
            (true, _) => "whether it was replaced is not known",
            (false, Some(_)) => "the old file is as it was",
            (false, None) => "no file of that name was made",
        };
        Remains { note, left }
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        let (Some(temporary), Ok(runtime)) = (self.temporary.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        self.writer = None;
        let files = self.files.clone();
        runtime.spawn(async move {
            if let Ok(Err(fault)) = tokio::time::timeout(TIDY, files.remove_file(&temporary)).await
                && fault.problem != Problem::Missing
            {
                tracing::warn!(path = %temporary.display(), %fault, "a temporary file could not be removed");
            }
        });
    }
}

fn no_temporary(fault: Fault) -> Fault {
    let said = format!("{fault}: no file can be made in its directory; use_sudo, or in_place to write over it");
    Fault::new(fault.problem, said)
}

/// Files that the kernel makes up take what is written to them and cannot be replaced.
fn is_of_the_kernel(path: &Path) -> bool {
    ["/proc", "/sys"].iter().any(|top| path.starts_with(top))
}
