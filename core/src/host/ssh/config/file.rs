//! Reads configuration files line by line and keeps the first value of every setting.

use std::io::{ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::criteria::{Subject, Verdict};
use super::setter::{KEYWORDS, Setter};
use super::{Query, Reading, Stamp, Tokens, home_path, include, words};
use crate::host::ssh::failure::Failure;
use crate::host::ssh::wildcard;

/// How deep files may include each other; OpenSSH's bound.
const MAX_DEPTH: usize = 16;
/// Configuration files are small: 1 MiB each, 200 files in all.
const MAX_FILE: u64 = 1024 * 1024;
const MAX_FILES: usize = 200;

pub(super) struct Reader<'a> {
    query: Query<'a>,
    setter: Setter,
    undecided: Option<String>,
    stamps: Vec<Stamp>,
}

/// Where a reader stands.
struct Scope<'a> {
    /// What relative names in `Include` are relative to.
    directory: Option<&'a Path>,
    depth: usize,
    /// Whether lines count: the block around an `Include` and the blocks of this file.
    active: bool,
    outer: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(query: Query<'a>) -> Reader<'a> {
        Reader { query, setter: Setter::default(), undecided: None, stamps: Vec::new() }
    }

    pub(super) fn into_reading(self) -> Reading {
        Reading { settings: self.setter.settings, undecided: self.undecided, stamps: self.stamps }
    }

    /// A file somebody named: it must be there.
    pub(super) fn read_required(&mut self, file: &Path, directory: Option<&Path>) -> Result<(), Failure> {
        if self.read(file, directory, 0, true)? {
            return Ok(());
        }
        Err(Failure::new(format!("ssh configuration {} does not exist", file.display()))
            .hint("it is named by config_filename of the host"))
    }

    /// The user's file: nobody else may be able to write it.
    pub(super) fn read_users(&mut self, file: &Path) -> Result<(), Failure> {
        if let Ok(metadata) = std::fs::metadata(file) {
            let strange = metadata.uid() != 0 && metadata.uid() != self.query.account.uid;
            if strange || metadata.mode() & 0o022 != 0 {
                return Err(Failure::new(format!("bad owner or permissions on {}", file.display()))
                    .hint(format!("it must be yours, and writable by nobody else: chmod go-w {}", file.display())));
            }
        }
        self.read(file, file.parent(), 0, true).map(drop)
    }

    pub(super) fn read_systems(&mut self, file: &Path) -> Result<(), Failure> {
        self.read(file, file.parent(), 0, true).map(drop)
    }

    /// Whether the file exists.
    fn read(&mut self, file: &Path, directory: Option<&Path>, depth: usize, active: bool) -> Result<bool, Failure> {
        let (text, stamp) = match bounded(file) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", file.display()))),
        };
        self.stamps.push(stamp);
        if depth > MAX_DEPTH || self.stamps.len() > MAX_FILES {
            return Err(Failure::new(format!("{}: too many Include lines inside each other", file.display())));
        }
        let mut scope = Scope { directory, depth, active, outer: active };
        for (index, line) in text.lines().enumerate() {
            let here = |message: String| format!("{}:{}: {message}", file.display(), index + 1);
            match self.line(line, &mut scope) {
                Ok(()) => {}
                Err(LineError::Here(message)) => return Err(Failure::new(here(message))),
                Err(LineError::Included(failure)) => return Err(failure),
                Err(LineError::Undecided(why)) => drop(self.undecided.get_or_insert(here(why))),
            }
        }
        Ok(true)
    }

    fn line(&mut self, line: &str, scope: &mut Scope<'_>) -> Result<(), LineError> {
        let Some((keyword, rest)) = words::split(line) else { return Ok(()) };
        let arguments = || words::arguments(rest).map_err(LineError::Here);
        match keyword.as_str() {
            "host" => {
                let arguments = arguments()?;
                let names = arguments.iter().map(String::as_str);
                scope.active = scope.outer && wildcard::list_matches(names, self.query.host);
                Ok(())
            }
            "match" => {
                let arguments = arguments()?;
                // Read as if it matched when ssh has to decide, so that files it includes are among those looked at.
                scope.active = scope.outer;
                if scope.outer {
                    scope.active = self.matches(&arguments)?;
                }
                Ok(())
            }
            // Without this, a block that does not count could still read files of any number.
            "include" if !scope.active => Ok(()),
            "include" => self.include(&arguments()?, scope),
            // The rest of the line as it is: quotes in a command are the shell's.
            "proxyjump" | "proxycommand" if scope.active => self.setter.proxy(&keyword, rest).map_err(LineError::Here),
            "canonicalizehostname" if scope.active => match arguments()?.first() {
                Some(no) if ["no", "false"].contains(&no.to_ascii_lowercase().as_str()) => Ok(()),
                _ => Err(LineError::Undecided("CanonicalizeHostname".into())),
            },
            _ if scope.active && KEYWORDS.contains(&keyword.as_str()) => {
                self.setter.set(&keyword, &arguments()?).map_err(LineError::Here)
            }
            _ => Ok(()),
        }
    }

    fn include(&mut self, arguments: &[String], scope: &Scope<'_>) -> Result<(), LineError> {
        for argument in arguments {
            let home = self.query.account.home.as_deref();
            let mut path = home_path(argument, home).map_err(LineError::Here)?;
            if path.is_relative() {
                let Some(directory) = scope.directory else {
                    return Err(LineError::Here(format!("{argument}: relative to what? there is no home directory")));
                };
                path = directory.join(path);
            }
            for file in include::expand(&path) {
                self.read(&file, scope.directory, scope.depth + 1, true).map_err(LineError::Included)?;
            }
        }
        Ok(())
    }

    fn matches(&mut self, criteria: &[String]) -> Result<bool, LineError> {
        let local = self.query.account.name.clone().unwrap_or_default();
        let tokens = Tokens { host: self.query.host, ..Tokens::default() };
        let name = self.setter.settings.hostname.as_deref().and_then(|name| tokens.expand(name).ok());
        let user = self.query.user.map(str::to_string).or_else(|| self.setter.settings.user.clone());
        let subject = Subject {
            original_host: self.query.host,
            host: &name.unwrap_or_else(|| self.query.host.to_string()),
            user: &user.unwrap_or_else(|| local.clone()),
            local_user: &local,
        };
        match subject.meets(criteria).map_err(LineError::Here)? {
            Verdict::Decided(hit) => Ok(hit),
            Verdict::Undecided(why) => Err(LineError::Undecided(why)),
        }
    }
}

enum LineError {
    Here(String),
    Included(Failure),
    /// Only ssh itself knows.
    Undecided(String),
}

fn bounded(file: &Path) -> std::io::Result<(String, Stamp)> {
    let metadata = std::fs::metadata(file)?;
    // A pipe could be waited for without end.
    if !metadata.is_file() && !metadata.file_type().is_char_device() {
        return Err(std::io::Error::other("it is not a file"));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(std::io::Error::other(format!("it is longer than {MAX_FILE} bytes")));
    }
    let stamp = Stamp {
        path: file.to_path_buf(),
        modified: (metadata.mtime(), metadata.mtime_nsec()),
        size: metadata.len(),
        inode: metadata.ino(),
    };
    Ok((String::from_utf8_lossy(&bytes).into_owned(), stamp))
}
