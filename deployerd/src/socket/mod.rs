//! Where sockets live, whose they are, and whether somebody answers (design 7, rows Q-02, W-02, W-37).
//!
//! Names and safety of directories are here; binding, replacing and removing are in `bind`.

mod bind;
mod lock;
mod team;

use std::ffi::{OsStr, OsString};
use std::fs::{DirBuilder, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

pub use bind::{BoundSocket, Crashed, adopt, bind, clean_up, left_behind};
pub use team::{TEAM_GROUP, bind_team, is_team, team_path};

/// Longest path of a socket in bytes; the kernel's field has 108 with the final zero.
const PATH_MAX: usize = 107;

/// Numbers of a user's sockets, from 0 (row Q-02).
const NUMBERS: u32 = 100;

/// What is wrong with a socket path; says what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SocketError(pub String);

/// The directory of a user's sockets: `$XDG_RUNTIME_DIR/deployer`, else `/tmp/deployer-UID`; made 0700 when missing,
/// refused when somebody else owns it or others can write to it.
///
/// `$XDG_RUNTIME_DIR` counts when it is an absolute path to an existing directory of this user's: after `sudo` or
/// `su` it often is somebody else's.
///
/// # Errors
/// When it cannot be made or is not safe.
pub fn directory() -> Result<PathBuf, SocketError> {
    let path = user_directory();
    match DirBuilder::new().mode(0o700).create(&path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(SocketError(format!("cannot make {}: {error}", path.display()))),
    }
    check_directory(&path, Whose::MineAlone)?;
    Ok(path)
}

/// The path that `--socket VALUE` (or `$DEPLOYER_SOCKET`) means: digits are the user's socket of that number in
/// [`directory`], anything else is a path. The same for every subcommand (row W-37).
///
/// # Errors
/// As [`directory`]; a path longer than 107 bytes.
pub fn resolve(value: &str) -> Result<PathBuf, SocketError> {
    if value.is_empty() {
        return Err(SocketError("the socket is empty: give a number or a path".to_string()));
    }
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: u32 =
            value.parse().map_err(|_| SocketError(format!("socket number {value} is too large: give a path")))?;
        return Ok(directory()?.join(format!("{number}.sock")));
    }
    let path = std::path::absolute(value)
        .map_err(|error| SocketError(format!("cannot make {value} an absolute path: {error}")))?;
    check_length(&path)?;
    Ok(path)
}

/// All sockets of the user (and the team's in `/run/deployer`), by number and name; whether anybody answers is for
/// the caller to find out.
///
/// # Errors
/// When a directory is not safe or cannot be read; a missing directory is an empty list.
pub fn list() -> Result<Vec<PathBuf>, SocketError> {
    let mine = user_directory();
    let mut all = Vec::new();
    if mine.symlink_metadata().is_ok() {
        check_directory(&mine, Whose::MineAlone)?;
        all.extend(sockets_in(&mine)?);
    }
    all.extend(sockets_in(&team::directory())?);
    Ok(all)
}

fn user_directory() -> PathBuf {
    directory_of(std::env::var_os("XDG_RUNTIME_DIR"), uid())
}

fn directory_of(runtime_dir: Option<OsString>, uid: u32) -> PathBuf {
    let runtime_dir = runtime_dir.map(PathBuf::from).filter(|path| {
        path.is_absolute() && path.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid)
    });
    match runtime_dir {
        Some(path) => path.join("deployer"),
        None => PathBuf::from(format!("/tmp/deployer-{uid}")),
    }
}

/// The effective user id: whose files this process makes.
pub(crate) fn uid() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn sockets_in(directory: &Path) -> Result<Vec<PathBuf>, SocketError> {
    let refused = |error: io::Error| SocketError(format!("cannot read {}: {error}", directory.display()));
    let entries = match directory.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        // The team's directory is not for everybody; who may not look has no team sockets.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && directory == team::directory() => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(refused(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        let is_socket =
            path.symlink_metadata().is_ok_and(|m| std::os::unix::fs::FileTypeExt::is_socket(&m.file_type()));
        if is_socket && path.extension() == Some(OsStr::new("sock")) {
            found.push(path);
        }
    }
    found.sort_by_key(|path| order(path));
    Ok(found)
}

/// Numbers first, in numeric order, then names.
fn order(path: &Path) -> (u32, OsString) {
    let stem = path.file_stem().unwrap_or_default();
    let number = stem.to_str().and_then(|text| text.parse().ok()).unwrap_or(u32::MAX);
    (number, stem.to_os_string())
}

fn check_length(path: &Path) -> Result<(), SocketError> {
    match path.as_os_str().as_bytes() {
        bytes if bytes.len() > PATH_MAX => Err(SocketError(format!(
            "the socket path {} has {} bytes, the system allows {PATH_MAX}: choose a shorter one",
            path.display(),
            bytes.len()
        ))),
        bytes if bytes.contains(&0) => Err(SocketError("the socket path contains a zero byte".to_string())),
        _ => Ok(()),
    }
}

/// To whom a directory may belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// To this user, and nobody else may write to it.
    MineAlone,
    /// To this user or root; others may write to it only if they cannot replace files of ours (sticky).
    Trusted,
}

/// Checks the directory itself: opened without following a link at its end, so that what was checked is what is there.
fn check_directory(path: &Path, whose: Whose) -> Result<(), SocketError> {
    let follow = if whose == Whose::MineAlone { OFlags::NOFOLLOW } else { OFlags::empty() };
    let directory = rustix::fs::open(
        path,
        OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::RDONLY | follow,
        Mode::empty(),
    )
    .map_err(|error| {
        SocketError(format!("cannot use {} as a directory for sockets: {error}{}", path.display(), link_hint(path)))
    })?;
    let metadata =
        File::from(directory).metadata().map_err(|error| SocketError(format!("{}: {error}", path.display())))?;
    match judge(Facts::of(&metadata), whose, uid()) {
        None => Ok(()),
        Some(reason) => Err(SocketError(format!("{} is not safe for a socket: {reason}", path.display()))),
    }
}

fn link_hint(path: &Path) -> &'static str {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => " (it is a symbolic link: remove it)",
        _ => "",
    }
}

/// What matters of a directory.
#[derive(Clone, Copy, Debug)]
struct Facts {
    owner: u32,
    mode: u32,
}

impl Facts {
    fn of(metadata: &Metadata) -> Facts {
        Facts { owner: metadata.uid(), mode: metadata.mode() & 0o7777 }
    }
}

/// Why a directory is not safe.
fn judge(facts: Facts, whose: Whose, uid: u32) -> Option<String> {
    let owned = facts.owner == uid || (whose == Whose::Trusted && facts.owner == 0);
    if !owned {
        return Some(format!("it belongs to user id {}, who could replace the socket", facts.owner));
    }
    let writable = facts.mode & 0o022 != 0;
    let sticky = facts.mode & 0o1000 != 0;
    match whose {
        Whose::MineAlone if writable => {
            Some(format!("others can write to it (mode {:04o}): `chmod 700` it", facts.mode))
        }
        Whose::Trusted if writable && !sticky => {
            Some(format!("others can write to it (mode {:04o}) and could replace the socket", facts.mode))
        }
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    // rows: W-02
    #[test]
    fn a_directory_that_others_control_is_not_safe() {
        let safe = |owner, mode, whose| judge(Facts { owner, mode }, whose, 1000).is_none();
        for (owner, mode, alone, trusted) in [
            (1000, 0o700, true, true),
            (1000, 0o755, true, true),
            (1000, 0o770, false, false),
            (1000, 0o702, false, false),
            (1000, 0o1777, false, true),
            (0, 0o1777, false, true),
            (0, 0o755, false, true),
            (0, 0o775, false, false),
            (1001, 0o700, false, false),
            (1001, 0o1777, false, false),
        ] {
            assert_eq!(safe(owner, mode, Whose::MineAlone), alone, "alone: {owner} {mode:o}");
            assert_eq!(safe(owner, mode, Whose::Trusted), trusted, "trusted: {owner} {mode:o}");
        }
    }

    #[test]
    fn a_link_is_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let link = place.path().join("link");
        std::os::unix::fs::symlink(place.path(), &link).unwrap();
        let error = check_directory(&link, Whose::MineAlone).unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
    }

    #[test]
    fn the_runtime_directory_counts_when_it_is_ours() {
        let place = tempfile::tempdir().unwrap();
        let given = |text: &Path| Some(text.as_os_str().to_os_string());
        let fallback = PathBuf::from(format!("/tmp/deployer-{}", uid()));
        assert_eq!(directory_of(given(place.path()), uid()), place.path().join("deployer"));
        assert_eq!(directory_of(given(&place.path().join("missing")), uid()), fallback);
        assert_eq!(directory_of(Some("relative".into()), uid()), fallback);
        assert_eq!(directory_of(None, uid()), fallback);
        assert_eq!(directory_of(given(place.path()), 4_000_000), PathBuf::from("/tmp/deployer-4000000"));
    }

    // rows: W-37
    #[test]
    fn digits_are_numbers_and_anything_else_is_a_path() {
        assert_eq!(resolve("/run/x.sock").unwrap(), PathBuf::from("/run/x.sock"));
        assert_eq!(resolve("3").unwrap(), directory().unwrap().join("3.sock"));
        assert_eq!(resolve("003").unwrap(), resolve("3").unwrap());
        assert!(resolve("./3").unwrap().is_absolute());
        assert!(resolve("").is_err());
        assert!(resolve("99999999999").unwrap_err().to_string().contains("too large"));
        let long = format!("/tmp/{}", "x".repeat(103));
        assert!(resolve(&long).unwrap_err().to_string().contains("108 bytes"));
        assert!(resolve(&long[..107]).is_ok());
    }

    #[test]
    fn sockets_are_listed_by_number_and_name() {
        let place = tempfile::tempdir().unwrap();
        assert!(sockets_in(&place.path().join("missing")).unwrap().is_empty());
        for name in ["web.sock", "10.sock", "2.sock", ".2.sock.lock"] {
            std::os::unix::net::UnixListener::bind(place.path().join(name)).unwrap();
        }
        std::fs::write(place.path().join("3.sock"), "not a socket").unwrap();
        let names: Vec<String> = sockets_in(place.path())
            .unwrap()
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names, ["2.sock", "10.sock", "web.sock"]);
    }
}
