//! A connection's place in a session, with the input that the session has not taken yet.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::ClientId;
use crate::authority::{Attached, Person};
use crate::daemon::AttachedGuard;
use crate::session::{Handle, Keys, Typed};

/// Input that may wait here, bytes; beyond it the client is not read until the session takes some.
const WAITING_MAX: usize = 1024 * 1024;

/// Attached to a session.
pub(super) struct Attachment {
    pub(super) session: Arc<Handle>,
    keys: Keys,
    waiting: VecDeque<Typed>,
    waiting_bytes: usize,
    told_of_watching: bool,
    person: Arc<Person>,
    id: ClientId,
    /// What keeps its keys from counting was said already.
    pub(super) told_of_refusal: bool,
    _counted: AttachedGuard,
}

impl Attachment {
    pub(super) fn new(
        session: Arc<Handle>,
        keys: Keys,
        id: ClientId,
        person: Arc<Person>,
        counted: AttachedGuard,
    ) -> Attachment {
        session.access.attach(Attached { id, person: person.clone(), watch: keys.is_none() });
        Attachment {
            session,
            keys,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            told_of_watching: false,
            person,
            id,
            told_of_refusal: false,
            _counted: counted,
        }
    }

    /// Without a keyboard.
    pub(super) fn watches(&self) -> bool {
        self.keys.is_none()
    }

    /// Takes what was typed; a watcher's is dropped, there is no way for it.
    pub(super) fn input(&mut self, by: ClientId, bytes: Bytes) {
        if self.watches() {
            if !self.told_of_watching {
                self.told_of_watching = true;
                tracing::info!(client = by.0, session = self.session.name, "input of a watcher was refused");
            }
            return;
        }
        if bytes.is_empty() {
            return;
        }
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(Typed::Keys { by, person: self.person.clone(), bytes });
    }

    /// Passes on at once what the session can take without waiting: before the client goes.
    pub(super) fn flush(&mut self) {
        let Some(keys) = &self.keys else { return };
        while let Some(next) = self.waiting.pop_front() {
            let Ok(permit) = keys.try_reserve() else {
                tracing::info!(session = self.session.name, "input that nobody read was dropped with its client");
                return self.waiting.clear();
            };
            self.session.send(permit, next);
        }
    }

    /// Standard input has ended.
    pub(super) fn end_of_input(&mut self) {
        if !self.session.has_terminal && !matches!(self.waiting.back(), Some(Typed::End)) {
            self.waiting.push_back(Typed::End);
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        self.session.access.detach(self.id);
    }
}

/// Whether input waits to be passed on.
pub(super) fn has_waiting(attachment: &Option<Attachment>) -> bool {
    attachment.as_ref().is_some_and(|attachment| !attachment.waiting.is_empty())
}

/// Whether further input may be read.
pub(super) fn wants_more(attachment: &Option<Attachment>) -> bool {
    attachment.as_ref().is_none_or(|attachment| attachment.waiting_bytes < WAITING_MAX)
}

/// Passes one piece of input on, when the session takes it. Cancel safe.
pub(super) async fn pass_on(attachment: &mut Option<Attachment>) {
    let Some(attachment) = attachment else { return };
    let Some(keys) = &attachment.keys else { return attachment.waiting.clear() };
    let permit = keys.reserve().await;
    let next = attachment.waiting.pop_front();
    if let Some(Typed::Keys { bytes, .. }) = &next {
        attachment.waiting_bytes -= bytes.len();
    }
    // Without a permit the session has ended, nobody reads it any more.
    if let (Ok(permit), Some(typed)) = (permit, next) {
        attachment.session.send(permit, typed);
    }
}
