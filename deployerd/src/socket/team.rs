//! The sockets of a team: by name, in a directory that only root and the daemon can change, for a group.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::bind::{BoundSocket, Reach, bind_at};
use super::{SocketError, Whose, check_directory, check_length};
use crate::authority::gid_of;

/// Where the team's daemons listen.
const DIRECTORY: &str = "/run/deployer";

/// The group whose members reach a team's socket, unless a flag says otherwise.
pub const TEAM_GROUP: &str = "deployer";

/// Longest name of a team's socket.
const NAME_MAX: usize = 40;

/// `$DEPLOYER_TEAM_DIRECTORY`, else `/run/deployer`. The variable is for tests and for machines with several teams.
pub(super) fn directory() -> PathBuf {
    let given = std::env::var_os("DEPLOYER_TEAM_DIRECTORY").filter(|value| !value.is_empty()).map(PathBuf::from);
    given.filter(|path| path.is_absolute()).unwrap_or_else(|| PathBuf::from(DIRECTORY))
}

/// Whether a path is that of a team's socket.
pub fn is_team(socket: &Path) -> bool {
    socket.parent() == Some(&directory())
}

/// The path of the socket of this team: `/run/deployer/NAME.sock`.
///
/// # Errors
/// When it is no name: 1 to 40 letters, digits, dashes and underscores, not only digits (those are users' sockets).
pub fn team_path(name: &str) -> Result<PathBuf, SocketError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let digits = name.chars().all(|c| c.is_ascii_digit());
    if name.len() > NAME_MAX || digits || !name.chars().all(allowed) {
        return Err(SocketError(format!(
            "'{}' cannot be the name of a team: 1 to {NAME_MAX} letters, digits, dashes and underscores, not only digits",
            name.escape_debug()
        )));
    }
    let path = directory().join(format!("{name}.sock"));
    check_length(&path)?;
    Ok(path)
}

/// Binds the socket of a team: mode 0660, for the members of `group` (a name or a number).
///
/// # Errors
/// As for other sockets; when there is no such group, or the daemon's user may not give files to it.
pub fn bind_team(path: &Path, group: &str) -> Result<BoundSocket, SocketError> {
    let gid = gid_of(group).map_err(|why| {
        SocketError(format!("{why}: make it with `groupadd --system {group}`, or name another with --team-group"))
    })?;
    let parent = path.parent().ok_or_else(|| SocketError(format!("{} is not a path of a socket", path.display())))?;
    match DirBuilder::new().mode(0o755).create(parent) {
        // The umask of a daemon is narrow; others must be able to come to the socket.
        Ok(()) => open_to_others(parent)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => {
            return Err(SocketError(format!(
                "cannot make {}: {error}; root makes it, or systemd with RuntimeDirectory=deployer",
                parent.display()
            )));
        }
    }
    check_directory(parent, Whose::Trusted)?;
    bind_at(path, Reach::Group(gid)).map_err(|SocketError(why)| match why.contains("Operation not permitted") {
        true => SocketError(format!("{why}; the user of the daemon must be a member of the group {group}")),
        false => SocketError(why),
    })
}

fn open_to_others(directory: &Path) -> Result<(), SocketError> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755))
        .map_err(|error| SocketError(format!("cannot open {} to others: {error}", directory.display())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn a_team_has_a_name() {
        for good in ["ops", "web-2", "A_b"] {
            assert!(team_path(good).unwrap().ends_with(format!("{good}.sock")));
        }
        for bad in ["", "3", "a/b", "..", "a b", &"x".repeat(41)] {
            assert!(team_path(bad).is_err(), "{bad}");
        }
    }

    // rows: Q-03
    #[test]
    fn the_socket_is_for_its_group() {
        let place = tempfile::tempdir().unwrap();
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = place.path().join("new/ops.sock");
        let group = rustix::process::getegid().as_raw();
        let bound = bind_team(&path, &group.to_string()).unwrap();
        let facts = path.metadata().unwrap();
        assert_eq!((facts.mode() & 0o777, facts.gid()), (0o660, group));
        assert_eq!(place.path().join("new").metadata().unwrap().mode() & 0o777, 0o755);
        drop(bound);
        assert!(bind_team(&path, "no-such-group").unwrap_err().to_string().contains("groupadd"));
    }
}
