//! Who watches over a session: says whether an action may begin, and hears what became of it.

use std::sync::Arc;

use async_trait::async_trait;

use crate::env::{Gate, OpenGate};

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

/// Watches over a session. A daemon's knows who typed and writes the journal.
#[async_trait]
pub trait Overseer: Send + Sync {
    /// The shell is about to ask for a line: what was typed before belongs to lines before.
    fn awaiting_line(&self) {}

    /// An action is to run. What it may reach is then asked of the gate.
    ///
    /// # Errors
    /// A sentence: nothing may run now.
    async fn begin(&self, wished: Wished<'_>) -> Result<Arc<dyn Gate>, String>;

    /// It has ended, with this exit status (see [`super::run`]).
    fn ended(&self, wished: Wished<'_>, status: i32);
}

/// Nobody watches: a process of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NobodyOversees;

#[async_trait]
impl Overseer for NobodyOversees {
    async fn begin(&self, _: Wished<'_>) -> Result<Arc<dyn Gate>, String> {
        Ok(Arc::new(OpenGate))
    }

    fn ended(&self, _: Wished<'_>, _: i32) {}
}
