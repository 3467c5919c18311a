//! A connection in the table of the pool, and who uses it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use super::ConnectionInfo;
use super::lease::Purpose;
use crate::host::ssh::connection::Connection;

/// Hosts that `connections` names for one connection.
const HOSTS_SHOWN: usize = 8;

/// A connection and who uses it.
pub(super) struct Entry {
    pub(super) connection: Arc<Connection>,
    sessions: usize,
    /// Connections to other hosts that go through it.
    hops: usize,
    /// Slugs of the hosts it was last used for, the latest first.
    hosts: VecDeque<String>,
    /// `None` while somebody uses it.
    idle_since: Option<Instant>,
}

impl Entry {
    pub(super) fn new(connection: Connection) -> Entry {
        Entry {
            connection: Arc::new(connection),
            sessions: 0,
            hops: 0,
            hosts: VecDeque::new(),
            idle_since: Some(Instant::now()),
        }
    }

    /// Gives a lease of it out.
    pub(super) fn take(&mut self, purpose: Purpose) -> Arc<Connection> {
        *self.leases(purpose) += 1;
        self.idle_since = None;
        self.connection.clone()
    }

    /// Takes a lease back.
    pub(super) fn give_back(&mut self, purpose: Purpose) {
        let leases = self.leases(purpose);
        *leases = leases.saturating_sub(1);
        if self.sessions + self.hops == 0 {
            self.idle_since = Some(Instant::now());
        }
    }

    /// Whether nobody has used it for as long as it is kept then.
    pub(super) fn is_idle(&self, now: Instant) -> bool {
        let limit = self.connection.idle_timeout;
        self.idle_since.is_some_and(|since| now.saturating_duration_since(since) >= limit)
    }

    /// Notes the host it is used for.
    pub(super) fn used_for(&mut self, slug: &str) {
        if self.hosts.front().is_none_or(|latest| latest != slug) {
            self.hosts.retain(|known| known != slug);
            self.hosts.push_front(slug.to_string());
            self.hosts.truncate(HOSTS_SHOWN);
        }
    }

    fn leases(&mut self, purpose: Purpose) -> &mut usize {
        match purpose {
            Purpose::Session => &mut self.sessions,
            Purpose::Hop => &mut self.hops,
        }
    }

    /// Whether a channel may go there: the server allows another session, and no slow reader holds it up.
    pub(super) fn has_room(&self, avoid: &[u64], purpose: Purpose) -> bool {
        let vitals = &self.connection.vitals;
        !avoid.contains(&self.connection.id)
            && (purpose == Purpose::Hop || self.sessions < vitals.limit())
            && !vitals.stalled()
            && !self.connection.is_dead()
    }

    pub(super) fn info(&self) -> ConnectionInfo {
        ConnectionInfo {
            address: self.connection.address.clone(),
            port: self.connection.port,
            user: self.connection.user.clone(),
            channels: self.sessions,
            hops: self.hops,
            via: self.connection.via.clone(),
            hosts: self.hosts.iter().cloned().collect(),
            server: self.connection.server(),
            algorithms: self.connection.vitals.algorithms(),
            idle: self.idle_since.map(|since| since.elapsed()),
        }
    }
}
