//! The user's SSH configuration, read as OpenSSH reads it: what `~/.ssh/config` and `/etc/ssh/ssh_config` say about one
//! host.
//!
//! Understood: `Host` with patterns and negation, `Match` with `all`, `host`, `originalhost`, `user` and `localuser`,
//! `Include` with wildcards, quoting, `=`; the first value wins, files with keys and certificates add up. What only ssh
//! can decide (`Match exec`, a canonical host name, a second pass) is asked of `ssh -G` (`oracle`). Only the settings in
//! [`Settings`] are looked at.

#[cfg(test)]
mod corpus;
mod criteria;
mod file;
mod include;
mod oracle;
mod resolver;
mod setter;
#[cfg(test)]
mod tests;
mod tokens;
mod values;
mod words;

use std::path::PathBuf;
use std::time::Duration;

use super::account::Account;
use super::algorithms::Wishes;
use super::failure::Failure;

pub(super) use resolver::{Request, Resolver};
pub(super) use tokens::{Tokens, home_path};

use file::Reader;

/// What the files say about one host. `None`: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) hostname: Option<String>,
    pub(super) host_key_alias: Option<String>,
    pub(super) user: Option<String>,
    pub(super) port: Option<u16>,
    /// As written, in order, tokens not expanded.
    pub(super) identity_files: Vec<String>,
    pub(super) identities_only: Option<bool>,
    /// As written, in order, tokens not expanded.
    pub(super) certificate_files: Vec<String>,
    pub(super) algorithms: Wishes,
    pub(super) connect_timeout: Option<Duration>,
    /// Zero: no keepalive messages.
    pub(super) alive_interval: Option<Duration>,
    pub(super) alive_count: Option<usize>,
    /// As written, tokens not expanded; empty for `none`.
    pub(super) user_known_hosts: Option<Vec<String>>,
    pub(super) global_known_hosts: Option<Vec<String>>,
    /// As written, tokens not expanded; empty for `none`.
    pub(super) revoked_host_keys: Option<Vec<String>>,
    pub(super) strict_host_keys: Option<StrictHostKeys>,
    pub(super) proxy: Option<Proxy>,
}

/// `StrictHostKeyChecking`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StrictHostKeys {
    Yes,
    AcceptNew,
    /// `no` and `off`; changed keys are refused all the same.
    No,
    Ask,
}

/// `ProxyJump` or `ProxyCommand`, whichever came first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proxy {
    /// `none`.
    Direct,
    /// Hosts to go through, as written: `anna@bastion:2222,inner`.
    Jump(String),
    /// A command line as written, tokens not expanded.
    Command(String),
}

/// Which files to read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Files {
    /// This file and no other; it must exist.
    Only(PathBuf),
    /// The user's file and the system's; each may be missing.
    Default {
        /// `~/.ssh/config`.
        user: Option<PathBuf>,
        /// `/etc/ssh/ssh_config`.
        system: PathBuf,
    },
}

/// What the files say, and whether that is to be believed.
#[derive(Debug)]
pub(super) struct Reading {
    /// Meaningless when something is undecided.
    pub(super) settings: Settings,
    /// The line only ssh itself can decide, as `file:line: why`.
    pub(super) undecided: Option<String>,
    /// What was read, in order.
    pub(super) stamps: Vec<Stamp>,
}

/// A file as it was when it was read; another time, size or number: another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    path: PathBuf,
    modified: (i64, i64),
    size: u64,
    inode: u64,
}

/// What is known about a host before the files are read; `Match` lines look at it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'a> {
    /// The name as the deployment says it.
    pub(super) host: &'a str,
    /// Login name the deployment says.
    pub(super) user: Option<&'a str>,
    pub(super) account: &'a Account,
}

/// Reads the files for one host.
///
/// # Errors
/// A file that was asked for and is missing, cannot be read, is writable by others, or holds a value that makes no
/// sense; file and line are named.
pub(super) fn read(files: &Files, query: Query<'_>) -> Result<Reading, Failure> {
    let mut reader = Reader::new(query);
    match files {
        Files::Only(file) => {
            let directory = query.account.home.as_ref().map(|home| home.join(".ssh"));
            reader.read_required(file, directory.as_deref())?;
        }
        Files::Default { user, system } => {
            if let Some(user) = user {
                reader.read_users(user)?;
            }
            reader.read_systems(system)?;
        }
    }
    Ok(reader.into_reading())
}
