//! The task that writes to one telnet client. It alone waits for that client.

use std::sync::Arc;
use std::time::Duration;

use deployer_protocol::FromDaemon;
use tokio::io::AsyncWriteExt;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::encode::Encoder;
use crate::connection::Outbox;

/// Time for a client to take its last bytes.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Leaves a terminal usable, whatever a program did to it: no other screen, no mouse, no pasting marks, a cursor, the
/// whole screen to scroll, and a line of its own to go on.
const USABLE: &[u8] = b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?7h\x1b[?25h\x1b[r\x1b[m\x1b[999;1H\r\n";

/// What the protocol has to say between terminal bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Say {
    /// These bytes as they are.
    Protocol(Vec<u8>),
    /// From now on returns are sent as they are, or not.
    Binary(bool),
}

/// How many of them may wait for a peer that does not read.
pub(super) const SAY_MAX: usize = 64;

/// Writes until the outbox ends, the session does, or the client is gone.
pub(super) async fn write(mut socket: OwnedWriteHalf, outbox: Arc<Outbox>, mut say: mpsc::Receiver<Say>) {
    let mut line = Line::default();
    let mut bytes = Vec::new();
    while !line.ended {
        let message = tokio::select! {
            biased;
            Some(say) = say.recv() => {
                match say {
                    Say::Protocol(said) => line.encoder.protocol(&said, &mut bytes),
                    Say::Binary(binary) => line.encoder.binary = binary,
                }
                None
            }
            message = outbox.next() => match message {
                Some(message) => Some(message),
                None => break,
            },
        };
        if let Some(message) = message {
            line.message(message, &mut bytes);
        }
        if let Err(error) = socket.write_all(&bytes).await {
            tracing::debug!(%error, "the telnet client is gone");
            break;
        }
        bytes.clear();
    }
    // Said before the end of the connection; whoever is gone does not hear it.
    let _gone = socket.shutdown().await;
    outbox.give_up();
}

/// Waits until all was written, or for as long as a client may take that does not read.
pub(super) async fn finish(mut writing: JoinHandle<()>, outbox: &Outbox) {
    if tokio::time::timeout(LAST_WORDS, &mut writing).await.is_err() {
        writing.abort();
        outbox.give_up();
    }
}

/// What the client's screen has seen.
#[derive(Default)]
struct Line {
    encoder: Encoder,
    attached: bool,
    ended: bool,
}

impl Line {
    fn message(&mut self, message: FromDaemon, out: &mut Vec<u8>) {
        match message {
            FromDaemon::Attached(_) => self.attached = true,
            FromDaemon::Output(bytes) | FromDaemon::Stdout(bytes) | FromDaemon::Stderr(bytes) => {
                self.encoder.text(&bytes, out);
            }
            FromDaemon::Error((_, sentence)) => {
                if self.attached {
                    self.encoder.text(USABLE, out);
                }
                self.sentence(&sentence, out);
                // Without a session there is nothing to stay for (row R-10).
                self.ended = !self.attached;
            }
            FromDaemon::Detached(sentence) => {
                self.encoder.text(USABLE, out);
                self.sentence(&sentence, out);
                self.ended = true;
            }
            FromDaemon::Finished(_) => self.ended = true,
            // Answers to what a telnet client cannot ask.
            _ => {}
        }
    }

    fn sentence(&mut self, sentence: &str, out: &mut Vec<u8>) {
        self.encoder.text(b"deployer: ", out);
        self.encoder.text(sentence.as_bytes(), out);
        self.encoder.text(b"\r\n", out);
    }
}
