//! The process's own terminal: for `run -s` and for programs that use the library.

use std::io::{self, IsTerminal, PipeWriter};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;

use async_trait::async_trait;
use bytes::Bytes;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::task::AbortOnDropHandle;

use super::lines::LinesTerminal;
use super::raw_mode::RawMode;
use super::{AuxiliaryRequest, Keyboard, KeyboardHub, Kind, PromptLine, Size, Terminal};

/// Keys and piped input are read in pieces of this size, bytes.
const READ_SIZE: usize = 8 * 1024;
/// Writes that may wait for a slow screen.
const WRITES_WAITING: usize = 16;

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

struct WriteRequest {
    bytes: Vec<u8>,
    stream: Stream,
    done: oneshot::Sender<io::Result<()>>,
}

#[derive(Clone, Copy)]
enum Stream {
    Output,
    Talk,
    /// The line that is being edited; empty ends it.
    Prompt,
}

/// The thread that reads; it ends when this is dropped.
struct Reader {
    _stop: PipeWriter,
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

/// One thread writes, so that a slow screen holds up whoever writes to it and nobody else.
fn start_writer(prompt: Arc<PromptLine>) -> io::Result<mpsc::Sender<WriteRequest>> {
    let (sender, mut requests) = mpsc::channel::<WriteRequest>(WRITES_WAITING);
    thread::Builder::new().name("terminal-write".to_string()).spawn(move || {
        while let Some(request) = requests.blocking_recv() {
            let written = match request.stream {
                Stream::Output => write_all(io::stdout(), &prompt.around(request.bytes)),
                Stream::Talk if prompt.is_shown() => write_all(io::stdout(), &prompt.around(request.bytes)),
                Stream::Talk => write_all(io::stderr(), &request.bytes),
                Stream::Prompt => write_all(io::stdout(), &prompt.draw(request.bytes)),
            };
            // Whoever wrote may have been cancelled meanwhile.
            let _cancelled = request.done.send(written);
        }
    })?;
    Ok(sender)
}

fn write_all(stream: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&stream, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            // Somebody else made the shared description non-blocking.
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(&stream, PollFlags::OUT)], None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// One thread reads, and stops reading when its [`Reader`] is dropped: nothing typed later is taken from whoever
/// has the terminal then.
fn start_reader(hub: KeyboardHub) -> io::Result<Reader> {
    let (stopped, stop) = io::pipe()?;
    let runtime = Handle::current();
    thread::Builder::new().name("terminal-read".to_string()).spawn(move || {
        let mut buffer = vec![0; READ_SIZE];
        loop {
            match read_some(&stopped, &mut buffer) {
                // Somebody may read again later.
                Ok(None) => return,
                Ok(Some(0)) => break,
                Ok(Some(count)) => runtime.block_on(hub.push(Bytes::copy_from_slice(&buffer[..count]))),
                Err(error) => {
                    tracing::debug!(%error, "standard input ended");
                    break;
                }
            }
        }
        hub.close();
    })?;
    Ok(Reader { _stop: stop })
}

/// Reads what there is; `None` when it is time to stop. Polls first: a read cannot be called off.
fn read_some(stopped: &impl AsFd, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let stdin = io::stdin();
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(stopped, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        if !fds[1].revents().is_empty() {
            return Ok(None);
        }
        // The lock of std's reader would buffer ahead; the descriptor is read as it is.
        match rustix::io::read(&stdin, &mut *buffer) {
            Err(Errno::INTR | Errno::AGAIN) => continue,
            Err(error) => return Err(error.into()),
            Ok(count) => return Ok(Some(count)),
        }
    }
}

#[cfg(test)]
#[path = "stdio_tests.rs"]
mod stdio_tests;
