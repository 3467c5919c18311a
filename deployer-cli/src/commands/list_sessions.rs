//! `deployer list-sessions`: every daemon, every session (rows P-23, Q-26).

use std::io;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Program, print, say};
use crate::args::ListSessions;
use crate::failure::Failure;
use crate::runtime;
use crate::sessions::{self, View};

/// Exit status 0 also when there is nothing to show.
pub(super) fn list_sessions(program: &Program, list: &ListSessions) -> Result<u8, Failure> {
    let sockets = sessions::sockets()?;
    let found = runtime::client(async { Ok(sessions::survey(sockets).await) })?;
    if list.json {
        let text = sessions::json(&found).map_err(|error| Failure::other(format!("cannot write JSON: {error}")))?;
        print(&text)?;
    } else if found.is_empty() {
        say("no daemon is listening; start one with `deployer listen`");
    } else {
        let view = View { zone: TimeZone::system(), now: Timestamp::now(), color: program.color.on(&io::stdout()) };
        print(&sessions::table(&found, &view))?;
    }
    Ok(0)
}
