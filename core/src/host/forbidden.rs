//! A host as somebody sees it who may not use it: known by name, never reached.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use super::files::FileSystem;
use super::{Host, HostError, Process, Reach, Spawn};
use crate::env::Gate;
use crate::node::{HostDef, Node};

/// Refuses whatever would reach the host.
pub(crate) struct ForbiddenHost {
    pub(crate) definition: HostDef,
    pub(crate) node: Node,
    pub(crate) gate: Arc<dyn Gate>,
    /// Why.
    pub(crate) reason: String,
}

impl ForbiddenHost {
    fn refuse(&self, what: &str) -> HostError {
        self.gate.refused(&self.node, what, &self.reason);
        HostError::Forbidden { host: self.definition.slug().to_string(), reason: self.reason.clone() }
    }
}

impl fmt::Debug for ForbiddenHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ForbiddenHost({})", self.definition.slug())
    }
}

#[async_trait]
impl Host for ForbiddenHost {
    fn definition(&self) -> &HostDef {
        &self.definition
    }

    async fn start_path(&self, _: &Reach) -> Result<String, HostError> {
        Err(self.refuse("look at a directory"))
    }

    async fn spawn(&self, _: Spawn, _: &Reach) -> Result<Process, HostError> {
        Err(self.refuse("run a command"))
    }

    async fn files(&self, _: &Reach) -> Result<Arc<dyn FileSystem>, HostError> {
        Err(self.refuse("use files"))
    }
}
