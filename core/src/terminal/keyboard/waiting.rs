//! What was typed and waits to be read, and who may read it.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use super::Shared;
use crate::terminal::INTERRUPT;

#[derive(Default)]
pub(super) struct State {
    pub(super) leases: Vec<Lease>,
    pub(super) next: u64,
    pub(super) branches: u64,
    /// Branches whose leases get no keys for now.
    pub(super) parked: BTreeSet<u64>,
    /// Typed ahead and looked at by who watches for Ctrl-C; older than what waits.
    pub(super) ahead: Vec<u8>,
    pub(super) waiting: VecDeque<Bytes>,
    pub(super) waiting_bytes: usize,
    /// How often all that was typed was dropped.
    pub(super) flushes: u64,
    /// How often what is passed on was dropped.
    pub(super) passing: u64,
    /// Keyboards of those to whom keys of this one are passed on.
    pub(super) below: Vec<Weak<Shared>>,
    pub(super) closed: bool,
}

pub(super) struct Lease {
    pub(super) id: u64,
    pub(super) branch: u64,
    /// Told when there may be something for it. Each has its own: others, on other threads, sleep on.
    pub(super) turn: Arc<Notify>,
}

impl State {
    /// Who gets the keys: the newest lease, those of parked branches left out.
    pub(super) fn reader(&self) -> Option<&Lease> {
        self.leases.iter().rev().find(|lease| !self.parked.contains(&lease.branch))
    }

    /// Wakes who gets the keys, if there is something for him.
    pub(super) fn call_reader(&self) {
        if !self.waiting.is_empty() || !self.ahead.is_empty() || self.closed {
            self.reader().inspect(|lease| lease.turn.notify_one());
        }
    }

    pub(super) fn take_ahead(&mut self) -> Option<Bytes> {
        (!self.ahead.is_empty()).then(|| Bytes::from(std::mem::take(&mut self.ahead)))
    }

    pub(super) fn take_waiting(&mut self) -> Option<Bytes> {
        let bytes = self.waiting.pop_front()?;
        self.waiting_bytes -= bytes.len();
        Some(bytes)
    }

    pub(super) fn put_last(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push_back(bytes);
    }

    pub(super) fn put_first(&mut self, bytes: Bytes) {
        self.waiting_bytes += bytes.len();
        self.waiting.push_front(bytes);
    }

    /// Drops what was typed. A Ctrl-C that nobody has noticed yet is no data and stays.
    pub(super) fn flush(&mut self) {
        let interrupts = self.waiting.iter().any(|bytes| bytes.contains(&INTERRUPT));
        self.ahead.clear();
        self.waiting.clear();
        self.waiting_bytes = 0;
        if interrupts {
            self.put_first(Bytes::from_static(&[INTERRUPT]));
        }
        self.flushes += 1;
    }
}
