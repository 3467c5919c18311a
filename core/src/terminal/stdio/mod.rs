//! The process's own terminal: for `run -s` and for programs that use the library.

mod reader;
mod writer;

use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use reader::{Reader, start_reader};
use writer::{Stream, WriteRequest, start_writer};

use super::lines::LinesTerminal;
use super::raw_mode::RawMode;
use super::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, PromptLine, Size, Terminal};
/// Standard input, output and error of the process as a terminal.
///
/// A [`Kind::Tty`] when both stdin and stdout are one: raw mode from [`StdioTerminal::open`] until the last clone is
/// dropped, [`StdioTerminal::restore`] or a panic. Otherwise [`Kind::Plain`]: stdin goes to the programs that are run,
/// stdout and stderr stay apart. Standard descriptors are never made non-blocking: that would outlive the process.
pub struct StdioTerminal {
    me: Weak<StdioTerminal>,
    kind: Kind,
    interactive: bool,
    term: String,
    wants_colour: bool,
    size: watch::Receiver<Size>,
    writes: mpsc::Sender<WriteRequest>,
    prompt: Arc<PromptLine>,
    keyboard: KeyboardHub,
    reader: Arc<Mutex<Option<Reader>>>,
    raw: Option<Arc<RawMode>>,
    _signals: Option<AbortOnDropHandle<()>>,
}

impl StdioTerminal {
    /// Takes the process's terminal. `interactive` false (`--non-interactive`) means that nobody is asked anything.
    /// Must be called within a tokio runtime with I/O enabled; one at a time.
    ///
    /// # Errors
    /// When the terminal's modes cannot be read or set, or threads cannot be started.
    pub fn open(interactive: bool) -> io::Result<Arc<StdioTerminal>> {
        StdioTerminal::open_with(interactive, colour_of_environment())
    }

    /// The same for who knows better than the environment whether colours are wanted (`--color`).
    ///
    /// # Errors
    /// As [`StdioTerminal::open`].
    pub fn open_with(interactive: bool, colour: bool) -> io::Result<Arc<StdioTerminal>> {
        let raw = if on_terminal() { Some(RawMode::enter()?) } else { None };
        StdioTerminal::with(raw, interactive, colour, KeyboardHub::new(), Arc::default())
    }

    /// The same for programs that own their terminal and lend it to commands: raw, and read from, only while somebody
    /// holds the keyboard. In between Ctrl-C is a signal, and what is typed is the program's. Nobody is asked anything.
    ///
    /// # Errors
    /// As [`StdioTerminal::open`].
    pub fn borrow() -> io::Result<Arc<StdioTerminal>> {
        let raw = if on_terminal() { Some(RawMode::prepare()?) } else { None };
        let reader: Arc<Mutex<Option<Reader>>> = Arc::default();
        let (mode, reading) = (raw.clone(), reader.clone());
        let keyboard = KeyboardHub::watched(move |wanted| match (&mode, wanted) {
            (Some(mode), true) => {
                if let Err(error) = mode.again() {
                    tracing::warn!(%error, "the terminal could not be made raw");
                }
            }
            (None, true) => {}
            (mode, false) => {
                drop(lock(&reading).take());
                mode.iter().for_each(|mode| mode.leave());
            }
        });
        StdioTerminal::with(raw, false, colour_of_environment(), keyboard, reader)
    }

    fn with(
        raw: Option<Arc<RawMode>>,
        interactive: bool,
        colour: bool,
        keyboard: KeyboardHub,
        reader: Arc<Mutex<Option<Reader>>>,
    ) -> io::Result<Arc<StdioTerminal>> {
        let tty = raw.is_some();
        let (size_sender, size) = watch::channel(current_size());
        let signals = match &raw {
            Some(raw) => Some(follow_signals(raw.clone(), size_sender)?),
            None => None,
        };
        let prompt = Arc::new(PromptLine::default());
        let writes = start_writer(prompt.clone())?;
        Ok(Arc::new_cyclic(|me| StdioTerminal {
            me: me.clone(),
            kind: if tty { Kind::Tty } else { Kind::Plain },
            interactive: interactive && tty,
            term: std::env::var("TERM").unwrap_or_default(),
            wants_colour: colour,
            size,
            writes,
            prompt,
            keyboard,
            reader,
            raw,
            _signals: signals,
        }))
    }

    /// Gives the terminal back as it was found, for programs that exit without dropping everything.
    pub fn restore(&self) {
        if let Some(raw) = &self.raw {
            raw.leave();
        }
    }

    async fn request(&self, bytes: &[u8], stream: Stream) -> io::Result<()> {
        let (done, written) = oneshot::channel();
        let request = WriteRequest { bytes: bytes.to_vec(), stream, done };
        self.writes.send(request).await.map_err(|_| closed())?;
        written.await.map_err(|_| closed())?
    }

    /// Reading begins with the first lease: a process in the background that never reads is never stopped for it.
    fn ensure_reader(&self) {
        let mut reader = lock(&self.reader);
        if reader.is_some() {
            return;
        }
        match start_reader(self.keyboard.clone()) {
            Ok(started) => *reader = Some(started),
            Err(error) => {
                drop(reader);
                tracing::warn!(%error, "standard input cannot be read");
                self.keyboard.close();
            }
        }
    }
}

impl Drop for StdioTerminal {
    fn drop(&mut self) {
        self.restore();
        // Explicitly: the thread that reads holds the hub, which may know the reader.
        drop(lock(&self.reader).take());
        self.keyboard.close();
    }
}

#[async_trait]
impl Terminal for StdioTerminal {
    async fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.request(bytes, Stream::Output).await
    }

    async fn write_talk(&self, bytes: &[u8]) -> io::Result<()> {
        self.request(bytes, Stream::Talk).await
    }

    async fn write_prompt(&self, drawn: Option<&[u8]>) -> io::Result<()> {
        self.request(drawn.unwrap_or_default(), Stream::Prompt).await
    }

    fn abandon_prompt(&self) {
        self.prompt.abandon();
    }

    fn kind(&self) -> Kind {
        self.kind
    }

    fn size(&self) -> watch::Receiver<Size> {
        self.size.clone()
    }

    fn term(&self) -> String {
        self.term.clone()
    }

    fn colour(&self) -> bool {
        self.kind == Kind::Tty && self.wants_colour
    }

    fn interactive(&self) -> bool {
        self.interactive
    }

    fn keyboard(&self) -> Keyboard {
        let lease = self.keyboard.lease();
        self.ensure_reader();
        lease
    }

    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>> {
        let parent = self.me.upgrade().ok_or_else(closed)?;
        Ok(LinesTerminal::new(parent, &request))
    }
}

fn colour_of_environment() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && !matches!(std::env::var("TERM").unwrap_or_default().as_str(), "" | "dumb")
}

fn on_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

fn lock(reader: &Mutex<Option<Reader>>) -> MutexGuard<'_, Option<Reader>> {
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the terminal is closed")
}

fn current_size() -> Size {
    match rustix::termios::tcgetwinsize(io::stdout()) {
        Ok(size) => Size::clamped(size.ws_row, size.ws_col),
        Err(_) => Size::DEFAULT,
    }
}

/// The size after each SIGWINCH (row M-05); raw mode again after the process was stopped and continued.
fn follow_signals(raw: Arc<RawMode>, size: watch::Sender<Size>) -> io::Result<AbortOnDropHandle<()>> {
    let mut resized = signal(SignalKind::window_change())?;
    let mut continued = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        loop {
            tokio::select! {
                Some(()) = resized.recv() => {}
                Some(()) = continued.recv() => {
                    if let (true, Err(error)) = (raw.entered(), raw.again()) {
                        tracing::warn!(%error, "the terminal could not be made raw again");
                    }
                }
                else => return,
            }
            size.send_replace(current_size());
        }
    })))
}

#[cfg(test)]
mod tests;
