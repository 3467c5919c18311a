//! What a daemon is told of policy, journal and recordings, from the flags to the thing itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use deployerd::authority::{Authority, POLICY_FILE};
use deployerd::journal::{Journal, WhenFull};
use deployerd::oversight::Oversight;
use deployerd::recording::Recordings;

use crate::args::{OversightFlags, Unwritten};
use crate::failure::Failure;

/// Where a team's daemon writes.
const TEAM_LOGS: &str = "/var/log/deployer";

/// Policy of a daemon; read before anything is bound.
///
/// # Errors
/// Exit status 2, with file and line.
pub(crate) fn authority(flags: &OversightFlags) -> Result<Arc<Authority>, Failure> {
    if flags.team.is_none() {
        return Ok(Authority::personal());
    }
    let authority = Authority::team(flags.policy.as_deref()).map_err(|error| Failure::usage(error.to_string()))?;
    let policy = authority.policy();
    policy.notes().iter().for_each(|note| crate::commands::say(&format!("policy: {note}")));
    if policy.file().is_none() {
        crate::commands::say(&format!(
            "policy: there is no {POLICY_FILE}: only the owner of this daemon and root may use it"
        ));
    }
    Ok(authority)
}

/// Journal and recordings of the daemon that listens on `socket`.
///
/// A personal daemon works without a journal where it cannot have one, which it says; one that was asked for, and a team's,
/// must be there.
///
/// # Errors
/// Exit status 2, when one that must be there cannot be.
pub(crate) fn oversight(
    flags: &OversightFlags,
    authority: Arc<Authority>,
    socket: &Path,
) -> Result<Oversight, Failure> {
    let name = socket.file_stem().map_or("daemon".to_string(), |stem| stem.to_string_lossy().into_owned());
    let when_full = match flags.journal_policy {
        Unwritten::Strict => WhenFull::Strict,
        Unwritten::BestEffort => WhenFull::BestEffort,
    };
    let needed = flags.team.is_some() || flags.journal.is_some() || when_full == WhenFull::Strict;
    let opened = directory(flags.journal.as_deref(), flags.team.is_some(), "journal")
        .and_then(|place| Journal::open(&place, &name, when_full).map_err(|error| error.to_string()));
    let journal = match opened {
        Ok(journal) => journal,
        Err(why) if needed => {
            return Err(Failure::usage(format!(
                "cannot keep a journal: {why}; choose another place with --journal DIR"
            )));
        }
        Err(why) => {
            tracing::warn!(why, "no journal is kept");
            Journal::none()
        }
    };
    let recordings = match flags.record {
        false => None,
        true => {
            let limit = flags.record_limit.saturating_mul(1024 * 1024);
            let opened = directory(flags.recordings.as_deref(), flags.team.is_some(), "recordings")
                .and_then(|place| Recordings::open(&place, &name, limit).map_err(|error| error.to_string()));
            let why = |why| {
                Failure::usage(format!("cannot record sessions: {why}; choose another place with --recordings DIR"))
            };
            Some(Arc::new(opened.map_err(why)?))
        }
    };
    Ok(Oversight { authority, journal, recordings })
}

/// Where something is kept: as told, else with the team's logs, else with the user's state.
fn directory(given: Option<&Path>, team: bool, kind: &str) -> Result<PathBuf, String> {
    if let Some(path) = given {
        return std::path::absolute(path).map_err(|error| format!("{}: {error}", path.display()));
    }
    if team {
        return Ok(Path::new(TEAM_LOGS).join(kind));
    }
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")));
    let state = state.ok_or("neither $XDG_STATE_HOME nor $HOME is set".to_string())?;
    Ok(state.join("deployer").join(kind))
}
