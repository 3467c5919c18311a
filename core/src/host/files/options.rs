//! How files are opened and transferred.

use std::path::Path;

/// What a file is opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenMode {
    /// To read it.
    #[default]
    Read,
    /// To replace it; it is as it was until [`super::HostFile::close`].
    Write,
    /// To add to its end.
    Append,
}

impl OpenMode {
    /// From the letters of the original: `r`, `w`, `a`, each with or without `b` (files are bytes anyway).
    pub fn of(letters: &str) -> Option<OpenMode> {
        match letters {
            "r" | "rb" | "br" => Some(OpenMode::Read),
            "w" | "wb" | "bw" => Some(OpenMode::Write),
            "a" | "ab" | "ba" => Some(OpenMode::Append),
            _ => None,
        }
    }
}

/// How a file is opened or transferred; the last table of `put_file(here, there, { ... })` in a deployment file.
#[derive(Clone, Debug, Default)]
pub struct FileOptions {
    /// As root. What is read or written passes through a temporary that only the login user can read; owner and
    /// permissions of a file that is there are kept (rows F-54, F-55 with W-10, W-22).
    pub use_sudo: bool,
    /// Touch nothing (row F-56); `None` follows the Env.
    pub sandbox: Option<bool>,
    /// Neither logged nor shown.
    pub silent: bool,
    /// Write over the file instead of replacing it in one step: where no temporary can be made beside it. Somebody
    /// who reads meanwhile sees a part, and a failure leaves one.
    pub in_place: bool,
    /// Permissions of a new file, less what the umask takes, 0..=0o777; `None`: those of the file it is made from, or
    /// 0666. A file that is there keeps its own.
    pub mode: Option<u32>,
    /// A directory with everything in it; only for transfers.
    pub recursive: bool,
    /// Permissions and times exactly as they are; only for transfers.
    pub preserve: bool,
}

/// The end of a path that people would call its name.
pub(crate) fn label(path: &Path) -> String {
    super::stat::base_name(path).to_string_lossy().into_owned()
}
