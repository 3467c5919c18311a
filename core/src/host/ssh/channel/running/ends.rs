//! The ends of a running command towards whoever wanted it.

use russh::ChannelReadHalf;
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::host::end_marks::EndMarks;
use crate::host::process::ControlRequests;
use crate::host::ssh::channel::outbox::WriteHalf;
use crate::host::ssh::helper::Begin;
use crate::host::ssh::pool::Lease;
use crate::host::{ExitStatus, ProcessEvent};

/// The two ends towards whoever wanted the command.
pub(in crate::host::ssh) struct Reader {
    pub(in crate::host::ssh) events: mpsc::Sender<ProcessEvent>,
    pub(in crate::host::ssh) requests: ControlRequests,
}

/// What a command on a helper shell is known by.
pub(in crate::host::ssh) struct HelperRun {
    pub(in crate::host::ssh) begin: Begin,
    pub(in crate::host::ssh) marks: EndMarks,
    /// The process group of the helper and all its commands.
    pub(in crate::host::ssh) group: i32,
}

/// A command on a helper shell that has ended, and the channel for the next one.
pub(in crate::host::ssh) struct HelperRan {
    pub(in crate::host::ssh) lease: Lease,
    pub(in crate::host::ssh) read: ChannelReadHalf,
    pub(in crate::host::ssh) write: WriteHalf,
    /// To be told when the helper can take another command: whoever hears it may have one at once.
    pub(in crate::host::ssh) exit: Exit,
}

/// The end of a command that is still to be told.
pub(in crate::host::ssh) struct Exit {
    pub(super) events: mpsc::Sender<ProcessEvent>,
    pub(super) status: ExitStatus,
}

impl Exit {
    /// Tells it; a slow reader keeps nobody waiting.
    pub(in crate::host::ssh) fn tell(self) {
        let Exit { events, status } = self;
        if let Err(TrySendError::Full(exit)) = events.try_send(ProcessEvent::Exit(status)) {
            tokio::spawn(async move { drop(events.send(exit).await) });
        }
    }
}
