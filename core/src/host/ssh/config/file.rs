//! Reads configuration files line by line and keeps the first value of every setting.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::values::{files, port, strict, time, yes};
use super::{Proxy, Query, Settings, Tokens, home_path, include, words};
use crate::host::ssh::failure::Failure;
use crate::host::ssh::wildcard;

/// How deep files may include each other; OpenSSH's bound.
const MAX_DEPTH: usize = 16;
/// Configuration files are small: 1 MiB each, 200 files in all.
const MAX_FILE: u64 = 1024 * 1024;
const MAX_FILES: usize = 200;

/// What is looked at; a line of any other kind may say what it likes.
const KEYWORDS: [&str; 20] = [
    "hostname",
    "hostkeyalias",
    "user",
    "port",
    "identityfile",
    "identitiesonly",
    "connecttimeout",
    "serveraliveinterval",
    "serveralivecountmax",
    "userknownhostsfile",
    "globalknownhostsfile",
    "stricthostkeychecking",
    "proxyjump",
    "certificatefile",
    "ciphers",
    "kexalgorithms",
    "macs",
    "hostkeyalgorithms",
    "pubkeyacceptedalgorithms",
    // Its name until OpenSSH 8.5.
    "pubkeyacceptedkeytypes",
];

pub(super) struct Reader<'a> {
    query: Query<'a>,
    settings: Settings,
    warned: HashSet<PathBuf>,
    files: usize,
}

/// Where a reader stands.
struct Scope<'a> {
    file: &'a Path,
    /// What relative names in `Include` are relative to.
    directory: Option<&'a Path>,
    depth: usize,
    /// Whether lines count: the block around an `Include` and the blocks of this file.
    active: bool,
    outer: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(query: Query<'a>) -> Reader<'a> {
        Reader { query, settings: Settings::default(), warned: HashSet::new(), files: 0 }
    }

    pub(super) fn into_settings(self) -> Settings {
        self.settings
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
        let text = match bounded(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Failure::new(format!("cannot read {}: {error}", file.display()))),
        };
        self.files += 1;
        if depth > MAX_DEPTH || self.files > MAX_FILES {
            return Err(Failure::new(format!("{}: too many Include lines inside each other", file.display())));
        }
        let mut scope = Scope { file, directory, depth, active, outer: active };
        for (index, line) in text.lines().enumerate() {
            self.line(line, &mut scope).map_err(|failure| match failure {
                LineError::Here(message) => Failure::new(format!("{}:{}: {message}", file.display(), index + 1)),
                LineError::Included(failure) => failure,
            })?;
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
                scope.active = scope.outer && self.matches(&arguments()?, scope.file)?;
                Ok(())
            }
            // Without this, a block that does not count could still read files of any number.
            "include" if !scope.active => Ok(()),
            "include" => self.include(&arguments()?, scope),
            // A command line, not words: quotes in it are the shell's.
            "proxycommand" if scope.active => self.set(&keyword, &[rest.to_string()]).map_err(LineError::Here),
            _ if scope.active && KEYWORDS.contains(&keyword.as_str()) => {
                self.set(&keyword, &arguments()?).map_err(LineError::Here)
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

    fn matches(&mut self, criteria: &[String], file: &Path) -> Result<bool, LineError> {
        if criteria.is_empty() {
            return Err(LineError::Here("Match without criteria".into()));
        }
        let mut words = criteria.iter();
        let mut all = true;
        while let Some(word) = words.next() {
            let (negated, word) = word.strip_prefix('!').map_or((false, word.as_str()), |word| (true, word));
            let (name, attached) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
            let name = name.to_ascii_lowercase();
            let hit = match name.as_str() {
                "all" => true,
                "host" | "originalhost" | "user" | "localuser" => {
                    let Some(patterns) = attached.or_else(|| words.next().map(String::as_str)) else {
                        return Err(LineError::Here(format!("Match {name} without a pattern")));
                    };
                    wildcard::list_matches(patterns.split(','), &self.subject(&name))
                }
                _ => {
                    // Said once: it could be a hundred lines, for a hundred hosts.
                    if self.warned.insert(file.to_path_buf()) {
                        tracing::warn!(file = %file.display(), "Match {name} is not supported and never matches");
                    }
                    return Ok(false);
                }
            };
            all &= hit != negated;
        }
        Ok(all)
    }

    fn subject(&self, criterion: &str) -> String {
        let local = || self.query.account.name.clone().unwrap_or_default();
        match criterion {
            "originalhost" => self.query.host.to_string(),
            "host" => {
                let tokens = Tokens { host: self.query.host, ..Tokens::default() };
                let name = self.settings.hostname.as_deref().and_then(|name| tokens.expand(name).ok());
                name.unwrap_or_else(|| self.query.host.to_string())
            }
            "user" => {
                let user = self.query.user.map(str::to_string).or_else(|| self.settings.user.clone());
                user.unwrap_or_else(local)
            }
            _ => local(),
        }
    }

    fn set(&mut self, keyword: &str, arguments: &[String]) -> Result<(), String> {
        let first = || arguments.first().cloned().ok_or_else(|| format!("{keyword} without a value"));
        let settings = &mut self.settings;
        match keyword {
            "hostname" => keep(&mut settings.hostname, first()?),
            "hostkeyalias" => keep(&mut settings.host_key_alias, first()?),
            "user" => keep(&mut settings.user, first()?),
            "port" => keep(&mut settings.port, port(&first()?)?),
            "identityfile" => settings.identity_files.push(first()?),
            "certificatefile" => settings.certificate_files.push(first()?),
            "ciphers" => keep(&mut settings.algorithms.ciphers, first()?),
            "kexalgorithms" => keep(&mut settings.algorithms.kex, first()?),
            "macs" => keep(&mut settings.algorithms.macs, first()?),
            "hostkeyalgorithms" => keep(&mut settings.algorithms.host_keys, first()?),
            "pubkeyacceptedalgorithms" | "pubkeyacceptedkeytypes" => {
                keep(&mut settings.algorithms.user_keys, first()?);
            }
            "identitiesonly" => keep(&mut settings.identities_only, yes(keyword, &first()?)?),
            "connecttimeout" => {
                if let Some(limit) = time(&first()?)? {
                    keep(&mut settings.connect_timeout, limit);
                }
            }
            "serveraliveinterval" => {
                keep(&mut settings.alive_interval, time(&first()?)?.unwrap_or(Duration::ZERO));
            }
            "serveralivecountmax" => {
                let count = first()?.parse().map_err(|_| "ServerAliveCountMax is not a number".to_string())?;
                keep(&mut settings.alive_count, count);
            }
            "userknownhostsfile" => keep(&mut settings.user_known_hosts, files(arguments)),
            "globalknownhostsfile" => keep(&mut settings.global_known_hosts, files(arguments)),
            "stricthostkeychecking" => keep(&mut settings.strict_host_keys, strict(&first()?)?),
            "proxyjump" | "proxycommand" => {
                let value = first()?;
                let proxy = match value.eq_ignore_ascii_case("none") {
                    true => Proxy::Direct,
                    false => Proxy::Through(format!("{keyword} {}", arguments.join(" "))),
                };
                keep(&mut settings.proxy, proxy);
            }
            _ => {}
        }
        Ok(())
    }
}

enum LineError {
    Here(String),
    Included(Failure),
}

fn keep<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

fn bounded(file: &Path) -> std::io::Result<String> {
    let length = std::fs::metadata(file)?.len();
    if length > MAX_FILE {
        return Err(std::io::Error::other(format!("{length} bytes are too many")));
    }
    Ok(String::from_utf8_lossy(&std::fs::read(file)?).into_owned())
}
