//! Hosts of a node as an action sees them: `self.hosts` (many) and `self.host` (one). Rows F-70..F-86.

use std::sync::{Arc, Mutex};

use indexmap::IndexMap;

use super::{ContextGuard, Host, HostContext, RunError, RunIo, RunOptions, RunOutput};
use crate::node::{HostDef, Roles};

/// One host with its context; shared between a container and the containers filtered from it (row F-72).
pub(crate) struct Member {
    pub(crate) host: Arc<dyn Host>,
    pub(crate) context: Mutex<HostContext>,
}

/// Hosts by role (row F-70).
#[derive(Clone)]
pub struct HostsContainer {
    pub(crate) roles: IndexMap<String, Vec<Arc<Member>>>,
    pub(crate) io: RunIo,
}

/// Exactly one host (row F-80).
#[derive(Clone)]
pub struct HostContainer {
    pub(crate) member: Arc<Member>,
    pub(crate) io: RunIo,
}

impl HostsContainer {
    /// The hosts of a node, with fresh contexts (row E-04). A host that occurs in several roles has one context.
    pub fn new(_roles: &Roles, _io: RunIo) -> HostsContainer {
        todo!("host helper")
    }

    /// Number of appearances: a host in two roles counts twice (row F-70).
    pub fn len(&self) -> usize {
        self.roles.values().map(Vec::len).sum()
    }

    /// Whether there is no host at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Role names in definition order (row A-14 with design 8).
    pub fn roles(&self) -> Vec<&str> {
        self.roles.keys().map(String::as_str).collect()
    }

    /// Distinct host definitions, in order (row F-71).
    pub fn definitions(&self) -> Vec<HostDef> {
        todo!("host helper")
    }

    /// The named roles only, sharing the hosts and their contexts (row F-72).
    pub fn filter(&self, _roles: &[&str]) -> HostsContainer {
        todo!("host helper")
    }

    /// One container per appearance (row F-74).
    pub fn each(&self) -> Vec<HostContainer> {
        todo!("host helper")
    }

    /// Runs on every distinct host in order, one after the other; in parallel when `parallel` (each in an auxiliary
    /// terminal). Same order and same errors either way (rows F-75, F-76 with design 8; W-23: a host in two roles
    /// runs once).
    ///
    /// # Errors
    /// The first failure in host order when sequential (later hosts are not run).
    pub async fn run(&self, _command: &str, _options: &RunOptions) -> Result<Vec<Arc<RunOutput>>, RunError> {
        todo!("host helper")
    }

    /// `cd` on every host (row F-77).
    pub fn cd(&self, _path: &str, _expand: bool, _glob: bool) -> ContextGuard {
        todo!("host helper")
    }

    /// `env` on every host (row F-77).
    pub fn env(&self, _name: &str, _value: &str, _escape: bool) -> ContextGuard {
        todo!("host helper")
    }

    /// `prefix` on every host (row F-77).
    pub fn prefix(&self, _command: &str) -> ContextGuard {
        todo!("host helper")
    }
}

impl HostContainer {
    /// Slug of the host.
    pub fn slug(&self) -> &str {
        self.member.host.definition().slug()
    }

    /// The definition of the host.
    pub fn definition(&self) -> &HostDef {
        self.member.host.definition()
    }

    /// Runs a command (row F-13).
    ///
    /// # Errors
    /// As [`super::run::run`].
    pub async fn run(&self, _command: &str, _options: &RunOptions) -> Result<Arc<RunOutput>, RunError> {
        todo!("host helper")
    }

    /// `cd` (row F-05).
    pub fn cd(&self, _path: &str, _expand: bool, _glob: bool) -> ContextGuard {
        todo!("host helper")
    }

    /// `env` (row F-07).
    pub fn env(&self, _name: &str, _value: &str, _escape: bool) -> ContextGuard {
        todo!("host helper")
    }

    /// `prefix` (row F-09).
    pub fn prefix(&self, _command: &str) -> ContextGuard {
        todo!("host helper")
    }
}
