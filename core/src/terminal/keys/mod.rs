//! Typed bytes as keys: UTF-8, control keys, escape sequences of the usual terminals, bracketed paste.
//!
//! One key takes exactly its bytes, so whatever follows an answered question can be given back to the next reader.
//! Escape sequences are delimited here and read by termwiz; text and pastes never reach its parser, which counts
//! replaced bytes wrongly in pastes that are not UTF-8.

mod sequence;

use std::collections::VecDeque;

use bytes::Bytes;
use termwiz::input::{InputEvent, InputParser, KeyEvent};
use zeroize::Zeroize;

use sequence::{control, named, sequence_length};

/// A paste longer than this comes in pieces, bytes.
const PASTE_PIECE: usize = 64 * 1024;
/// Longest escape sequence that is looked at, bytes; longer ones are dropped whole.
const SEQUENCE_MAX: usize = 64;

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
const ESC: u8 = 0x1b;

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character as typed.
    Char(char),
    /// Control and a lower-case letter, or one of `@ [ \ ] ^ _`.
    Ctrl(char),
    /// Alt (or Escape before) and a character.
    Alt(char),
    /// Alt and backspace.
    AltBackspace,
    /// Carriage return or line feed.
    Enter,
    /// Tab.
    Tab,
    /// DEL or Ctrl-H (row N-56).
    Backspace,
    /// Delete.
    Delete,
    /// Up.
    Up,
    /// Down.
    Down,
    /// Left.
    Left,
    /// Right.
    Right,
    /// Control or Alt and left.
    WordLeft,
    /// Control or Alt and right.
    WordRight,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A piece of pasted text; whatever it contains, it is text.
    Paste(String),
    /// A key that means nothing here.
    Other,
}

/// Turns bytes into keys. Whatever the chunks, the keys are the same.
#[derive(Default)]
pub struct KeyDecoder {
    waiting: VecDeque<u8>,
    pasting: bool,
    /// Bytes of a paste that hold neither its end nor an interrupt.
    searched: usize,
    after_return: bool,
    /// Made with the first escape sequence; making one is slow.
    parser: Option<InputParser>,
}

impl KeyDecoder {
    /// A decoder with nothing to read.
    pub fn new() -> KeyDecoder {
        KeyDecoder::default()
    }

    /// Adds typed bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.waiting.extend(bytes);
    }

    /// The next complete key; `None` when more bytes are needed. A lone Escape waits for the key after it, as in
    /// other emacs-style editors.
    pub fn next_key(&mut self) -> Option<Key> {
        loop {
            if self.pasting {
                return self.pasted();
            }
            let first = *self.waiting.front()?;
            let after_return = std::mem::take(&mut self.after_return);
            match first {
                // Telnet sends CR NUL or CR LF for one Enter; a second Enter would accept the next default.
                b'\n' | 0 if after_return => {
                    self.waiting.pop_front();
                }
                ESC => match self.escape() {
                    Escape::Key(key) => return Some(key),
                    Escape::Nothing => {}
                    Escape::NeedMore => return None,
                },
                0..0x20 | 0x7f => {
                    self.waiting.pop_front();
                    self.after_return = first == b'\r';
                    return Some(control(first));
                }
                _ => return self.character(),
            }
        }
    }

    /// The bytes that were not used, for the next reader.
    pub fn take_rest(&mut self) -> Bytes {
        if std::mem::take(&mut self.after_return) && matches!(self.waiting.front(), Some(b'\n' | 0)) {
            self.waiting.pop_front();
        }
        let mut rest = Vec::new();
        self.searched = 0;
        if std::mem::take(&mut self.pasting) {
            rest.extend_from_slice(PASTE_BEGIN);
        }
        rest.extend(self.waiting.drain(..));
        Bytes::from(rest)
    }

    fn character(&mut self) -> Option<Key> {
        let first = *self.waiting.front()?;
        let wanted = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let have: Vec<u8> = self.waiting.iter().take(wanted).copied().collect();
        match std::str::from_utf8(&have) {
            Ok(text) => {
                self.waiting.drain(..have.len());
                text.chars().next().map(|c| if c.is_control() { Key::Other } else { Key::Char(c) })
            }
            Err(error) if error.error_len().is_none() => None,
            Err(error) => {
                self.waiting.drain(..error.error_len().unwrap_or(1));
                Some(Key::Other)
            }
        }
    }

    fn escape(&mut self) -> Escape {
        let bytes: Vec<u8> = self.waiting.iter().take(SEQUENCE_MAX + 1).copied().collect();
        let Some(length) = sequence_length(&bytes) else {
            if bytes.len() <= SEQUENCE_MAX {
                return Escape::NeedMore;
            }
            self.waiting.drain(..bytes.len());
            return Escape::Key(Key::Other);
        };
        if bytes[..length] == *PASTE_BEGIN {
            self.waiting.drain(..length);
            self.pasting = true;
            return Escape::Nothing;
        }
        if bytes[..length] == *PASTE_END {
            self.waiting.drain(..length);
            return Escape::Nothing;
        }
        // Escape before a character that is not ASCII: the character comes by itself.
        if length == 2 && bytes[1] >= 0x80 {
            self.waiting.pop_front();
            return Escape::Nothing;
        }
        self.waiting.drain(..length);
        Escape::Key(self.sequence(&bytes[..length]))
    }

    fn sequence(&mut self, bytes: &[u8]) -> Key {
        match bytes {
            [ESC] => Key::Other,
            [ESC, 0x7f | 0x08] => Key::AltBackspace,
            [ESC, b'[' | b'O', rest @ ..] if !rest.is_empty() => {
                // Variants that termwiz has no name for: rxvt and tmux (row N-57).
                match rest {
                    b"1~" | b"7~" | b"H" => Key::Home,
                    b"4~" | b"8~" | b"F" => Key::End,
                    b"c" => Key::WordRight,
                    b"d" => Key::WordLeft,
                    _ => self.termwiz_key(bytes),
                }
            }
            [ESC, byte] if (0x20..0x7f).contains(byte) => Key::Alt(char::from(*byte)),
            [ESC, byte] if *byte < 0x20 => control(*byte),
            _ => Key::Other,
        }
    }

    fn termwiz_key(&mut self, bytes: &[u8]) -> Key {
        let mut parser = self.parser.take().unwrap_or_default();
        let mut events = parser.parse_as_vec(bytes, false);
        match (events.pop(), events.is_empty()) {
            (Some(InputEvent::Key(KeyEvent { key, modifiers })), true) => {
                self.parser = Some(parser);
                named(key, modifiers)
            }
            // It may hold a rest of what it did not know: the next sequence gets a new one.
            _ => Key::Other,
        }
    }

    fn pasted(&mut self) -> Option<Key> {
        // The end mark may have begun in what was searched before.
        let from = std::mem::take(&mut self.searched).saturating_sub(PASTE_END.len() - 1);
        let bytes = self.waiting.make_contiguous();
        let end = bytes[from..].windows(PASTE_END.len()).position(|window| window == PASTE_END).map(|at| from + at);
        let limit = end.unwrap_or(bytes.len());
        // Terminals strip control characters from pastes: a Ctrl-C here means that the end mark was lost.
        if let Some(interrupt) = bytes[from..limit].iter().position(|byte| *byte == 3) {
            self.waiting.drain(..=from + interrupt);
            self.pasting = false;
            return Some(Key::Ctrl('c'));
        }
        if let Some(end) = end {
            let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
            self.waiting.drain(..end + PASTE_END.len());
            self.pasting = false;
            return Some(Key::Paste(text));
        }
        if bytes.len() < PASTE_PIECE {
            self.searched = bytes.len();
            return None;
        }
        // A piece ends at a character, and never within what may be the end mark.
        let mut cut = bytes.len() - PASTE_END.len();
        while cut > bytes.len() - PASTE_END.len() - 4 && bytes[cut] & 0xc0 == 0x80 {
            cut -= 1;
        }
        let text = String::from_utf8_lossy(&bytes[..cut]).into_owned();
        self.waiting.drain(..cut);
        Some(Key::Paste(text))
    }
}

impl Drop for KeyDecoder {
    fn drop(&mut self) {
        // What was typed may have been a password.
        self.waiting.make_contiguous().zeroize();
    }
}

enum Escape {
    Key(Key),
    Nothing,
    NeedMore,
}

#[cfg(test)]
mod tests;
