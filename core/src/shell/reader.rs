//! Reads command lines: with the line editor on a screen, line by line from a pipe.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use super::complete::{complete, highlight};
use super::editor::{Completion, Editor, Step, View, columns, render};
use super::new_window::Opener;
use super::screen::Screen;
use super::state::State;
use crate::terminal::keys::{Key, KeyDecoder};
use crate::terminal::style::Style;
use crate::terminal::{Keyboard, Terminal};

/// Longest line of a script, bytes.
const SCRIPT_LINE_MAX: usize = 1024 * 1024;

/// What the person did.
pub(super) enum Read {
    Line(String),
    /// The line was dropped.
    Nothing,
    /// Ctrl-D, or nothing will ever be typed again.
    End,
}

/// What a line is edited for: its prompt, what Tab offers, which words mean something.
pub(super) trait Lines: Sync {
    /// The prompt, in pieces.
    fn prompt(&self) -> Vec<(String, Style)>;
    /// What the word left of the cursor can become.
    fn complete(&self, left: &str) -> Completion;
    /// Coloured stretches of the line.
    fn highlight(&self, line: &str) -> Vec<(Range<usize>, Style)>;
    /// What opens another window, when this key does that here (row Q-15).
    fn new_window(&self, _key: &Key, _screen: &Arc<Screen>) -> Option<Opener> {
        None
    }
}

impl Lines for State {
    fn prompt(&self) -> Vec<(String, Style)> {
        State::prompt(self)
    }

    fn complete(&self, left: &str) -> Completion {
        complete(self, left)
    }

    fn highlight(&self, line: &str) -> Vec<(Range<usize>, Style)> {
        highlight(self, line)
    }

    fn new_window(&self, key: &Key, screen: &Arc<Screen>) -> Option<Opener> {
        let wanted = self.options.new_window_key()?.letter();
        matches!(key, Key::Ctrl(letter) if *letter == wanted).then(|| Opener::of(self, screen)).flatten()
    }
}

/// Edits one line on a screen.
///
/// # Errors
/// When the terminal went away.
pub(super) async fn edit(
    screen: &Arc<Screen>,
    editor: &mut Editor,
    state: &dyn Lines,
    colour: bool,
) -> io::Result<Read> {
    screen.fresh_line().await?;
    let pastes = brackets_pastes(&screen.term());
    if pastes {
        screen.write(b"\x1b[?2004h").await?;
    }
    let mut session = Editing {
        screen,
        editor,
        state,
        colour,
        keyboard: screen.own_keyboard(),
        decoder: KeyDecoder::new(),
        ended: false,
    };
    let read = session.run().await?;
    session.ended = true;
    screen.write_prompt(None).await?;
    drop(session);
    if pastes {
        screen.write(b"\x1b[?2004l").await?;
    }
    Ok(read)
}

/// Terminals known to mark pastes; others might show the request as text.
fn brackets_pastes(term: &str) -> bool {
    ["xterm", "screen", "tmux", "rxvt", "alacritty", "foot", "wezterm", "linux", "konsole", "kitty"]
        .iter()
        .any(|known| term.starts_with(known))
}

struct Editing<'a> {
    screen: &'a Arc<Screen>,
    editor: &'a mut Editor,
    state: &'a dyn Lines,
    colour: bool,
    keyboard: Keyboard,
    decoder: KeyDecoder,
    ended: bool,
}

impl Editing<'_> {
    async fn run(&mut self) -> io::Result<Read> {
        let mut size = self.screen.size();
        loop {
            // Typed-ahead keys are used up before anything is drawn, except what stays on the screen.
            while let Some(key) = self.decoder.next_key() {
                if matches!(key, Key::Enter | Key::Ctrl('c' | 'd')) {
                    self.draw().await?;
                }
                if let Some(read) = self.step(key).await? {
                    return Ok(read);
                }
            }
            self.draw().await?;
            tokio::select! {
                bytes = self.keyboard.read() => match bytes {
                    Some(bytes) => self.decoder.feed(&bytes),
                    None => return Ok(Read::End),
                },
                Ok(()) = size.changed() => {}
            }
        }
    }

    async fn step(&mut self, key: Key) -> io::Result<Option<Read>> {
        let state = self.state;
        if let Some(new) = state.new_window(&key, self.screen) {
            new.open();
            return Ok(None);
        }
        match self.editor.key(key, &|left| state.complete(left)) {
            Step::Edited => {}
            Step::Bell => self.screen.write(b"\x07").await?,
            Step::Line(line) => return Ok(Some(Read::Line(line))),
            Step::End => return Ok(Some(Read::End)),
            Step::Interrupted => return Ok(Some(Read::Nothing)),
            Step::Clear => self.screen.write(b"\x1b[H\x1b[2J").await?,
            Step::List(candidates) => {
                self.draw().await?;
                self.screen.write_prompt(None).await?;
                let width = usize::from(self.screen.size().borrow().cols);
                self.screen.print(&columns(&candidates, width, self.colour)).await?;
            }
        }
        Ok(None)
    }

    async fn draw(&mut self) -> io::Result<()> {
        let prompt = self.state.prompt();
        let spans = self.state.highlight(self.editor.text());
        let columns = usize::from(self.screen.size().borrow().cols);
        let view = View {
            prompt: &prompt,
            prompt_columns: columns / 2,
            spans: &spans,
            columns,
            colour: self.colour,
            moves: self.screen.term() != "dumb",
        };
        self.screen.write_prompt(Some(&render(self.editor, &view))).await
    }
}

impl Drop for Editing<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.screen.abandon_prompt();
        }
        // What was typed beyond the line belongs to what the line runs.
        self.keyboard.unread(self.decoder.take_rest());
    }
}

/// Lines from a pipe.
pub(super) struct Script {
    keyboard: Keyboard,
    waiting: Vec<u8>,
}

impl Script {
    pub(super) fn new(screen: &Screen) -> Script {
        Script { keyboard: screen.own_keyboard(), waiting: Vec::new() }
    }

    /// The next line, without its end; `None` at the end of the script.
    ///
    /// # Errors
    /// When a line is too long or not UTF-8.
    pub(super) async fn line(&mut self) -> Result<Option<String>, String> {
        loop {
            if let Some(end) = self.waiting.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.waiting.drain(..=end).collect();
                return text(&line).map(Some);
            }
            if self.waiting.len() > SCRIPT_LINE_MAX {
                return Err(format!("a line of more than {SCRIPT_LINE_MAX} bytes is no command"));
            }
            match self.keyboard.read().await {
                Some(bytes) => self.waiting.extend_from_slice(&bytes),
                None if self.waiting.is_empty() => return Ok(None),
                None => return text(&std::mem::take(&mut self.waiting)).map(Some),
            }
        }
    }
}

fn text(line: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(line).map_err(|_| "a line that is not UTF-8 is no command".to_string())?;
    Ok(text.trim_end_matches(['\n', '\r']).to_string())
}

impl Drop for Script {
    fn drop(&mut self) {
        self.keyboard.unread(Bytes::from(std::mem::take(&mut self.waiting)));
    }
}
