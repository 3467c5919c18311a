//! The way of what is typed: from a client's connection to the keyboard, past the session task, which never waits.
//!
//! A watcher's connection has no [`Keys`]: there is nothing it could write to.

use std::sync::Arc;

use bytes::Bytes;
use deployer_core::terminal::KeyboardHub;
use tokio::sync::{mpsc, watch};

use super::Handle;
use crate::authority::{Authority, Person, kept_from};
use crate::connection::ClientId;

/// Frames of input that may wait on the way; each is at most one frame long. Who types more waits.
const WAITING: usize = 4;

/// How a client types; `None` for a watcher.
pub(crate) type Keys = Option<mpsc::Sender<Typed>>;

/// Something typed.
pub(crate) enum Typed {
    /// These bytes, by this client of this person.
    Keys { by: ClientId, person: Arc<Person>, bytes: Bytes },
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
    session: Arc<Handle>,
    authority: Arc<Authority>,
    last: watch::Sender<Option<ClientId>>,
) {
    let hub = &session.keyboard;
    while let Some(typed) = typed.recv().await {
        let (by, person, bytes) = match typed {
            Typed::Keys { by, person, bytes } => (by, person, bytes),
            Typed::Answer(bytes) => {
                hub.push(bytes).await;
                continue;
            }
            Typed::End => continue,
        };
        last.send_if_modified(|last| last.replace(by) != Some(by));
        let count = bytes.len();
        let may_be_read = || {
            session.typists.arrived(count);
            // Asked again: it may have come to another node since the keys were sent on their way.
            match kept_from(&authority.policy(), &person, &session) {
                None => true,
                Some(place) => {
                    tracing::info!(session = session.name, user = person.name, %place, count, "keys were dropped");
                    false
                }
            }
        };
        hub.push_if(bytes, may_be_read).await;
    }
}

/// Types at a session without a terminal.
pub(crate) async fn to_hub(mut typed: mpsc::Receiver<Typed>, hub: KeyboardHub) {
    while let Some(Typed::Keys { bytes, .. }) = typed.recv().await {
        hub.push(bytes).await;
    }
    hub.close();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::FutureExt;
    use tokio_util::task::AbortOnDropHandle;

    use super::*;
    use crate::authority::people::{ANN, CARL, person, shared_session};
    use crate::authority::{AtWork, Place};
    use crate::journal::Journal;

    /// Ann's keys were let through while it ran where she may type, and arrive when it has come to where she may not.
    #[tokio::test]
    async fn keys_that_are_on_their_way_are_judged_when_they_arrive() {
        let (session, authority) = shared_session();
        let (keys, typed) = channel();
        let work = AtWork::begin(&session, &authority, &Journal::none());
        work.admitted(&Place::printed("r.staging"));
        let send = |uid: u32, text: &'static str| {
            assert_eq!(kept_from(&authority.policy(), &person(uid), &session), None);
            let bytes = Bytes::from_static(text.as_bytes());
            session.send(keys.try_reserve().unwrap(), Typed::Keys { by: ClientId(1), person: person(uid), bytes });
        };
        send(ANN, "from ann");
        send(CARL, "from carl");
        work.admitted(&Place::printed("r.production"));
        let last = watch::Sender::new(None);
        let _typing =
            AbortOnDropHandle::new(tokio::spawn(to_keyboard(typed, session.clone(), authority.clone(), last)));
        let mut program = session.keyboard.lease();
        assert_eq!(program.read().await.as_deref(), Some(&b"from carl"[..]));
        assert!(program.read().now_or_never().is_none());
    }
}
