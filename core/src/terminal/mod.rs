//! What a terminal is to the framework: where bytes go, where keys come from, how big it is.
//!
//! The daemon brings terminals backed by kernel PTYs, `run -s` brings the process's own ([`stdio`]), tests bring
//! [`scripted`] ones. Code above this trait never knows which one it has.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::runtime::Handle;
use tokio::sync::watch;

mod job;
mod keyboard;
pub mod keys;
mod line_filter;
pub mod lines;
mod parallel;
mod prompt_line;
mod raw_mode;
pub mod scripted;
pub mod stdio;
pub mod style;
mod type_ahead;

pub use job::JobTerminal;
pub use keyboard::{Keyboard, KeyboardHub};
pub use line_filter::LineFilter;
pub use parallel::{Announced, CellState, ParallelRun};
pub use prompt_line::PromptLine;
pub(crate) use type_ahead::{INTERRUPT, TypeAhead};

/// Size of a terminal in character cells. Never zero: a 0 x 0 terminal makes line editors divide by zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Lines, 1..=1000.
    pub rows: u16,
    /// Columns, 2..=2000.
    pub cols: u16,
}

impl Size {
    /// What a terminal is taken to be when nobody says (row M-02).
    pub const DEFAULT: Size = Size { rows: 24, cols: 80 };

    /// A size within bounds, whatever a peer claims; zero means "unknown" and gives the default.
    pub fn clamped(rows: u16, cols: u16) -> Size {
        if rows == 0 || cols == 0 {
            return Size::DEFAULT;
        }
        Size { rows: rows.clamp(1, 1000), cols: cols.clamp(2, 2000) }
    }
}

/// What stands at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A real terminal: cursor movement, colour, raw keys.
    Tty,
    /// Pipes or files (cron, CI): no escape sequences, no progress, stdout and stderr apart.
    Plain,
}

/// Where the framework asks for one more terminal: one isolation of a parallel run.
#[derive(Clone, Debug)]
pub struct AuxiliaryRequest {
    /// What to show in front of its output; the slug of the host.
    pub label: String,
    /// Width of the widest label of the run, so that output lines up.
    pub label_width: usize,
    /// Position in host order, from 0.
    pub index: usize,
    /// The run it belongs to, when that was announced ([`Terminal::parallel_begins`]).
    pub run: Option<Arc<ParallelRun>>,
}

/// A place to show things and to read keys from.
#[async_trait]
pub trait Terminal: Send + Sync + 'static {
    /// Writes all bytes; waits while the other side is slow. On a [`Kind::Tty`] lines must end in CR LF, the
    /// terminal is raw: [`Terminal::print`] does that for text.
    async fn write(&self, bytes: &[u8]) -> io::Result<()>;

    /// Writes talk (errors, notices): stderr where that is a stream of its own, the same screen otherwise.
    async fn write_talk(&self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes).await
    }

    /// What stands at the other end.
    fn kind(&self) -> Kind;

    /// The size now, and whenever it changes.
    fn size(&self) -> watch::Receiver<Size>;

    /// The value of TERM; empty when there is none (row F-38).
    fn term(&self) -> String;

    /// The runtime that serves it, where that is not the one that runs actions: an operator's command is accompanied
    /// there, so that a key need not pass from thread to thread.
    fn served_on(&self) -> Option<Handle> {
        None
    }

    /// Whether colours may be shown; never on a [`Kind::Plain`] one. Front ends that know better (`NO_COLOR`) say so.
    fn colour(&self) -> bool {
        self.kind() == Kind::Tty && !matches!(self.term().as_str(), "" | "dumb")
    }

    /// Whether questions may be asked here; false for cron, `--non-interactive` and auxiliary terminals without a
    /// keyboard of their own.
    fn interactive(&self) -> bool;

    /// Takes the keyboard: until the returned lease is dropped, typed bytes go to it and to nobody else.
    fn keyboard(&self) -> Keyboard;

    /// Opens a terminal for one isolation of a parallel run. What is written there appears here, marked with
    /// the label, whole lines at a time.
    async fn auxiliary(&self, request: AuxiliaryRequest) -> io::Result<Arc<dyn Terminal>>;

    /// A parallel run begins; its isolations will open their terminals here. For terminals that show it as a whole.
    async fn parallel_begins(&self, _run: &Arc<ParallelRun>) {}

    /// All isolations of a run have ended. Returns when what the run covered is visible again.
    async fn parallel_ends(&self, _run: &Arc<ParallelRun>) {}

    /// This terminal for one action that can be left running while the operator does something else here; `None`
    /// where nothing can be left.
    fn job(&self) -> Option<Arc<dyn JobTerminal>> {
        None
    }

    /// The label of an auxiliary terminal, when it is visible beside its output.
    fn label(&self) -> Option<&str> {
        None
    }

    /// Ends a line that was left open, so that what is written next stands on a line of its own.
    async fn fresh_line(&self) -> io::Result<()> {
        Ok(())
    }

    /// Draws the line that is being edited, or ends it (`None`). A terminal that can do so keeps the line below
    /// whatever others write meanwhile (row N-61). `drawn` begins at the first column and draws the whole line.
    async fn write_prompt(&self, drawn: Option<&[u8]>) -> io::Result<()> {
        self.write(drawn.unwrap_or(b"\r\n")).await
    }

    /// The line that was being edited will never be ended: whoever edited it was cancelled.
    fn abandon_prompt(&self) {}

    /// Nothing more will be written: shows what was held back, such as a last line without end. Whoever opened
    /// an auxiliary terminal calls it when the isolation has ended.
    async fn finish(&self) -> io::Result<()> {
        Ok(())
    }

    /// Text with `\n` line ends, in the form this terminal wants.
    async fn print(&self, text: &str) -> io::Result<()> {
        match self.kind() {
            Kind::Tty => self.write(crlf(text).as_bytes()).await,
            Kind::Plain => self.write(text.as_bytes()).await,
        }
    }

    /// The same for talk: errors, notices.
    async fn print_talk(&self, text: &str) -> io::Result<()> {
        match self.kind() {
            Kind::Tty => self.write_talk(crlf(text).as_bytes()).await,
            Kind::Plain => self.write_talk(text.as_bytes()).await,
        }
    }
}

/// Turns bare LF into CR LF; existing CR LF stays.
pub fn crlf(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut last = '\0';
    for c in text.chars() {
        if c == '\n' && last != '\r' {
            out.push('\r');
        }
        out.push(c);
        last = c;
    }
    out
}
