//! How many connections may be in the making at once, per next hop: the server that sees the logins.
//!
//! A stock sshd starts to drop connections at random when ten have not logged in yet (MaxStartups 10:30:100), and newer
//! ones punish whoever connects without logging in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rand::Rng;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::hops::NextHop;

/// Connections to one server that have not logged in yet.
const AT_ONCE: usize = 8;

/// Hands out turns.
#[derive(Debug, Default)]
pub(super) struct Governor {
    servers: Mutex<HashMap<NextHop, Weak<Semaphore>>>,
}

impl Governor {
    /// Waits for a turn; it lasts until the permit is dropped.
    pub(super) async fn turn(&self, next: NextHop) -> Option<OwnedSemaphorePermit> {
        let turns = self.turns(next);
        // Never closed, so there always is a turn in the end.
        turns.acquire_owned().await.ok()
    }

    fn turns(&self, next: NextHop) -> Arc<Semaphore> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|_, turns| turns.strong_count() > 0);
        let slot = servers.entry(next).or_default();
        slot.upgrade().unwrap_or_else(|| {
            let turns = Arc::new(Semaphore::new(AT_ONCE));
            *slot = Arc::downgrade(&turns);
            turns
        })
    }
}

/// How long to wait before the next try, after `tries` that a busy server turned away: doubling from 100 ms, at most 5 s,
/// and spread, so that those who were turned away together do not come back together.
pub(super) fn pause(tries: u32) -> Duration {
    let base = Duration::from_millis(100).saturating_mul(2_u32.saturating_pow(tries.min(10)));
    base.min(Duration::from_secs(5)).mul_f64(rand::rng().random_range(0.5..1.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::ssh::hops::Via;

    #[tokio::test]
    async fn the_ninth_waits_and_other_servers_do_not() {
        let server = |name: &str| NextHop::Server(Via::Direct, name.into(), 22);
        let governor = Governor::default();
        let mut turns = Vec::new();
        for _ in 0..AT_ONCE {
            turns.push(governor.turn(server("web1")).await);
        }
        let ninth = governor.turn(server("web1"));
        tokio::pin!(ninth);
        assert!(futures_util::poll!(&mut ninth).is_pending());
        assert!(governor.turn(server("web2")).await.is_some());
        assert!(governor.turn(NextHop::Command("nc %h %p".into())).await.is_some());
        turns.pop();
        assert!(ninth.await.is_some());
    }

    #[test]
    fn pauses_grow_within_bounds() {
        for tries in 0..100 {
            let pause = pause(tries);
            assert!(pause >= Duration::from_millis(50) && pause <= Duration::from_millis(7500), "{pause:?}");
        }
    }
}
