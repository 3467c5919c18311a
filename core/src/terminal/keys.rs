//! Typed bytes as keys: UTF-8, control keys, escape sequences of the usual terminals, bracketed paste.
//!
//! One key takes exactly its bytes, so whatever follows an answered question can be given back to the next reader.
//! Escape sequences are delimited here and read by termwiz; text and pastes never reach its parser, which counts
//! replaced bytes wrongly in pastes that are not UTF-8.

use std::collections::VecDeque;

use bytes::Bytes;
use termwiz::input::{InputEvent, InputParser, KeyCode, KeyEvent, Modifiers};
use zeroize::Zeroize;

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

/// Length of the escape sequence at the start; `None` while it is incomplete.
fn sequence_length(bytes: &[u8]) -> Option<usize> {
    match bytes.get(1)? {
        b'[' => {
            // The Linux console sends ESC [ [ A for function keys.
            let start = if bytes.get(2) == Some(&b'[') { 3 } else { 2 };
            let last = bytes.iter().skip(start).position(|byte| !(0x20..0x40).contains(byte))?;
            Some(start + last + 1)
        }
        b'O' => bytes.get(2).map(|_| 3),
        // Two escapes: the first was lone, the second may begin a sequence.
        &ESC => Some(1),
        _ => Some(2),
    }
}

fn named(key: KeyCode, modifiers: Modifiers) -> Key {
    let by_word = modifiers.intersects(Modifiers::CTRL | Modifiers::ALT);
    match key {
        KeyCode::UpArrow | KeyCode::ApplicationUpArrow => Key::Up,
        KeyCode::DownArrow | KeyCode::ApplicationDownArrow => Key::Down,
        KeyCode::LeftArrow | KeyCode::ApplicationLeftArrow if by_word => Key::WordLeft,
        KeyCode::LeftArrow | KeyCode::ApplicationLeftArrow => Key::Left,
        KeyCode::RightArrow | KeyCode::ApplicationRightArrow if by_word => Key::WordRight,
        KeyCode::RightArrow | KeyCode::ApplicationRightArrow => Key::Right,
        KeyCode::Home => Key::Home,
        KeyCode::End => Key::End,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        KeyCode::Delete => Key::Delete,
        KeyCode::Enter => Key::Enter,
        _ => Key::Other,
    }
}

fn control(byte: u8) -> Key {
    match byte {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        _ => Key::Ctrl(char::from((byte & 0x1f) | 0x40).to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = KeyDecoder::new();
        decoder.feed(bytes);
        std::iter::from_fn(|| decoder.next_key()).collect()
    }

    // rows: N-57
    #[test]
    fn arrows_home_end_and_delete_in_the_usual_variants() {
        for (bytes, key) in [
            ("\x1b[A", Key::Up),
            ("\x1bOB", Key::Down),
            ("\x1b[C", Key::Right),
            ("\x1bOD", Key::Left),
            ("\x1b[1;5C", Key::WordRight),
            ("\x1b[1;3D", Key::WordLeft),
            ("\x1b[H", Key::Home),
            ("\x1bOH", Key::Home),
            ("\x1b[1~", Key::Home),
            ("\x1b[7~", Key::Home),
            ("\x1b[F", Key::End),
            ("\x1bOF", Key::End),
            ("\x1b[4~", Key::End),
            ("\x1b[8~", Key::End),
            ("\x1b[3~", Key::Delete),
            ("\x1bb", Key::Alt('b')),
            ("\x1b\x7f", Key::AltBackspace),
            ("\x01", Key::Ctrl('a')),
            ("\x1f", Key::Ctrl('_')),
            ("\x1b[24;80R", Key::Other),
            ("\x1b[[A", Key::Other),
        ] {
            assert_eq!(keys(bytes.as_bytes()), [key], "{bytes:?}");
        }
    }

    // rows: W-60
    #[test]
    fn text_is_utf8_and_bad_bytes_are_no_text() {
        assert_eq!(keys("é漢🦀".as_bytes()), [Key::Char('é'), Key::Char('漢'), Key::Char('🦀')]);
        assert_eq!(keys(b"\xffa\xc3(b"), [Key::Other, Key::Char('a'), Key::Other, Key::Char('('), Key::Char('b')]);
    }

    #[test]
    fn one_enter_of_telnet_is_one_enter() {
        assert_eq!(keys(b"y\r\nn\r\0\n"), [Key::Char('y'), Key::Enter, Key::Char('n'), Key::Enter, Key::Enter]);
    }

    #[test]
    fn a_paste_is_text_whatever_it_contains() {
        let pasted = keys(b"\x1b[200~rm -rf /\n\xff\x1b[A\x1b[201~x");
        assert_eq!(pasted, [Key::Paste("rm -rf /\n\u{fffd}\x1b[A".to_string()), Key::Char('x')]);
    }

    #[test]
    fn a_paste_without_end_cannot_take_the_keyboard_for_ever() {
        assert_eq!(keys(b"\x1b[200~lost\x03a"), [Key::Ctrl('c'), Key::Char('a')]);
    }

    #[test]
    fn a_long_paste_comes_in_pieces_and_loses_nothing() {
        let text = "\u{e9}".repeat(PASTE_PIECE);
        let mut decoder = KeyDecoder::new();
        let mut pasted = String::new();
        for chunk in format!("\x1b[200~{text}\x1b[201~x").as_bytes().chunks(1000) {
            decoder.feed(chunk);
            while let Some(key) = decoder.next_key() {
                match key {
                    Key::Paste(piece) => pasted.push_str(&piece),
                    other => assert_eq!(other, Key::Char('x')),
                }
            }
        }
        assert_eq!(pasted, text);
    }

    #[test]
    fn what_follows_an_answer_is_given_back() {
        let mut decoder = KeyDecoder::new();
        decoder.feed(b"y\r\nls\r");
        assert_eq!(decoder.next_key(), Some(Key::Char('y')));
        assert_eq!(decoder.next_key(), Some(Key::Enter));
        assert_eq!(decoder.take_rest().as_ref(), b"ls\r");
    }

    fn typed() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            "[a-zé漢\r\n\t]{0,6}".prop_map(String::into_bytes),
            prop::sample::select(vec![
                "\x1b[A",
                "\x1b[200~",
                "\x1b[201~",
                "\x1b",
                "\x1b[1;5C",
                "\x1bO",
                "\r\n",
                "\x1b[<0;1;1M"
            ])
            .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_keys(bytes in typed(), cuts in prop::collection::vec(1usize..5, 0..80)) {
            let whole = keys(&bytes);
            let mut decoder = KeyDecoder::new();
            let mut pieces = Vec::new();
            let mut rest = &bytes[..];
            for cut in cuts {
                let (now, later) = rest.split_at(cut.min(rest.len()));
                decoder.feed(now);
                pieces.extend(std::iter::from_fn(|| decoder.next_key()));
                rest = later;
            }
            decoder.feed(rest);
            pieces.extend(std::iter::from_fn(|| decoder.next_key()));
            prop_assert_eq!(whole, pieces);
        }
    }
}
