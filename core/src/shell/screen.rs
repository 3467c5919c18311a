//! The terminal as a shell hands it to what it runs.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::terminal::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, ParallelRun, Size, Terminal};

/// Knows whether the last line was ended, so that a prompt never draws over output; and can keep the keyboard to
/// itself, so that commands of a script do not read the script.
pub(super) struct Screen {
    inner: Arc<dyn Terminal>,
    mid_line: AtomicBool,
    /// What others get instead of the keyboard.
    no_keys: Option<KeyboardHub>,
}

impl Screen {
    pub(super) fn new(inner: Arc<dyn Terminal>, keyboard_is_ours: bool) -> Arc<Screen> {
        let no_keys = keyboard_is_ours.then(|| {
            let hub = KeyboardHub::new();
            hub.close();
            hub
        });
        Arc::new(Screen { inner, mid_line: AtomicBool::new(false), no_keys })
    }

    /// The keyboard itself.
    pub(super) fn own_keyboard(&self) -> Keyboard {
        self.inner.keyboard()
    }

    fn note(&self, bytes: &[u8]) {
        let text = without_colour_at_end(bytes);
        if let Some(last) = text.last() {
            self.mid_line.store(!matches!(last, b'\n' | b'\r'), Ordering::Relaxed);
        }
    }
}

/// Programs often reset colours after the last line end; that shows nothing, nor does the bell.
fn without_colour_at_end(bytes: &[u8]) -> &[u8] {
    let mut bytes = bytes.strip_suffix(b"\x07").unwrap_or(bytes);
    while let Some(escape) = bytes.iter().rposition(|byte| *byte == 0x1b) {
        let Some([b'[', parameters @ .., last]) = bytes.get(escape + 1..) else { break };
        let plain = parameters.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';' | b'?'));
        if !plain || !last.is_ascii_alphabetic() {
            break;
        }
        bytes = &bytes[..escape];
    }
    bytes
}

#[async_trait]
impl Terminal for Screen {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.note(bytes);
        self.inner.write(bytes).await
    }

    async fn write_talk(&self, bytes: &[u8]) -> io::Result<()> {
        if self.inner.kind() == Kind::Tty {
            self.note(bytes);
        }
        self.inner.write_talk(bytes).await
    }

    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.inner.size()
    }

    fn term(&self) -> String {
        self.inner.term()
    }

    fn served_on(&self) -> Option<Handle> {
        self.inner.served_on()
    }

    fn colour(&self) -> bool {
        self.inner.colour()
    }

    fn interactive(&self) -> bool {
        self.inner.interactive() && self.no_keys.is_none()
    }

    fn keyboard(&self) -> Keyboard {
        self.no_keys.as_ref().map_or_else(|| self.inner.keyboard(), KeyboardHub::lease)
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        self.inner.auxiliary(request).await
    }

    async fn parallel_begins(&self, run: &Arc<ParallelRun>) {
        self.inner.parallel_begins(run).await;
    }

    async fn parallel_ends(&self, run: &Arc<ParallelRun>) {
        self.inner.parallel_ends(run).await;
    }

    async fn write_prompt(&self, drawn: Option<&[u8]>) -> io::Result<()> {
        self.inner.write_prompt(drawn).await
    }

    fn abandon_prompt(&self) {
        self.inner.abandon_prompt();
    }

    async fn fresh_line(&self) -> io::Result<()> {
        // Where output and talk are two streams, an open line of one is no business of the other.
        if self.mid_line.swap(false, Ordering::Relaxed) && self.inner.kind() == Kind::Tty {
            return self.inner.print("\n").await;
        }
        Ok(())
    }

    async fn finish(&self) -> io::Result<()> {
        self.inner.finish().await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::terminal::scripted::ScriptedTerminal;

    #[tokio::test]
    async fn a_prompt_begins_below_output_that_ended_in_mid_line() {
        let inner = ScriptedTerminal::interactive();
        let screen = Screen::new(inner.clone(), false);
        for (output, open) in [
            ("text", true),
            ("text\r\n", false),
            ("text\n\x1b[0m", false),
            ("\x1b[K", false),
            ("\x1b[32mx\x1b[0m", true),
        ] {
            let before = inner.output();
            screen.write(output.as_bytes()).await.unwrap();
            screen.fresh_line().await.unwrap();
            let ended = if open { "\r\n" } else { "" };
            assert_eq!(inner.output(), format!("{before}{output}{ended}"), "{output:?}");
        }
    }
}
