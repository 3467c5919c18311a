//! One connection that is logged in, and the task that looks after it.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use russh::Disconnect;
use russh::client::Handle;
use tokio::time::timeout;

use super::client::Client;
use super::dial::Link;
use super::failure::printable;
use super::pool::{Lease, Shared};
use super::tap::Gauge;
use super::target::{Key, Target};
use super::vitals::{Forward, Vitals};

/// How long a server may take to agree to the end of a connection.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long to wait for the reason of an end that was seen.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);
/// What the watchdog allows beyond the time in which russh itself must have noticed a dead peer.
const WATCHDOG_SLACK: Duration = Duration::from_secs(5);

/// A connection that is logged in.
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) handle: Handle<Client>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) gauge: Arc<Gauge>,
    /// What the host is called by whoever goes through it.
    name: String,
    pub(super) address: String,
    pub(super) port: u16,
    pub(super) user: String,
    /// The way in words; `None`: straight.
    pub(super) via: Option<String>,
    /// The connection it goes through.
    through: Option<(Lease, Forward)>,
    /// Silence after which the peer is dead; `None`: nothing is sent, so silence says nothing.
    silence: Option<Duration>,
    /// How long it is kept when nobody uses it.
    pub(super) idle_timeout: Duration,
}

impl Connection {
    pub(super) fn new(id: u64, link: Link, target: &Target) -> Connection {
        let rounds = u32::try_from(target.keepalive_max).unwrap_or(u32::MAX).saturating_add(1);
        Connection {
            id,
            handle: link.handle,
            vitals: link.vitals,
            gauge: link.gauge,
            name: target.name.clone(),
            address: target.address.clone(),
            port: target.port,
            user: target.user.clone(),
            via: target.route.describe(),
            through: link.through,
            silence: target.keepalive.map(|interval| interval.saturating_mul(rounds).saturating_add(WATCHDOG_SLACK)),
            idle_timeout: target.idle_timeout,
        }
    }

    /// This connection and those it goes through.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Connection> {
        std::iter::successors(Some(self), |connection| connection.hop())
    }

    fn hop(&self) -> Option<&Connection> {
        self.through.as_ref().map(|(lease, _)| &*lease.connection)
    }

    /// Whether nobody else waits when one reader is slow: one channel on it, and on those it goes through.
    pub(super) fn serves_one(&self) -> bool {
        self.chain().all(|connection| connection.vitals.open() <= 1)
    }

    /// The server's version, without the protocol's.
    pub(super) fn server(&self) -> String {
        let greeting = self.gauge.greeting();
        let version = greeting.lines().find_map(|line| line.strip_prefix("SSH-2.0-")).unwrap_or("?");
        printable(version.trim_end(), 100)
    }

    /// Whether it can no longer be used.
    pub(super) fn is_dead(&self) -> bool {
        self.vitals.ended().is_cancelled() || self.handle.is_closed() || self.gauge.is_cut()
    }

    /// Why it ended, as far as that is known. The reason arrives with the end, in another task.
    pub(super) async fn last_words(&self) -> String {
        let _late = timeout(LAST_WORDS, self.vitals.ended().cancelled()).await;
        // The first of the way that ended took the others with it.
        let nearest = self.chain().filter(|connection| connection.is_dead()).last().unwrap_or(self);
        let why = nearest.vitals.end().unwrap_or_else(|| "the connection was lost".into());
        if nearest.id == self.id { why } else { format!("hop {}: {why}", nearest.name) }
    }

    /// Ends it at once; whoever uses it sees the end.
    pub(super) fn cut(&self, why: &str) {
        self.vitals.ending(why);
        self.gauge.cut();
    }

    /// Says goodbye and waits for the end, but not for long.
    pub(super) async fn close(&self, why: &str) {
        self.vitals.ending(why);
        let goodbye = async {
            let _gone_already = self.handle.disconnect(Disconnect::ByApplication, "", "").await;
            self.vitals.ended().cancelled().await;
        };
        if timeout(GOODBYE, goodbye).await.is_err() {
            self.gauge.cut();
        }
    }

    /// Whether the peer is dead although russh does not say so. While a slow reader holds the connection up, nothing is
    /// read, and silence says nothing.
    fn is_silent(&self) -> bool {
        self.silence.is_some_and(|limit| self.gauge.silence() > limit) && !self.vitals.stalled()
    }

    /// How often to look.
    fn round(&self) -> Duration {
        let shortest = self.silence.map_or(self.idle_timeout, |silence| silence.min(self.idle_timeout));
        (shortest / 4).max(Duration::from_millis(100))
    }
}

/// Looks after a connection until it ends: closes it when nobody has used it for long, and cuts it off when the peer is
/// dead and russh is stuck.
pub(super) async fn keep(connection: Weak<Connection>, key: Key, weak_pool: Weak<Shared>) {
    loop {
        let Some(kept) = connection.upgrade() else { return };
        let (ended, round, idle_timeout) = (kept.vitals.ended().clone(), kept.round(), kept.idle_timeout);
        drop(kept);
        let over = timeout(round, ended.cancelled()).await.is_ok();
        let (Some(connection), Some(pool)) = (connection.upgrade(), weak_pool.upgrade()) else { return };
        if over {
            pool.forget(&key, connection.id);
            drop((connection, pool));
            // What people typed is kept for as long as a connection may be idle, so that a restarted server does not
            // make everybody type again.
            tokio::time::sleep(idle_timeout).await;
            if let Some(pool) = weak_pool.upgrade() {
                pool.tidy(&key);
            }
            return;
        }
        if connection.is_silent() {
            connection.cut("the server has been silent for too long");
        } else if pool.retire(&key, connection.id, Instant::now()) {
            connection.close("nobody used it").await;
            return;
        }
    }
}
