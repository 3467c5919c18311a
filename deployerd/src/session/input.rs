//! The way of what is typed: from a client's connection to the keyboard, past the session task, which never waits.
//!
//! A watcher's connection has no [`Keys`]: there is nothing it could write to.

use std::sync::Arc;

use bytes::Bytes;
use deployer_core::terminal::KeyboardHub;
use tokio::sync::{mpsc, watch};

use super::Handle;
use crate::connection::ClientId;

/// Frames of input that may wait on the way; each is at most one frame long. Who types more waits.
const WAITING: usize = 4;

/// How a client types; `None` for a watcher.
pub(crate) type Keys = Option<mpsc::Sender<Typed>>;

/// Something typed.
pub(crate) enum Typed {
    /// These bytes, by this client.
    Keys(ClientId, Bytes),
    /// What a terminal answers when a program asks it; nobody has typed it.
    Answer(Bytes),
    /// Standard input has ended; of clients without a terminal.
    End,
}

/// A way for input.
pub(crate) fn channel() -> (mpsc::Sender<Typed>, mpsc::Receiver<Typed>) {
    mpsc::channel(WAITING)
}

/// Types at a session with a terminal and tells when somebody else types than before. Straight to the keyboard: the
/// session's PTY is raw, so a key would come out of it as it went in, two wake-ups later.
pub(crate) async fn to_keyboard(
    mut typed: mpsc::Receiver<Typed>,
    hub: KeyboardHub,
    session: Arc<Handle>,
    last: watch::Sender<Option<ClientId>>,
) {
    while let Some(typed) = typed.recv().await {
        let (by, bytes) = match typed {
            Typed::Keys(by, bytes) => (Some(by), bytes),
            Typed::Answer(bytes) => (None, bytes),
            Typed::End => continue,
        };
        last.send_if_modified(|last| {
            let changes = by.is_some() && *last != by;
            *last = by.or(*last);
            changes
        });
        let count = if by.is_some() { bytes.len() } else { 0 };
        hub.push_and(bytes, || session.typists.arrived(count)).await;
    }
}

/// Types at a session without a terminal.
pub(crate) async fn to_hub(mut typed: mpsc::Receiver<Typed>, hub: KeyboardHub) {
    while let Some(Typed::Keys(_, bytes)) = typed.recv().await {
        hub.push(bytes).await;
    }
    hub.close();
}
