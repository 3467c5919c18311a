//! Who may act where. Decided outside: a daemon knows who typed, a program of its own needs nobody's leave.

use crate::node::Node;

/// Asked before an action of a node runs and before anything of a node reaches a host, however the run came there:
/// by name, from another action, from a query.
pub trait Gate: Send + Sync {
    /// Whether the people behind the run may act on this node. Asked often: it decides from memory.
    ///
    /// # Errors
    /// A sentence: who may not do what, and what to do about it.
    fn admit(&self, node: &Node) -> Result<(), String>;

    /// Told when the operator has left the run: nothing typed reaches it any more.
    fn goes_behind(&self) {}

    /// Asked before the operator comes back to it: what is typed can reach it from now on.
    ///
    /// # Errors
    /// A sentence: it stays where it is.
    fn comes_back(&self) -> Result<(), String> {
        Ok(())
    }

    /// Told when something was kept from happening, for the journal: `what` is the action or command.
    fn refused(&self, node: &Node, what: &str, why: &str);
}

/// Everybody may do everything.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenGate;

impl Gate for OpenGate {
    fn admit(&self, _: &Node) -> Result<(), String> {
        Ok(())
    }

    fn refused(&self, _: &Node, _: &str, _: &str) {}
}
