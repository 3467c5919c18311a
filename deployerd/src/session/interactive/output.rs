//! What the program of a session prints: into the screen model, to the clients, to the recording.

use std::time::Duration;

use tokio::time::Instant;

use super::Interactive;
use crate::session::hygiene::Piece;
use crate::session::input::Typed;
use crate::session::screen::Screen;

/// Longest wait for the last output of a shell that has ended: the kernel passes it on within microseconds.
const LAST_OUTPUT: Duration = Duration::from_secs(2);

impl Interactive {
    pub(super) fn show(&mut self, bytes: &[u8]) {
        self.read += bytes.len() as u64;
        for piece in self.hygiene.feed(bytes) {
            match piece {
                Piece::Show(bytes) if bytes.is_empty() => {}
                Piece::Show(bytes) => self.pass_on(&bytes),
                Piece::Asked(query) => {
                    let answer = query.answer(self.screen.cursor(), *self.size.borrow());
                    if self.keys.try_send(Typed::Answer(answer.into())).is_err() {
                        tracing::debug!(session = self.handle.name, "a program asks more than it listens");
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        let before = self.screen.alternate();
        self.screen.feed(bytes);
        let left_alternate = before && !self.screen.alternate();
        if let Some(recording) = &mut self.recording {
            recording.output(bytes, &self.screen);
        }
        if !before || left_alternate {
            self.history.push(bytes);
        }
        self.clients.output(bytes, left_alternate, &self.screen);
    }

    /// What was written before the end must be shown before the end is.
    pub(super) async fn pass_on_the_rest(&mut self, buffer: &mut [u8]) {
        let written = self.port.written();
        let deadline = Instant::now() + LAST_OUTPUT;
        while self.read < written {
            match tokio::time::timeout_at(deadline, self.master.read(buffer)).await {
                Ok(Ok(count @ 1..)) => self.show(&buffer[..count]),
                _ => {
                    let missing = written - self.read;
                    tracing::warn!(session = self.handle.name, missing, "the last output did not arrive");
                    return;
                }
            }
        }
    }
}
