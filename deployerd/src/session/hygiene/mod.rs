//! What programs may do to the terminals of those who are attached (`field-notes` 3.4): text, colours, cursor, the modes
//! that a repaint restores. Nothing reaches the clipboard, nothing is printed on paper, no terminal is asked anything:
//! questions are answered from the screen model, once, however many clients there are.
//!
//! A sequence is passed on whole or not at all, so clients never hold half of one.

mod control;
mod text;

use deployer_core::terminal::Size;

/// Longest control sequence, bytes; longer ones are dropped.
const CONTROL_MAX: usize = 128;
/// Longest text of a sequence (titles, links), bytes; longer ones are dropped.
const TEXT_MAX: usize = 4096;

/// Follows a stream of terminal bytes; whatever the chunks, the result is the same.
#[derive(Default)]
pub(crate) struct Hygiene {
    state: State,
    /// The sequence so far, without its beginning.
    sequence: Vec<u8>,
    /// What came of the bytes so far.
    pieces: Vec<Piece>,
}

/// What becomes of output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// These bytes are shown.
    Show(Vec<u8>),
    /// A program asks the terminal something.
    Asked(Query),
}

/// What a program may ask a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// What it is (DA, DECID).
    Kind,
    /// What it is, in other words (DA2).
    Version,
    /// Whether it is well (DSR 5).
    Health,
    /// Where the cursor is (DSR 6, or DECXCPR).
    Cursor {
        /// With a question mark, as it was asked.
        private: bool,
    },
    /// Whether a mode is set (DECRQM).
    Mode {
        /// With a question mark, as it was asked.
        private: bool,
        /// Which mode.
        number: u16,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between sequences.
    #[default]
    Ground,
    /// After 0xC2, which begins the controls of the second set as well as harmless characters.
    Latin,
    /// After ESC.
    Escape,
    /// After ESC and intermediate bytes.
    Intermediate,
    /// After ESC and `[`.
    Control,
    /// In a control sequence that is too long.
    LongControl,
    /// After ESC and `]`.
    Text,
    /// In a text that is not passed on: device control and the like, or too long.
    Ignored,
    /// In a text, after ESC.
    TextEscape,
    /// The same of one that is not passed on.
    IgnoredEscape,
}

impl Query {
    /// The answer: a VT220 with colours, whose cursor is at `cursor` (row and column from 0).
    pub(crate) fn answer(self, cursor: (u16, u16), size: Size) -> Vec<u8> {
        let (row, col) = (cursor.0.min(size.rows - 1) + 1, cursor.1.min(size.cols - 1) + 1);
        let mark = |private| if private { "?" } else { "" };
        let answer = match self {
            Query::Kind => "\x1b[?62;22c".to_string(),
            Query::Version => "\x1b[>1;10;0c".to_string(),
            Query::Health => "\x1b[0n".to_string(),
            Query::Cursor { private } => format!("\x1b[{}{row};{col}R", mark(private)),
            Query::Mode { private, number } => format!("\x1b[{}{number};0$y", mark(private)),
        };
        answer.into_bytes()
    }
}

impl Hygiene {
    /// Takes output.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut rest = bytes;
        while let [first, others @ ..] = rest {
            // Most bytes are text, and this is why it is cheap.
            let text = match self.state {
                State::Ground => rest.iter().position(|byte| matches!(byte, 0x05 | 0x1b | 0xc2)).unwrap_or(rest.len()),
                _ => 0,
            };
            if text > 0 {
                self.show(&rest[..text]);
                rest = &rest[text..];
            } else {
                self.step(*first);
                rest = others;
            }
        }
        std::mem::take(&mut self.pieces)
    }

    fn show(&mut self, bytes: &[u8]) {
        match self.pieces.last_mut() {
            Some(Piece::Show(shown)) => shown.extend_from_slice(bytes),
            _ => self.pieces.push(Piece::Show(bytes.to_vec())),
        }
    }

    fn step(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Ground, 0x1b) => State::Escape,
            (State::Ground, 0xc2) => State::Latin,
            // ENQ: asks for the answerback text.
            (State::Ground, 0x05) => State::Ground,
            (State::Ground, _) => self.passed(&[byte]),
            (State::Latin, 0x80..=0x9f) => State::Ground,
            (State::Latin, 0xa0..=0xbf) => self.passed(&[0xc2, byte]),
            (State::Latin, _) => {
                // Half a character, made whole: it must not find its other half behind something that is dropped.
                self.show("\u{fffd}".as_bytes());
                self.state = State::Ground;
                return self.step(byte);
            }
            // These cancel whatever there is; a text ends so too.
            (_, 0x18 | 0x1a) => State::Ground,
            (State::Text, 0x07) => self.end_of_text(),
            (State::Text, 0x1b) => State::TextEscape,
            (State::Ignored, 0x1b) => State::IgnoredEscape,
            (State::Ignored, 0x07) => State::Ground,
            (State::Text, _) if self.sequence.len() < TEXT_MAX => self.longer(byte, State::Text),
            (State::Text | State::Ignored, _) => State::Ignored,
            (State::TextEscape, b'\\') => self.end_of_text(),
            (State::IgnoredEscape, b'\\') => State::Ground,
            (_, 0x1b) => State::Escape,
            (State::Escape | State::TextEscape | State::IgnoredEscape, _) => self.after_escape(byte),
            // A control character within a sequence is obeyed, and the sequence goes on.
            (state, 0x00..=0x1f) => {
                if byte != 0x05 {
                    self.show(&[byte]);
                }
                state
            }
            (State::Intermediate, 0x20..=0x2f) if self.sequence.len() < CONTROL_MAX => {
                self.longer(byte, State::Intermediate)
            }
            (State::Intermediate, _) => self.end_of_escape(byte),
            (State::Control, 0x20..=0x3f) if self.sequence.len() < CONTROL_MAX => self.longer(byte, State::Control),
            (State::Control | State::LongControl, 0x20..=0x3f) => State::LongControl,
            (State::Control, 0x40..=0x7e) => self.end_of_control(byte),
            (State::Control | State::LongControl, _) => State::Ground,
        };
    }

    fn passed(&mut self, bytes: &[u8]) -> State {
        self.show(bytes);
        State::Ground
    }

    fn longer(&mut self, byte: u8, state: State) -> State {
        self.sequence.push(byte);
        state
    }

    fn after_escape(&mut self, byte: u8) -> State {
        self.sequence.clear();
        match byte {
            b'[' => State::Control,
            b']' => State::Text,
            // Device control, application commands, and the title of `screen`.
            b'P' | b'X' | b'^' | b'_' | b'k' => State::Ignored,
            b'Z' => self.asked(Query::Kind),
            0x20..=0x2f => self.longer(byte, State::Intermediate),
            0x00..=0x1f => {
                self.show(&[byte]);
                State::Escape
            }
            0x30..=0x7e => self.passed(&[0x1b, byte]),
            _ => State::Ground,
        }
    }

    /// Character sets of the usual kind; not those that leave UTF-8 (`ESC %`).
    fn end_of_escape(&mut self, last: u8) -> State {
        let known = matches!(self.sequence.as_slice(), [b'(' | b')' | b'*' | b'+'] | [b'#']);
        if known && (0x30..=0x7e).contains(&last) {
            let bytes = [&[0x1b], self.sequence.as_slice(), &[last]].concat();
            self.show(&bytes);
        }
        State::Ground
    }

    fn end_of_control(&mut self, last: u8) -> State {
        match control::judge(&self.sequence, last) {
            control::Verdict::Pass => {
                let bytes = [b"\x1b[", self.sequence.as_slice(), &[last]].concat();
                self.show(&bytes);
            }
            control::Verdict::Instead(bytes) if bytes.windows(2).any(|two| two == b"47" || two == b"49") => {
                // The alternate screen is entered and left in pieces of their own: clients are repainted in between.
                self.pieces.extend([Piece::Show(bytes), Piece::Show(Vec::new())]);
            }
            control::Verdict::Instead(bytes) => self.show(&bytes),
            control::Verdict::Asked(query) => return self.asked(query),
            control::Verdict::Drop => {}
        }
        State::Ground
    }

    fn end_of_text(&mut self) -> State {
        if let Some(bytes) = text::harmless(&self.sequence) {
            self.show(&bytes);
        }
        State::Ground
    }

    fn asked(&mut self, query: Query) -> State {
        self.pieces.push(Piece::Asked(query));
        State::Ground
    }
}

#[cfg(test)]
mod tests;
