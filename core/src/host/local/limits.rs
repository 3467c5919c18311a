//! The limit of open files: a program with hundreds of sessions needs more than its children can cope with.
//!
//! The soft limit is low for programs that use `select`, which goes wrong beyond 1024 descriptors. Ours does not; what it
//! starts may. The limit belongs to the process, hence the one static.

use std::io;
use std::sync::OnceLock;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What it was before [`raise_descriptor_limit`].
static ORIGINAL: OnceLock<Rlimit> = OnceLock::new();

/// Raises the limit of open files to what the system allows, for this process and not for its children; what it is now.
///
/// # Errors
/// When the system refuses; the limit stays.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    let original = ORIGINAL.get_or_init(|| limit);
    setrlimit(Resource::Nofile, Rlimit { current: original.maximum, maximum: original.maximum })?;
    Ok(original.maximum.unwrap_or(u64::MAX))
}

/// In a child, between fork and exec: the limit that this process was started with.
pub(super) fn restore() -> io::Result<()> {
    match ORIGINAL.get() {
        Some(original) => Ok(setrlimit(Resource::Nofile, *original)?),
        None => Ok(()),
    }
}

/// The same as words of a shell, for a child that cannot be reached between fork and exec; `None` when there is
/// nothing to restore.
pub(super) fn restoring() -> Option<String> {
    let original = ORIGINAL.get()?;
    let soft = original.current.map_or_else(|| "unlimited".to_string(), |limit| limit.to_string());
    Some(format!("ulimit -S -n {soft}; exec /bin/sh -c \"$1\""))
}
