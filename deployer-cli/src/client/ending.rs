//! How being attached ended, what is said about it, and the exit status.

use std::path::Path;

use deployer_protocol::FrameError;

use super::connection::{broken, gone};
use crate::failure::{Failure, printable};

/// How being attached ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The session ended with this status.
    Finished(i32),
    /// The session was ended with this status, for this reason: by somebody, or with its daemon.
    Ended(i32, String),
    /// The operator left, or was detached for this reason; the session goes on.
    Detached {
        /// Its name.
        session: String,
        /// Why, unless it was the operator's own key.
        reason: Option<String>,
    },
    /// This process was told to end by a signal of this number.
    Signal(i32),
    /// The reader of standard output is gone.
    OutputClosed,
}

/// Signal number of a broken pipe.
const SIGPIPE: u8 = 13;

impl Ending {
    /// The daemon says that the session has ended, and has said why if that was not its own doing.
    pub(crate) fn told(status: i32, reason: Option<Failure>) -> Ending {
        match reason {
            Some(reason) => Ending::Ended(status, reason.message),
            None => Ending::Finished(status),
        }
    }

    /// What to say on standard error.
    pub(crate) fn notice(&self) -> Option<String> {
        match self {
            Ending::Detached { session, reason } => {
                let why = match reason.as_deref().map(|reason| printable(reason, 200)) {
                    Some(reason) if !reason.is_empty() => format!(": {reason}"),
                    _ => String::new(),
                };
                Some(format!("[detached from session {session}{why}; connect --session {session} returns to it]"))
            }
            Ending::Ended(_, reason) => Some(printable(reason, 200)),
            Ending::Finished(_) | Ending::Signal(_) | Ending::OutputClosed => None,
        }
    }

    /// The exit status: that of the session, or 128 + the signal.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Ending::Finished(status) | Ending::Ended(status, _) => {
                u8::try_from(*status).unwrap_or(crate::failure::FAILED)
            }
            Ending::Detached { .. } => 0,
            Ending::Signal(number) => u8::try_from(128 + number).unwrap_or(crate::failure::FAILED),
            Ending::OutputClosed => 128 + SIGPIPE,
        }
    }
}

/// The connection ended, perhaps with an error, while a session was attached. What the daemon said before says why:
/// hanging up on messages that it did not read looks like a broken connection.
pub(crate) fn lost(path: &Path, error: Option<&FrameError>, refusal: Option<Failure>) -> Failure {
    refusal.unwrap_or_else(|| error.map_or_else(|| gone(path), |error| broken(path, error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_says_how_it_ended() {
        let detached = |reason: Option<&str>| Ending::Detached {
            session: "amber".to_string(),
            reason: reason.map(str::to_string),
        };
        for (ending, status) in [
            (Ending::Finished(0), 0),
            (Ending::Finished(3), 3),
            (Ending::Finished(-1), 1),
            (Ending::Finished(256), 1),
            (Ending::told(130, Some(Failure::daemon("the daemon was stopped"))), 130),
            (Ending::Signal(15), 143),
            (Ending::OutputClosed, 141),
            (detached(None), 0),
        ] {
            assert_eq!(ending.status(), status, "{ending:?}");
        }
        let said = |reason| detached(reason).notice().unwrap_or_default();
        assert_eq!(said(None), "[detached from session amber; connect --session amber returns to it]");
        assert_eq!(
            said(Some("by \x1bbob")),
            "[detached from session amber: by ?bob; connect --session amber returns to it]"
        );
    }
}
