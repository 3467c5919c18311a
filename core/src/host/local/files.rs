//! Files of the machine deployer runs on, by the kernel's calls on threads that may wait.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustix::fs::{Timespec, Timestamps};

use super::open_file::{LocalReader, LocalWriter};
use crate::host::files::{
    Answer, Attributes, Create, Fault, FileSystem, Problem, ReadFile, Stat, WriteFile, base_name,
};

/// Names of one directory that are taken; more is an error.
pub(crate) const NAMES_MAX: usize = 1_000_000;

/// The files of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Answer<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(Fault::from),
        Err(stopped) => Err(Fault::new(Problem::Other, stopped.to_string())),
    }
}

fn stat_of(path: &Path, metadata: &fs::Metadata) -> Stat {
    let seconds = |time: i64| u32::try_from(time.max(0)).unwrap_or(u32::MAX);
    Stat {
        name: base_name(path),
        kind: Stat::kind_of(metadata.mode()),
        size: metadata.size(),
        uid: metadata.uid(),
        gid: metadata.gid(),
        mode: metadata.mode() & 0o7777,
        accessed: seconds(metadata.atime()),
        modified: seconds(metadata.mtime()),
    }
}

pub(super) fn times(read: u32, written: u32) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: seconds.into(), tv_nsec: 0 };
    Timestamps { last_access: at(read), last_modification: at(written) }
}

#[async_trait]
impl FileSystem for LocalFiles {
    async fn stat(&self, path: &Path) -> Answer<Stat> {
        let path = path.to_path_buf();
        blocking(move || Ok(stat_of(&path, &fs::metadata(&path)?))).await
    }

    async fn lstat(&self, path: &Path) -> Answer<Stat> {
        let path = path.to_path_buf();
        blocking(move || Ok(stat_of(&path, &fs::symlink_metadata(&path)?))).await
    }

    async fn read_link(&self, path: &Path) -> Answer<PathBuf> {
        let path = path.to_path_buf();
        blocking(move || fs::read_link(path)).await
    }

    async fn list(&self, path: &Path) -> Answer<Vec<Stat>> {
        let path = path.to_path_buf();
        blocking(move || {
            let mut entries = Vec::new();
            for entry in fs::read_dir(&path)? {
                let entry = entry?;
                match entry.metadata() {
                    Ok(metadata) => entries.push(stat_of(Path::new(&entry.file_name()), &metadata)),
                    // Removed since the directory was read.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
                if entries.len() > NAMES_MAX {
                    return Err(io::Error::other(format!("it has more than {NAMES_MAX} entries")));
                }
            }
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(entries)
        })
        .await
    }

    async fn read(&self, path: &Path) -> Answer<Box<dyn ReadFile>> {
        let path = path.to_path_buf();
        blocking(move || {
            // A pipe without a writer would keep the thread for ever.
            let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&path)?;
            let metadata = file.metadata()?;
            if metadata.is_dir() {
                return Err(io::Error::from_raw_os_error(libc::EISDIR));
            }
            let sparse = metadata.blocks().saturating_mul(512) < metadata.size();
            let stat = stat_of(&path, &metadata);
            Ok(Box::new(LocalReader::new(file, stat, sparse)) as Box<dyn ReadFile>)
        })
        .await
    }

    async fn write(&self, path: &Path, create: Create) -> Answer<Box<dyn WriteFile>> {
        let path = path.to_path_buf();
        blocking(move || {
            let mut options = OpenOptions::new();
            match create {
                Create::New(mode) => options.write(true).create_new(true).mode(mode.unwrap_or(0o666)),
                Create::Truncate => options.write(true).create(true).truncate(true),
                Create::Append => options.append(true).create(true),
            };
            let file = options.open(&path)?;
            Ok(Box::new(LocalWriter::new(file)) as Box<dyn WriteFile>)
        })
        .await
    }

    async fn make_directory(&self, path: &Path, mode: u32) -> Answer<()> {
        let path = path.to_path_buf();
        blocking(move || fs::DirBuilder::new().mode(mode).create(path)).await
    }

    async fn make_link(&self, path: &Path, target: &Path) -> Answer<()> {
        let (path, target) = (path.to_path_buf(), target.to_path_buf());
        blocking(move || std::os::unix::fs::symlink(target, path)).await
    }

    async fn rename(&self, from: &Path, to: &Path) -> Answer<()> {
        let (from, to) = (from.to_path_buf(), to.to_path_buf());
        blocking(move || fs::rename(from, to)).await
    }

    async fn remove_file(&self, path: &Path) -> Answer<()> {
        let path = path.to_path_buf();
        blocking(move || fs::remove_file(path)).await
    }

    async fn remove_directory(&self, path: &Path) -> Answer<()> {
        let path = path.to_path_buf();
        blocking(move || fs::remove_dir(path)).await
    }

    async fn set(&self, path: &Path, attributes: Attributes) -> Answer<()> {
        let path = path.to_path_buf();
        blocking(move || {
            if let Some(size) = attributes.size {
                OpenOptions::new().write(true).open(&path)?.set_len(size)?;
            }
            if let Some((uid, gid)) = attributes.owner {
                std::os::unix::fs::chown(&path, Some(uid), Some(gid))?;
            }
            if let Some(mode) = attributes.mode {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            }
            if let Some((read, written)) = attributes.times {
                rustix::fs::utimensat(rustix::fs::CWD, &path, &times(read, written), rustix::fs::AtFlags::empty())?;
            }
            Ok(())
        })
        .await
    }
}
