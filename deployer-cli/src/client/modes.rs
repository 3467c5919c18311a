//! What a session has switched on in the operator's terminal, so that it can be switched off on the way out.
//!
//! Only what is on is undone: some terminals move the cursor when told to leave an alternate screen that they are
//! not on.

use std::collections::BTreeSet;

/// Longest sequence that is looked at; longer ones are no mode changes.
const SEQUENCE_MAX: usize = 64;

/// Modes that a terminal has when nobody asked for anything: autowrap, cursor shown.
const ON_BY_DEFAULT: [u16; 2] = [7, 25];

/// Modes that are put back. Others (such as synchronized output) end by themselves or are the user's own.
const KNOWN: [u16; 19] = [1, 5, 6, 7, 9, 25, 47, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1047, 1049, 2004, 2026];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Ground,
    Escape,
    Csi,
    /// Operating system command and its like: text until BEL or ST.
    Text,
}

/// Follows the bytes that a terminal is shown.
#[derive(Debug, Default)]
pub(crate) struct Modes {
    place: Place,
    sequence: Vec<u8>,
    /// Modes that differ from what they are by default.
    changed: BTreeSet<u16>,
    keypad: bool,
    graphics: bool,
    region: bool,
    cursor_shape: bool,
    keyboard: u16,
    modify_other_keys: bool,
    mid_line: bool,
}

impl Modes {
    /// Takes note of what is shown.
    pub(crate) fn follow(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.step(byte);
        }
    }

    /// Whether the last byte shown was other than a line's end.
    pub(crate) fn mid_line(&self) -> bool {
        self.mid_line
    }

    /// What puts the terminal back, for a terminal that has been shown all that was followed. An unfinished
    /// sequence is cancelled first, attributes are always reset.
    pub(crate) fn undo(&self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.place {
            Place::Ground => {}
            Place::Text => out.extend(b"\x1b\\"),
            Place::Escape | Place::Csi => out.push(0x18),
        }
        // The alternate screen first: the rest then holds for the screen that stays.
        let (screens, others): (Vec<_>, Vec<_>) =
            self.changed.iter().partition(|mode| [47, 1047, 1049].contains(*mode));
        for mode in screens.into_iter().chain(others) {
            let end = if ON_BY_DEFAULT.contains(mode) { 'h' } else { 'l' };
            out.extend(format!("\x1b[?{mode}{end}").bytes());
        }
        if self.region {
            out.extend(b"\x1b7\x1b[r\x1b8");
        }
        if self.keypad {
            out.extend(b"\x1b>");
        }
        if self.graphics {
            out.extend(b"\x0f\x1b(B");
        }
        if self.cursor_shape {
            out.extend(b"\x1b[0 q");
        }
        if self.keyboard > 0 {
            out.extend(format!("\x1b[<{}u", self.keyboard).bytes());
        }
        if self.modify_other_keys {
            out.extend(b"\x1b[>4;0m");
        }
        out.extend(b"\x1b[0m");
        out
    }

    fn step(&mut self, byte: u8) {
        match (self.place, byte) {
            (Place::Text, 0x07) => self.place = Place::Ground,
            (_, 0x1b) => {
                self.place = Place::Escape;
                self.sequence.clear();
            }
            (_, 0x18 | 0x1a) => self.place = Place::Ground,
            (Place::Text, _) => {}
            (Place::Escape, b'[') => self.place = Place::Csi,
            (Place::Escape, b']' | b'P' | b'X' | b'^' | b'_') => self.place = Place::Text,
            (Place::Escape, b' '..=b'/') => self.remember(byte),
            (Place::Escape, b'0'..=b'~') => {
                self.place = Place::Ground;
                self.escape(byte);
            }
            (Place::Csi, b' '..=b'?') => self.remember(byte),
            (Place::Csi, b'@'..=b'~') => {
                self.place = Place::Ground;
                self.csi(byte);
            }
            (Place::Ground, 0x0e) => self.graphics = true,
            (Place::Ground, _) => self.mid_line = byte != b'\n' && (self.mid_line || byte != b'\r'),
            (Place::Escape | Place::Csi, _) => {}
        }
    }

    fn remember(&mut self, byte: u8) {
        if self.sequence.len() < SEQUENCE_MAX {
            self.sequence.push(byte);
        }
    }

    fn escape(&mut self, end: u8) {
        match (self.sequence.as_slice(), end) {
            (b"", b'=') => self.keypad = true,
            (b"", b'>') => self.keypad = false,
            (b"", b'c') => *self = Modes::default(),
            (b"(" | b")", _) => self.graphics = end != b'B',
            _ => {}
        }
    }

    fn csi(&mut self, end: u8) {
        let sequence = std::mem::take(&mut self.sequence);
        match (sequence.as_slice(), end) {
            ([b'?', modes @ ..], b'h' | b'l') => self.set(modes, end == b'h'),
            (region, b'r') if !region.starts_with(b"?") => self.region = !region.is_empty(),
            ([shape @ .., b' '], b'q') => self.cursor_shape = !matches!(shape, b"" | b"0"),
            ([b'>', ..], b'u') => self.keyboard = self.keyboard.saturating_add(1),
            ([b'<', count @ ..], b'u') => self.keyboard = self.keyboard.saturating_sub(number(count).unwrap_or(1)),
            ([b'>', b'4', b';', value @ ..], b'm') => {
                self.modify_other_keys = number(value).is_some_and(|value| value > 0)
            }
            ([b'>', b'4'], b'm') => self.modify_other_keys = false,
            (b"!", b'p') => *self = Modes { mid_line: self.mid_line, ..Modes::default() },
            _ => {}
        }
    }

    fn set(&mut self, modes: &[u8], on: bool) {
        for mode in modes.split(|byte| *byte == b';').filter_map(number) {
            if !KNOWN.contains(&mode) {
                continue;
            }
            if on == ON_BY_DEFAULT.contains(&mode) {
                self.changed.remove(&mode);
            } else {
                self.changed.insert(mode);
            }
        }
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(shown: &[u8]) -> String {
        let mut whole = Modes::default();
        whole.follow(shown);
        let mut bytewise = Modes::default();
        for byte in shown {
            bytewise.follow(&[*byte]);
        }
        assert_eq!(whole.undo(), bytewise.undo());
        String::from_utf8_lossy(&whole.undo()).replace('\x1b', "^")
    }

    #[test]
    fn what_was_switched_on_is_switched_off() {
        for (shown, undone) in [
            (&b"plain \x1b[31mred"[..], "^[0m"),
            (b"\x1b[?1049h\x1b[?25l", "^[?1049l^[?25h^[0m"),
            (b"\x1b[?25l\x1b[?1000;1006h\x1b[?2004h\x1b[?1049h", "^[?1049l^[?25h^[?1000l^[?1006l^[?2004l^[0m"),
            (b"\x1b[?1049h vim \x1b[?1049l", "^[0m"),
            (b"\x1b[?25l\x1b[?25h", "^[0m"),
            (b"\x1b[?7l\x1b[?9999h", "^[?7h^[0m"),
            (b"\x1b=\x1b(0lqk", "^>\x0f^(B^[0m"),
            (b"\x1b=\x1b>\x1b(0lqk\x1b(B", "^[0m"),
            (b"\x1b[2;10r", "^7^[r^8^[0m"),
            (b"\x1b[2;10r\x1b[r", "^[0m"),
            (b"\x1b[4 q\x1b[>1u\x1b[>4;2m", "^[0 q^[<1u^[>4;0m^[0m"),
            (b"\x1b[?1049h\x1b[?25l\x1bc", "^[0m"),
        ] {
            assert_eq!(undo(shown), undone, "{}", shown.escape_ascii());
        }
    }

    #[test]
    fn an_unfinished_sequence_is_ended_first() {
        assert_eq!(undo(b"\x1b[38;5"), "\x18^[0m");
        assert_eq!(undo(b"\x1b]0;a title"), "^\\^[0m");
        assert_eq!(undo(b"\x1b]0;\x1b[?25l is no mode here\x07"), "^[?25h^[0m");
    }

    #[test]
    fn a_line_without_its_end_is_known() {
        for (shown, mid_line) in
            [(&b""[..], false), (b"a", true), (b"a\r\n", false), (b"a\n\x1b[0m", false), (b"a\r", true), (b"\r", false)]
        {
            let mut modes = Modes::default();
            modes.follow(shown);
            assert_eq!(modes.mid_line(), mid_line, "{}", shown.escape_ascii());
        }
    }
}
