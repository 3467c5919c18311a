//! Who watches over a session: says whether an action may begin, and hears what became of it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::env::{Gate, OpenGate};
use crate::logger::Listener;

/// An action that somebody wants to run.
#[derive(Clone, Copy, Debug)]
pub struct Wished<'a> {
    /// Dotted path of its node.
    pub node: &'a str,
    /// Its name.
    pub action: &'a str,
    /// Its parameters as typed.
    pub parameters: &'a [String],
    /// Whether commands are only checked.
    pub sandbox: bool,
}

/// An action that may begin, as those see it who watch over it.
pub struct Admitted {
    /// Asked before it acts on a node and before it reaches a host.
    pub gate: Arc<dyn Gate>,
    /// Who else hears of what it does, besides those who hear of everything in the session.
    pub listeners: Vec<Arc<dyn Listener>>,
    /// Told when it has ended, with its exit status (see [`super::run`]).
    pub ended: Box<dyn FnOnce(i32) + Send>,
}

/// Watches over a session. A daemon's knows who typed and writes the journal.
#[async_trait]
pub trait Overseer: Send + Sync {
    /// The shell is about to ask for a line: what was typed before belongs to lines before.
    fn awaiting_line(&self) {}

    /// An action is to run, perhaps beside others that the operator has left running. What it may reach is then asked
    /// of the gate.
    ///
    /// # Errors
    /// A sentence: nothing may run now.
    async fn begin(&self, wished: Wished<'_>) -> Result<Admitted, String>;
}

/// Nobody watches: a process of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyOversees;

#[async_trait]
impl Overseer for NobodyOversees {
    async fn begin(&self, _: Wished<'_>) -> Result<Admitted, String> {
        Ok(Admitted { gate: Arc::new(OpenGate), listeners: Vec::new(), ended: Box::new(|_| {}) })
    }
}
