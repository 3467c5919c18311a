//! One-time tickets: a window that the operator's terminal opens says with one what it is for (row Q-19, design 5).

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use deployer_core::options::Settings;
use rand::Rng;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::pane::PaneWish;

/// How long a window may take to come.
pub(crate) const LIFETIME: Duration = Duration::from_secs(10);

/// Tickets that may wait at once, of all sessions: asking is cheap for a client.
const WAITING_MAX: usize = 1024;

/// What a window is for.
pub(crate) enum Purpose {
    /// Another session at this node.
    Shell {
        /// The steps to the node.
        path: Vec<String>,
        /// Options as its operator has set them in the session that asked.
        settings: Settings,
    },
    /// Something that is shown there.
    Pane(PaneWish),
}

/// Whoever waits for the window is told that it came, or why not.
pub(crate) type Outcome = Result<(), String>;

struct Ticket {
    user: String,
    purpose: Purpose,
    expires: Instant,
    told: oneshot::Sender<Outcome>,
}

/// The tickets of a daemon. A mutex around plain data, never held across an await.
#[derive(Default)]
pub(crate) struct Tickets {
    waiting: Mutex<HashMap<String, Ticket>>,
}

impl Tickets {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Ticket>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ticket that this user's client can use once; and how its end is told. Who waits no longer drops the receiver
    /// and calls [`Tickets::withdraw`].
    pub(crate) fn issue(&self, user: &str, purpose: Purpose) -> Option<(String, oneshot::Receiver<Outcome>)> {
        let bytes: [u8; 16] = rand::rng().random();
        let mut name = String::with_capacity(32);
        for byte in bytes {
            // Writing to a string never fails.
            let _always = write!(name, "{byte:02x}");
        }
        let (told, outcome) = oneshot::channel();
        let mut waiting = self.lock();
        waiting.retain(|_, ticket| ticket.expires > Instant::now());
        if waiting.len() >= WAITING_MAX {
            return None;
        }
        let ticket = Ticket { user: user.to_string(), purpose, expires: Instant::now() + LIFETIME, told };
        waiting.insert(name.clone(), ticket);
        Some((name, outcome))
    }

    /// What the ticket is for; it is used then. `None` when it never was, was used, is too old, or somebody else's, which
    /// leaves it to its owner.
    pub(crate) fn claim(&self, name: &str, user: &str) -> Option<(Purpose, oneshot::Sender<Outcome>)> {
        let ticket = self.take(name, user)?;
        (ticket.expires > Instant::now()).then_some((ticket.purpose, ticket.told))
    }

    /// The client cannot open a window, and says why.
    pub(crate) fn refuse(&self, name: &str, user: &str, reason: String) {
        if let Some(ticket) = self.take(name, user) {
            // Whoever asked may have given up.
            let _nobody_waits = ticket.told.send(Err(reason));
        }
    }

    /// Nobody waits for the window any more.
    pub(crate) fn withdraw(&self, name: &str) {
        self.lock().remove(name);
    }

    fn take(&self, name: &str, user: &str) -> Option<Ticket> {
        let mut waiting = self.lock();
        if waiting.get(name).is_none_or(|ticket| ticket.user != user) {
            return None;
        }
        waiting.remove(name)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn shell() -> Purpose {
        Purpose::Shell { path: Vec::new(), settings: Settings::default() }
    }

    // rows: Q-19
    #[tokio::test]
    async fn a_ticket_is_good_once_and_for_one_user() {
        let tickets = Tickets::default();
        let (name, outcome) = tickets.issue("ann", shell()).unwrap();
        assert!(name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        assert!(tickets.claim(&name, "bob").is_none(), "somebody else's");
        assert!(tickets.claim("0", "ann").is_none(), "never given");
        let (purpose, told) = tickets.claim(&name, "ann").unwrap();
        assert!(matches!(purpose, Purpose::Shell { .. }));
        assert!(tickets.claim(&name, "ann").is_none(), "used");
        told.send(Ok(())).unwrap();
        assert_eq!(outcome.await, Ok(Ok(())));
        let (other, _) = tickets.issue("ann", shell()).unwrap();
        assert_ne!(name, other);
    }

    #[tokio::test]
    async fn a_refusal_reaches_who_waits_and_ends_the_ticket() {
        let tickets = Tickets::default();
        let (name, outcome) = tickets.issue("ann", shell()).unwrap();
        tickets.refuse(&name, "bob", "not his to say".to_string());
        tickets.refuse(&name, "ann", "no space for new pane".to_string());
        assert_eq!(outcome.await, Ok(Err("no space for new pane".to_string())));
        assert!(tickets.claim(&name, "ann").is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn old_tickets_are_no_good_and_make_room() {
        let tickets = Tickets::default();
        let (name, _outcome) = tickets.issue("ann", shell()).unwrap();
        let others: Vec<_> = (1..WAITING_MAX).map(|_| tickets.issue("ann", shell()).unwrap()).collect();
        assert!(tickets.issue("ann", shell()).is_none(), "there is a limit");
        tickets.withdraw(&others[0].0);
        tickets.issue("ann", shell()).unwrap();
        tokio::time::advance(LIFETIME).await;
        assert!(tickets.claim(&name, "ann").is_none());
        tickets.issue("ann", shell()).unwrap();
        assert_eq!(tickets.lock().len(), 1);
    }
}
