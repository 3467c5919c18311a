//! Escape sequences and control bytes: where one ends, which key it is.

use termwiz::input::{KeyCode, Modifiers};

use super::{ESC, Key};

/// Length of the escape sequence at the start; `None` while it is incomplete.
pub(super) fn sequence_length(bytes: &[u8]) -> Option<usize> {
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

pub(super) fn named(key: KeyCode, modifiers: Modifiers) -> Key {
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

pub(super) fn control(byte: u8) -> Key {
    match byte {
        b'\r' | b'\n' => Key::Enter,
        b'\t' => Key::Tab,
        0x08 | 0x7f => Key::Backspace,
        _ => Key::Ctrl(char::from((byte & 0x1f) | 0x40).to_ascii_lowercase()),
    }
}
