//! Shows the output of a command while it runs, without letting a slow terminal into the way of the command.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::terminal::Terminal;

/// Chunks that may wait for a slow terminal. A chunk is at most 64 KiB, so this is 4 MiB.
const WAITING_MAX: usize = 64;

/// Something to show.
#[derive(Debug)]
pub(crate) enum Shown {
    /// Output of the program.
    Output(Bytes),
    /// Its error output, or what sudo says.
    Talk(Bytes),
}

impl Shown {
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Shown::Output(bytes) | Shown::Talk(bytes) => bytes.is_empty(),
        }
    }
}

/// A queue to the terminal and the future that empties it; the future ends when the queue was dropped and emptied.
pub(crate) fn queue(terminal: Arc<dyn Terminal>) -> (mpsc::Sender<Shown>, impl Future<Output = ()> + Send) {
    let (sender, mut receiver) = mpsc::channel(WAITING_MAX);
    let show = async move {
        let mut gone = false;
        while let Some(shown) = receiver.recv().await {
            if gone {
                continue;
            }
            let written = match &shown {
                Shown::Output(bytes) => terminal.write(bytes).await,
                Shown::Talk(bytes) => terminal.write_talk(bytes).await,
            };
            if let Err(error) = written {
                // The command goes on and its output is collected: a terminal that went away is no reason to lose it.
                tracing::warn!(%error, "the terminal is gone, output is no longer shown");
                gone = true;
            }
        }
    };
    (sender, show)
}
