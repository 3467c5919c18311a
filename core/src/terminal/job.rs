//! A terminal that an action has to itself until the operator leaves it (row Q-29 with design 5).

use async_trait::async_trait;
use tokio::sync::watch;

use super::Terminal;

/// The terminal of one action, on that of its session. In the foreground, where it begins, it is the session's. In the
/// background what is written to it is kept, up to a bound, and nothing typed goes to it.
#[async_trait]
pub trait JobTerminal: Terminal {
    /// Puts it into the background; what it covered is visible again.
    async fn put_behind(&self);

    /// Brings it to the foreground, and shows what was kept.
    async fn bring_front(&self);

    /// Waits until the operator asks at this terminal to leave the action. Cancel safe.
    async fn left(&self);

    /// Whether something waits there for an answer, while it is in the background.
    fn asks(&self) -> watch::Receiver<bool>;
}
