//! Questions on a terminal (section I).

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::host::{Answer, Asker, NoAnswer, Question};
use crate::terminal::Terminal;

/// Asks the person at one terminal. Shared by everything that runs in a session, so that questions of parallel
/// isolations come one after the other.
pub struct Console {
    terminal: Arc<dyn Terminal>,
    one_at_a_time: Semaphore,
}

impl Console {
    /// A console on this terminal.
    pub fn new(terminal: Arc<dyn Terminal>) -> Arc<Console> {
        Arc::new(Console { terminal, one_at_a_time: Semaphore::new(1) })
    }
}

#[async_trait]
impl Asker for Console {
    async fn ask(&self, _question: Question) -> Result<Answer, NoAnswer> {
        let _turn = self.one_at_a_time.acquire().await;
        let _ = &self.terminal;
        todo!("shell helper")
    }
}
