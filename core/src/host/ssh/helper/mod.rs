//! Helper shells: a `/bin/sh` kept open on a host, for one operator, that runs commands nobody watches (design 6).
//!
//! A run of its own costs the server a login shell and five messages, a command in the helper a fork and two. It is for
//! runs without terminal, keys and sudo only, on hosts that ask for it (`helper_shell`); see
//! docs/decisions/0016-helper-shell.md for what differs. `script` is what the shell runs, `begin` and
//! `host/end_marks` find where a command begins and ends in its output, `keeper` is the task that owns one, [`Helpers`] knows who may use which.

mod begin;
mod keeper;
mod script;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::channel::{Dispatch, Recall, recall};
use super::target::Key;
use crate::host::{Asker, Process};

use begin::Begun;

pub(super) use begin::Begin;
pub(super) use keeper::start;

/// Longer lines run on their own: some shells read their script byte by byte.
const LINE_MAX: usize = 32 * 1024;
/// How many helpers may be remembered before those of sessions that are gone are looked for.
const TIDY: usize = 1024;

/// A command for a helper.
pub(super) struct Order {
    line: String,
    /// Told when the command has been sent; dropped when it was not.
    sent: oneshot::Sender<Sent>,
    dispatch: Dispatch,
}

impl Order {
    /// An order, and how to wait for its command.
    fn new(line: &str) -> (Order, Ordered) {
        let (sent, started) = oneshot::channel();
        let (dispatch, recall) = recall();
        (Order { line: line.to_string(), sent, dispatch }, Ordered { started, recall })
    }
}

/// A command that a helper was given.
struct Sent {
    process: Process,
    begun: Begun,
}

/// For whoever gave an order.
struct Ordered {
    started: oneshot::Receiver<Sent>,
    recall: Recall,
}

impl Ordered {
    /// The command, once it has begun or may have. `None`: it has not, and will not.
    async fn command(self, limit: Duration, cancel: &CancellationToken) -> Option<Process> {
        let Sent { process, begun } = self.recall.wait(self.started, cancel).await?;
        begun.wait(process, limit, cancel).await
    }
}

/// Whose helper, and where. Operators never share one: what an earlier command left in it would be theirs.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Place {
    key: Key,
    /// The address of what stands for the operator, which [`Slot::operator`] keeps from being used again.
    operator: usize,
}

struct Slot {
    operator: Whose,
    state: State,
}

/// Whose a helper is: an operator's, or of one who is asked nowhere else.
enum Whose {
    Operator(Weak<()>),
    Asker(Weak<dyn Asker>),
}

impl Whose {
    fn is(asker: &Arc<dyn Asker>) -> Whose {
        match asker.operator() {
            Some(operator) => Whose::Operator(operator.downgrade()),
            None => Whose::Asker(Arc::downgrade(asker)),
        }
    }

    fn address(&self) -> usize {
        match self {
            Whose::Operator(operator) => operator.as_ptr() as usize,
            Whose::Asker(asker) => asker.as_ptr().cast::<()>() as usize,
        }
    }

    fn is_gone(&self) -> bool {
        match self {
            Whose::Operator(operator) => operator.strong_count() == 0,
            Whose::Asker(asker) => asker.strong_count() == 0,
        }
    }
}

enum State {
    /// One command ran: the next one is worth a helper.
    Seen,
    /// It works, or is being made.
    Busy,
    /// It waits for an order.
    Idle(oneshot::Sender<Order>),
    /// This host cannot have one (a forced command, no /proc).
    Unable,
}

/// All helpers of a pool.
#[derive(Default)]
pub(super) struct Helpers {
    // Plain data, short work, nothing awaits while it is locked.
    slots: Mutex<HashMap<Place, Slot>>,
}

/// What to do with a command.
pub(super) enum Way {
    /// Run it on its own.
    Alone,
    /// Make a helper for it.
    Start(Turn),
    /// Give it to the helper that waits.
    Use(oneshot::Sender<Order>),
}

/// The right to have the helper of a place. When it is dropped, there is none.
pub(super) struct Turn {
    helpers: Weak<Helpers>,
    place: Place,
}

impl Helpers {
    /// What to do with this command of an operator.
    pub(super) fn way(self: &Arc<Helpers>, key: &Key, asker: &Arc<dyn Asker>, line: &str) -> Way {
        if line.len() > LINE_MAX {
            return Way::Alone;
        }
        let operator = Whose::is(asker);
        let place = Place { key: key.clone(), operator: operator.address() };
        let mut slots = self.lock();
        if slots.len() >= TIDY && slots.len() == slots.capacity() {
            slots.retain(|_, slot| !slot.operator.is_gone());
        }
        let Some(slot) = slots.get_mut(&place) else {
            slots.insert(place, Slot { operator, state: State::Seen });
            return Way::Alone;
        };
        match std::mem::replace(&mut slot.state, State::Busy) {
            State::Seen => Way::Start(Turn { helpers: Arc::downgrade(self), place }),
            State::Idle(order) => Way::Use(order),
            State::Busy => Way::Alone,
            State::Unable => {
                slot.state = State::Unable;
                Way::Alone
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Place, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The helper waits for orders here.
    fn wait(&self) -> oneshot::Receiver<Order> {
        let (sender, order) = oneshot::channel();
        self.set(State::Idle(sender));
        order
    }

    /// There can be none on this host.
    fn unable(self) {
        self.set(State::Unable);
    }

    fn set(&self, state: State) {
        if let Some(helpers) = self.helpers.upgrade()
            && let Some(slot) = helpers.lock().get_mut(&self.place)
        {
            slot.state = state;
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(helpers) = self.helpers.upgrade() else { return };
        if let Some(slot) = helpers.lock().get_mut(&self.place)
            && !matches!(slot.state, State::Unable)
        {
            slot.state = State::Seen;
        }
    }
}

/// Gives a command to a helper that waits. `None`: it has gone away, or the command was called off; nothing of it ran.
pub(super) async fn give(
    order: oneshot::Sender<Order>,
    line: &str,
    limit: Duration,
    cancel: &CancellationToken,
) -> Option<Process> {
    let (command, ordered) = Order::new(line);
    order.send(command).ok()?;
    ordered.command(limit, cancel).await
}
