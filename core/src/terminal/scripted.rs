//! A terminal in memory, for tests and for library use without a screen (rows E-01, M-08).

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::watch;

use super::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, Size, Terminal};

/// Collected output is bounded; older bytes go first. Enough for any test, small enough for a forgotten one.
const COLLECTED_MAX: usize = 8 * 1024 * 1024;

/// A 40 x 80, non-interactive terminal that collects what is written.
pub struct ScriptedTerminal {
    shared: Arc<Shared>,
    label: Option<String>,
}

struct Shared {
    output: Mutex<VecDeque<u8>>,
    keyboard: KeyboardHub,
    size: watch::Sender<Size>,
    kind: Kind,
    interactive: bool,
    term: String,
}

impl ScriptedTerminal {
    /// Non-interactive, with nothing to read: reading meets the end at once.
    pub fn new() -> Arc<ScriptedTerminal> {
        let terminal = Self::build(Kind::Plain, false);
        terminal.shared.keyboard.close();
        terminal
    }

    /// Non-interactive, with this text to read and then the end.
    pub fn with_input(text: &str) -> Arc<ScriptedTerminal> {
        let terminal = Self::build(Kind::Plain, false);
        terminal.shared.keyboard.offer(Bytes::copy_from_slice(text.as_bytes()));
        terminal.shared.keyboard.close();
        terminal
    }

    /// Interactive, a tty; keys come from [`ScriptedTerminal::type_keys`].
    pub fn interactive() -> Arc<ScriptedTerminal> {
        Self::build(Kind::Tty, true)
    }

    fn build(kind: Kind, interactive: bool) -> Arc<ScriptedTerminal> {
        let (size, _) = watch::channel(Size { rows: 40, cols: 80 });
        Arc::new(ScriptedTerminal {
            shared: Arc::new(Shared {
                output: Mutex::default(),
                keyboard: KeyboardHub::new(),
                size,
                kind,
                interactive,
                term: "xterm".to_string(),
            }),
            label: None,
        })
    }

    /// What was written so far, as text.
    pub fn output(&self) -> String {
        let output = self.shared.output.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&output.iter().copied().collect::<Vec<u8>>()).into_owned()
    }

    /// Types keys.
    pub async fn type_keys(&self, keys: &str) {
        self.shared.keyboard.push(Bytes::copy_from_slice(keys.as_bytes())).await;
    }

    /// Types keys as soon as `shown` was written, and then nothing more.
    #[cfg(test)]
    pub(crate) fn type_at(self: &Arc<Self>, shown: &'static str, keys: &str) {
        let (terminal, keys) = (self.clone(), keys.to_string());
        tokio::spawn(async move {
            while !terminal.output().contains(shown) {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            terminal.type_keys(&keys).await;
            terminal.end_of_input();
        });
    }

    /// Nothing more will be typed.
    pub fn end_of_input(&self) {
        self.shared.keyboard.close();
    }

    /// Sets the size and tells whoever watches it.
    pub fn resize(&self, size: Size) {
        self.shared.size.send_replace(size);
    }
}

#[async_trait]
impl Terminal for ScriptedTerminal {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut output = self.shared.output.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(label) = &self.label {
            output.extend(format!("[{label}] ").into_bytes());
        }
        output.extend(bytes);
        let excess = output.len().saturating_sub(COLLECTED_MAX);
        output.drain(..excess);
        Ok(())
    }

    fn kind(&self) -> Kind {
        self.shared.kind
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.shared.size.subscribe()
    }

    fn term(&self) -> String {
        self.shared.term.clone()
    }

    fn interactive(&self) -> bool {
        self.shared.interactive && self.label.is_none()
    }

    fn keyboard(&self) -> Keyboard {
        self.shared.keyboard.lease()
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        Ok(Arc::new(ScriptedTerminal { shared: self.shared.clone(), label: Some(request.label) }))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    // rows: M-01 M-08
    #[tokio::test]
    async fn a_terminal_in_memory_has_input_output_a_size_and_a_name() {
        let terminal = ScriptedTerminal::with_input("given");
        assert!(!terminal.interactive() && terminal.term() == "xterm");
        let mut keyboard = terminal.keyboard();
        assert_eq!(keyboard.read().await.as_deref(), Some(&b"given"[..]));
        assert_eq!(keyboard.read().await, None);
        terminal.print("collected\n").await.unwrap();
        assert_eq!(terminal.output(), "collected\n");
        let mut size = terminal.size();
        assert_eq!(*size.borrow(), Size { rows: 40, cols: 80 });
        terminal.resize(Size { rows: 10, cols: 20 });
        size.changed().await.unwrap();
        assert_eq!(*size.borrow(), Size { rows: 10, cols: 20 });
        let person = ScriptedTerminal::interactive();
        assert!(person.interactive() && person.kind() == Kind::Tty);
        person.type_keys("typed").await;
        assert_eq!(person.keyboard().read().await.as_deref(), Some(&b"typed"[..]));
    }
}
