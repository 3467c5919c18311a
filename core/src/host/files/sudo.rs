//! Files as root (rows F-54, F-55 with W-10, W-22): content passes through a copy in a directory that only the login
//! user can enter, with a name that nobody can guess, and that is gone as soon as it is not needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::fault::{Answer, Fault, Problem};
use super::path::{private_directory, temporary_beside, word};
use super::system::{Create, FileSystem, ReadFile, WriteFile};
use crate::host::{HostContainer, HostContext, RunError, RunOptions, RunOutput, run};

/// How long the copy may take to be removed when something else has failed already.
const TIDY: Duration = Duration::from_secs(10);

// How the scripts end when the file is not what it has to be.
const MISSING: i32 = 44;
const DIRECTORY: i32 = 45;
const NO_PARENT: i32 = 46;

/// A file in a directory of its own, for the login user only. Removed when dropped.
pub(super) struct PrivateCopy {
    files: Arc<dyn FileSystem>,
    directory: PathBuf,
    there: bool,
}

impl PrivateCopy {
    /// Makes the directory and an empty file in it.
    pub(super) async fn new(files: Arc<dyn FileSystem>) -> Answer<(PrivateCopy, Box<dyn WriteFile>)> {
        let directory = private_directory();
        files.make_directory(&directory, 0o700).await?;
        let copy = PrivateCopy { files, directory, there: true };
        let writer = copy.files.write(&copy.path(), Create::New(Some(0o600))).await?;
        Ok((copy, writer))
    }

    pub(super) fn path(&self) -> PathBuf {
        self.directory.join("content")
    }

    /// Removes it; the path when that cannot be done.
    pub(super) async fn remove(&mut self) -> Option<PathBuf> {
        if !std::mem::take(&mut self.there) {
            return None;
        }
        let removed = tokio::time::timeout(TIDY, removal(self.files.clone(), self.directory.clone())).await;
        (!matches!(removed, Ok(Ok(())))).then(|| self.directory.clone())
    }
}

async fn removal(files: Arc<dyn FileSystem>, directory: PathBuf) -> Answer<()> {
    match files.remove_file(&directory.join("content")).await {
        Err(fault) if fault.problem != Problem::Missing => return Err(fault),
        _ => {}
    }
    files.remove_directory(&directory).await
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        if let (true, Ok(runtime)) = (self.there, tokio::runtime::Handle::try_current()) {
            let (files, directory) = (self.files.clone(), self.directory.clone());
            runtime.spawn(async move {
                if !matches!(tokio::time::timeout(TIDY, removal(files, directory.clone())).await, Ok(Ok(()))) {
                    tracing::warn!(path = %directory.display(), "a private copy could not be removed");
                }
            });
        }
    }
}

/// Why a script under sudo did not do its work.
pub(super) enum Refusal {
    /// sudo or the host did not let it run, or it was interrupted.
    Run(RunError),
    Fault(Fault),
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Refusal {
        Refusal::Fault(fault)
    }
}

/// Opens a file that only root can read. What is there is not touched (W-22), and the copy is gone before the first
/// byte is handed out: an open file outlives its name.
pub(super) async fn read(
    host: &HostContainer,
    files: &Arc<dyn FileSystem>,
    path: &Path,
) -> Result<Box<dyn ReadFile>, Refusal> {
    let (mut copy, writer) = PrivateCopy::new(files.clone()).await?;
    writer.close().await?;
    let opened = async {
        let script = format!(
            "f={}; if [ -d \"$f\" ]; then exit {DIRECTORY}; fi; if [ ! -e \"$f\" ]; then exit {MISSING}; fi; \
             cat < \"$f\" > {}",
            word(path),
            word(&copy.path())
        );
        run_script(host, &script).await?;
        Ok(files.read(&copy.path()).await?)
    };
    let opened: Result<Box<dyn ReadFile>, Refusal> = opened.await;
    if let Some(left) = copy.remove().await {
        let said = format!("a private copy is left at {}: remove it", left.display());
        return Err(Fault::new(Problem::Other, said).into());
    }
    opened
}

/// Moves what a private copy holds to where only root can write, in one step; owner, permissions and whatever else
/// there is of an old file stay.
pub(super) async fn install(
    host: &HostContainer,
    copy: &Path,
    path: &Path,
    mode: Option<u32>,
    in_place: bool,
) -> Result<(), Refusal> {
    let temporary = temporary_beside(path);
    let name = temporary.file_name().map(PathBuf::from).unwrap_or_default();
    let mode = mode.map_or("=rw".to_string(), |mode| format!("{:04o}", mode & 0o777));
    let replaced = if in_place { "false" } else { "[ ! -e \"$f\" ] || [ -f \"$f\" ]" };
    let script = format!(
        r#"f={path}; s={copy}; n={name}
if [ -h "$f" ]; then f=$(readlink -f -- "$f" && echo .) || exit {MISSING}; f=${{f%??}}; fi
if [ -d "$f" ]; then exit {DIRECTORY}; fi
d=${{f%/*}}/
if [ ! -d "$d" ]; then exit {NO_PARENT}; fi
case $f in /proc/*|/sys/*) cat < "$s" > "$f"; exit;; esac
if {replaced}; then :; else cat < "$s" > "$f"; exit; fi
t=$d$n
(set -C; umask 077; : > "$t") || exit
trap 'rm -f "$t"' 0
trap 'exit 1' 1 2 15
if [ -f "$f" ]; then
  cp --preserve=all --attributes-only -- "$f" "$t" 2>/dev/null || cp -p -- "$f" "$t" || exit
else
  chmod {mode} "$t" || exit
fi
m=$(stat -c %a -- "$t" 2>/dev/null)
cat < "$s" > "$t" || exit
case $m in ????) chmod "$m" "$t" || exit;; esac
sync "$t" 2>/dev/null
mv -f -- "$t" "$f" || exit
trap - 0"#,
        path = word(path),
        copy = word(copy),
        name = word(&name),
    );
    run_script(host, &script).await
}

/// Adds what a private copy holds to the end of a file; what could be added of it is taken off when not all could.
pub(super) async fn append(host: &HostContainer, copy: &Path, path: &Path, mode: Option<u32>) -> Result<(), Refusal> {
    let mode = mode.map_or("=rw".to_string(), |mode| format!("{:04o}", mode & 0o777));
    let script = format!(
        r#"f={path}; s={copy}; d=${{f%/*}}/
if [ -d "$f" ]; then exit {DIRECTORY}; fi
if [ ! -d "$d" ]; then exit {NO_PARENT}; fi
if [ ! -e "$f" ]; then (umask 077; : >> "$f") && chmod {mode} "$f" || exit; fi
o=$(wc -c < "$f") || exit
cat < "$s" >> "$f" || {{ truncate -s "$((o))" -- "$f"; exit 1; }}"#,
        path = word(path),
        copy = word(copy),
    );
    run_script(host, &script).await
}

async fn run_script(host: &HostContainer, script: &str) -> Result<(), Refusal> {
    let options = RunOptions {
        use_sudo: true,
        silent: true,
        ignore_exit_status: true,
        sandbox: Some(false),
        ..RunOptions::default()
    };
    let script = format!("LC_ALL=C; export LC_ALL; {script}");
    let output = run(&*host.member.host, &HostContext::default(), &script, &options, host.io()).await;
    let output = output.map_err(Refusal::Run)?;
    match output.status {
        crate::host::ExitStatus::Code(0) => Ok(()),
        crate::host::ExitStatus::Code(MISSING) => Err(Fault::of(Problem::Missing).into()),
        crate::host::ExitStatus::Code(DIRECTORY) => Err(Fault::of(Problem::IsADirectory).into()),
        crate::host::ExitStatus::Code(NO_PARENT) => {
            Err(Fault::new(Problem::Missing, "there is no such directory").into())
        }
        _ => Err(said(&output).into()),
    }
}

/// What the tools say, in the C locale.
fn said(output: &RunOutput) -> Fault {
    let line = output.last_lines(1).pop().unwrap_or_else(|| output.status.to_string());
    Fault::told(&line)
}
