//! The moment in which a command goes out: before it the command can be called off, from then on it has to be ended.

use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;
use tokio_util::sync::CancellationToken;

/// For the task that is about to send a command.
pub(in crate::host::ssh) struct Dispatch(oneshot::Sender<()>);

/// For whoever wanted the command.
pub(in crate::host::ssh) struct Recall(oneshot::Receiver<()>);

/// Two ends that never disagree: either the command goes out, or it was called off.
pub(in crate::host::ssh) fn recall() -> (Dispatch, Recall) {
    let (sender, receiver) = oneshot::channel();
    (Dispatch(sender), Recall(receiver))
}

impl Dispatch {
    /// The command goes out now. False: it was called off and must not be sent.
    #[must_use]
    pub(in crate::host::ssh) fn now(self) -> bool {
        self.0.send(()).is_ok()
    }
}

impl Recall {
    /// Waits for what becomes of a command. `None`: it was called off before it was sent, or whoever was to send it is
    /// gone. A command that was sent is waited for, cancelled or not: who gets it can end it and say how it ended.
    pub(in crate::host::ssh) async fn wait<T>(
        mut self,
        mut started: oneshot::Receiver<T>,
        cancel: &CancellationToken,
    ) -> Option<T> {
        tokio::select! {
            biased;
            result = &mut started => return result.ok(),
            () = cancel.cancelled() => {}
        }
        self.0.close();
        match self.0.try_recv() {
            Ok(()) => started.await.ok(),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_command_that_was_called_off_is_not_sent() {
        let (dispatch, recall) = recall();
        let (_ready, started) = oneshot::channel::<i32>();
        let cancel = CancellationToken::new();
        cancel.cancel();
        assert_eq!(recall.wait(started, &cancel).await, None);
        assert!(!dispatch.now());
    }

    #[tokio::test]
    async fn a_command_that_was_sent_is_waited_for() {
        let (dispatch, recall) = recall();
        let (ready, started) = oneshot::channel();
        let cancel = CancellationToken::new();
        assert!(dispatch.now());
        cancel.cancel();
        let waiting = tokio::spawn(async move { recall.wait(started, &cancel).await });
        tokio::task::yield_now().await;
        ready.send(7).unwrap();
        assert_eq!(waiting.await.unwrap(), Some(7));
    }

    #[tokio::test]
    async fn who_waits_no_more_has_called_it_off() {
        let (dispatch, recall) = recall();
        drop(recall);
        assert!(!dispatch.now());
    }
}
