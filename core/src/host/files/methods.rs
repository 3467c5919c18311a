//! What one host can do with files (rows F-42 to F-57, F-80): the methods of [`HostContainer`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::copy::unless;
use super::fault::{Answer, FileError, Problem};
use super::open::HostFile;
use super::options::{FileOptions, OpenMode};
use super::stat::Stat;
use super::system::FileSystem;
use crate::host::{HostContainer, HostContext, HostError, NobodyToAsk, Reach, RunError, RunOptions};
use crate::logger::{FileEntry, FileOperation};

/// How long a new connection may take whose only purpose is to tidy up.
const TIDY: Duration = Duration::from_secs(10);

impl HostContainer {
    /// About a file; links are followed (row F-46). Relative names follow `cd`, a tilde is expanded, here and below.
    /// `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When there is no such file, and when the answer is not known.
    pub async fn stat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, RunError> {
        let Some(path) = self.asked(path.as_ref()).await? else { return Ok(None) };
        let files = self.files().await?;
        self.answer("look at", &path, files.stat(&path)).await.map(Some)
    }

    /// About a file or a link itself.
    ///
    /// # Errors
    /// As [`HostContainer::stat`].
    pub async fn lstat(&self, path: impl AsRef<Path>) -> Result<Option<Stat>, RunError> {
        let Some(path) = self.asked(path.as_ref()).await? else { return Ok(None) };
        let files = self.files().await?;
        self.answer("look at", &path, files.lstat(&path)).await.map(Some)
    }

    /// The names in a directory, sorted; `None` for the path is the current one (row F-47).
    ///
    /// # Errors
    /// As [`HostContainer::stat`], and when it is no directory.
    pub async fn listdir(&self, path: Option<&Path>) -> Result<Option<Vec<OsString>>, RunError> {
        let entries = self.listdir_stat(path).await?;
        Ok(entries.map(|entries| entries.into_iter().map(|entry| entry.name).collect()))
    }

    /// The same with what is known about each; links are not followed (row F-48).
    ///
    /// # Errors
    /// As [`HostContainer::listdir`].
    pub async fn listdir_stat(&self, path: Option<&Path>) -> Result<Option<Vec<Stat>>, RunError> {
        let Some(path) = self.asked(path.unwrap_or(Path::new("."))).await? else { return Ok(None) };
        let files = self.files().await?;
        self.answer("list", &path, files.list(&path)).await.map(Some)
    }

    /// The home directory of the login user, or of another one, as the host's shell knows it (row F-44). `None`:
    /// unknown in a sandbox.
    ///
    /// # Errors
    /// When there is no such user, and when the host cannot be asked.
    pub async fn get_home_directory(&self, user: Option<&str>) -> Result<Option<PathBuf>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        self.home(user).await.map(Some)
    }

    /// The path as it is used for files: absolute, with a tilde expanded and `cd` taken into account, links left as
    /// they are (row F-45). `None`: unknown in a sandbox.
    ///
    /// # Errors
    /// When the host has to be asked and cannot be.
    pub async fn expand_path(&self, path: impl AsRef<Path>) -> Result<Option<PathBuf>, RunError> {
        self.asked(path.as_ref()).await
    }

    /// Opens a file (row F-49).
    ///
    /// # Errors
    /// When it cannot be opened; nothing was changed then.
    pub async fn open(
        &self,
        path: impl AsRef<Path>,
        mode: OpenMode,
        options: &FileOptions,
    ) -> Result<HostFile, RunError> {
        let path = path.as_ref();
        if options.recursive || options.preserve {
            return Err(self.wrong("recursive and preserve are for get_file and put_file"));
        }
        let sandbox = options.sandbox.unwrap_or(self.io().sandbox);
        let place = if sandbox { path.to_path_buf() } else { self.place(path).await? };
        let entry = FileEntry {
            host: self.slug().to_string(),
            operation: FileOperation::Open(mode),
            remote: place.to_string_lossy().into_owned(),
            local: None,
            use_sudo: options.use_sudo,
            sandbox,
            silent: options.silent,
        };
        HostFile::open(self, place, mode, options, entry).await
    }

    /// Where a path leads that a question is about; `None`: a sandbox does not ask.
    async fn asked(&self, path: &Path) -> Result<Option<PathBuf>, RunError> {
        if self.io().sandbox {
            return Ok(None);
        }
        self.place(path).await.map(Some)
    }

    /// The absolute form of a path.
    pub(super) async fn place(&self, path: &Path) -> Result<PathBuf, RunError> {
        let mut parts = path.components();
        let first = parts.next().map(|first| first.as_os_str().to_string_lossy().into_owned()).unwrap_or_default();
        if path.as_os_str().is_empty() {
            return Err(self.wrong("a path must not be empty"));
        }
        if path.as_os_str().as_encoded_bytes().contains(&0) {
            return Err(self.wrong("a path must not have a NUL byte in it"));
        }
        let start = match first.strip_prefix('~') {
            Some("") => self.home(None).await?,
            Some(user) if is_user(user) => self.home(Some(user)).await?,
            _ if path.is_absolute() => return Ok(plain(path)),
            _ => {
                let here = self.getcwd().await?;
                let here = here.ok_or_else(|| self.wrong("where it is, is unknown in a sandbox"))?;
                return Ok(plain(&Path::new(&here).join(path)));
            }
        };
        Ok(plain(&start.join(parts.as_path())))
    }

    async fn home(&self, user: Option<&str>) -> Result<PathBuf, RunError> {
        let command = match user {
            None => "printf %s \"${HOME:?}\"".to_string(),
            Some(user) if is_user(user) => format!("printf %s ~{user}"),
            Some(user) => return Err(self.wrong(&format!("'{user}' is no name of a user"))),
        };
        let options = RunOptions { silent: true, interactive: false, sandbox: Some(false), ..RunOptions::default() };
        let output =
            crate::host::run(&*self.member.host, &HostContext::default(), &command, &options, self.io()).await?;
        let home = output.text();
        match home.starts_with('/') {
            true => Ok(PathBuf::from(home)),
            false => Err(self.wrong(&format!("there is no user '{}' on it", user.unwrap_or_default()))),
        }
    }

    /// The files of the host.
    pub(super) async fn files(&self) -> Result<Arc<dyn FileSystem>, RunError> {
        Ok(self.member.host.files(&self.io().reach()).await?)
    }

    async fn answer<T>(&self, action: &str, path: &Path, work: impl Future<Output = Answer<T>>) -> Result<T, RunError> {
        match unless(&self.io().cancel, work).await {
            Ok(answer) => Ok(answer),
            Err(fault) if fault.problem == Problem::Interrupted => {
                Err(HostError::Interrupted { host: self.slug().to_string() }.into())
            }
            Err(fault) => Err(RunError::File(Arc::new(FileError::new(self.slug(), action, path, fault)))),
        }
    }

    pub(super) fn wrong(&self, message: &str) -> RunError {
        RunError::Usage { host: self.slug().to_string(), message: message.to_string() }
    }

    /// Removes what could not be removed because the connection was lost, over a new one when there can be one without
    /// asking anybody. Gives the path back when not.
    pub(super) async fn removed_later(&self, path: PathBuf) -> Option<PathBuf> {
        let reach = Reach { asker: Arc::new(NobodyToAsk), cancel: CancellationToken::new() };
        let removing = async {
            let files = self.member.host.files(&reach).await.ok()?;
            match files.lstat(&path).await {
                Ok(stat) if stat.is_dir() => {
                    let _missing = files.remove_file(&path.join("content")).await;
                    files.remove_directory(&path).await.ok()
                }
                Ok(_) => files.remove_file(&path).await.ok(),
                Err(fault) if fault.problem == Problem::Missing => Some(()),
                Err(_) => None,
            }
        };
        match tokio::time::timeout(TIDY, removing).await {
            Ok(Some(())) => None,
            _ => Some(path),
        }
    }
}

/// Names that a shell expands behind a tilde; anything else is a file of that name.
fn is_user(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
}

/// Without `.` and repeated slashes. `..` stays: what it leads to depends on links.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}
