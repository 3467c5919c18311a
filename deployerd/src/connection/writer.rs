//! The task that writes to one client. It alone waits for that client.

use std::time::Duration;

use bytes::BytesMut;
use deployer_protocol::{FrameCodec, FromClient, FromDaemon};
use tokio::io::AsyncWriteExt;
use tokio::net::unix::OwnedWriteHalf;
use tokio::task::JoinHandle;
use tokio_util::codec::Encoder;

use super::Outbox;

/// Time for a client to take its last messages.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Bytes after which messages that wait are not added to those that are sent.
const TOGETHER: usize = 64 * 1024;

/// Memory that is kept for the next messages: a client that was once flooded costs no more than others.
const KEPT: usize = 8 * 1024;

/// Writes until the outbox ends or the client is gone.
pub(super) async fn write(mut socket: OwnedWriteHalf, outbox: std::sync::Arc<Outbox>) {
    let mut codec = FrameCodec::<FromClient, FromDaemon>::default();
    let mut buffer = BytesMut::new();
    let mut last = false;
    while let Some(first) = outbox.next().await {
        let mut next = Some(first);
        while let Some(message) = next {
            let number = message.number();
            if let Err(error) = codec.encode(message, &mut buffer) {
                // Only a list of very many sessions can be too long for a frame. What comes before it is sent.
                tracing::error!(number, %error, "a message could not be sent");
                last = true;
            }
            next = if buffer.len() < TOGETHER && !last { outbox.next_now() } else { None };
        }
        if let Err(error) = socket.write_all(&buffer).await {
            tracing::debug!(%error, "the client is gone");
            break;
        }
        if last {
            break;
        }
        match buffer.capacity() > KEPT {
            true => buffer = BytesMut::new(),
            false => buffer.clear(),
        }
    }
    outbox.give_up();
}

/// Waits until all was written, or for as long as a client may take that does not read.
pub(super) async fn finish(mut writing: JoinHandle<()>, outbox: &Outbox) {
    if tokio::time::timeout(LAST_WORDS, &mut writing).await.is_err() {
        writing.abort();
        outbox.give_up();
    }
}
