//! What a screen model does not tell and a repaint must: the bytes of a sequence whose end has not come yet, and the
//! scroll region.

/// Longest start of a sequence that is kept; of a longer one (an endless title) the rest would be shown as text.
const KEPT_MAX: usize = 4096;

/// Follows a stream of terminal bytes.
#[derive(Debug, Default)]
pub(crate) struct Unfinished {
    bytes: Vec<u8>,
    state: State,
    region: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Between sequences.
    #[default]
    Ground,
    /// In a character; this many bytes are missing.
    Character(u8),
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte.
    Intermediate,
    /// After ESC and `[`.
    Control,
    /// In a string that ends with ST (or BEL): titles, device control.
    Text,
    /// In such a string, after ESC.
    TextEscape,
}

impl Unfinished {
    /// Takes output.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // The common case, and why this is cheap.
            if self.state == State::Ground && (0x20..0x7f).contains(&byte) {
                continue;
            }
            self.step(byte);
        }
    }

    /// The bytes of the sequence that has begun and not ended.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of a character of which some are missing.
    pub(crate) fn character(&self) -> &[u8] {
        match self.state {
            State::Character(_) => &self.bytes,
            _ => &[],
        }
    }

    /// The sequence that sets the scroll region, when one is set.
    pub(crate) fn scroll_region(&self) -> Option<&[u8]> {
        self.region.as_deref()
    }

    /// A new size resets the scroll region.
    pub(crate) fn resized(&mut self) {
        self.region = None;
    }

    fn step(&mut self, byte: u8) {
        let next = match (self.state, byte) {
            // These cancel or restart whatever there is.
            (_, 0x18 | 0x1a) => State::Ground,
            (State::Text, 0x1b) => State::TextEscape,
            (State::Text, 0x07) => State::Ground,
            (State::Text, _) => State::Text,
            (_, 0x1b) => {
                self.bytes.clear();
                State::Escape
            }
            // A string ends with ST; any other sequence after ESC has ended it as well.
            (State::Escape | State::TextEscape, _) => self.after_escape(byte),
            (State::Intermediate, 0x20..=0x2f) => State::Intermediate,
            (State::Control, 0x00..=0x3f) => State::Control,
            (State::Control, b'r') => {
                self.bytes.push(byte);
                self.set_region();
                State::Ground
            }
            (State::Character(missing), 0x80..=0xbf) if missing > 1 => State::Character(missing - 1),
            (State::Character(_), 0x80..=0xbf) => State::Ground,
            (State::Ground | State::Character(_), _) => {
                self.bytes.clear();
                character(byte)
            }
            (State::Intermediate | State::Control, _) => State::Ground,
        };
        self.state = next;
        if next == State::Ground || self.bytes.len() >= KEPT_MAX {
            self.bytes.clear();
        } else if !self.obeyed_already(byte) {
            self.bytes.push(byte);
        }
    }

    /// A line feed within a sequence takes effect at once, the model has done it.
    fn obeyed_already(&self, byte: u8) -> bool {
        byte < 0x20 && byte != 0x1b && matches!(self.state, State::Escape | State::Intermediate | State::Control)
    }

    fn after_escape(&mut self, byte: u8) -> State {
        if self.state == State::TextEscape {
            self.bytes.clear();
            self.bytes.push(0x1b);
        }
        match byte {
            b'[' => State::Control,
            b']' | b'P' | b'X' | b'^' | b'_' => State::Text,
            0x20..=0x2f => State::Intermediate,
            b'c' => {
                self.region = None;
                State::Ground
            }
            // A control character within is obeyed and the sequence goes on.
            0x00..=0x1f => State::Escape,
            _ => State::Ground,
        }
    }

    fn set_region(&mut self) {
        let parameters = self.bytes.strip_prefix(b"\x1b[").and_then(|rest| rest.strip_suffix(b"r")).unwrap_or_default();
        if parameters.iter().all(|byte| byte.is_ascii_digit() || *byte == b';') {
            self.region = (!parameters.is_empty()).then(|| self.bytes.clone());
        }
    }
}

fn character(first: u8) -> State {
    match first {
        0xc2..=0xdf => State::Character(1),
        0xe0..=0xef => State::Character(2),
        0xf0..=0xf4 => State::Character(3),
        _ => State::Ground,
    }
}

#[cfg(test)]
mod tests {
    use super::Unfinished;

    fn check(stream: &[u8], unfinished: &[u8]) {
        let mut whole = Unfinished::default();
        whole.feed(stream);
        assert_eq!(whole.bytes(), unfinished, "{}", stream.escape_ascii());
        let mut bytewise = Unfinished::default();
        stream.iter().for_each(|byte| bytewise.feed(&[*byte]));
        assert_eq!(bytewise.bytes(), unfinished);
    }

    #[test]
    fn only_the_start_of_what_has_not_ended_is_kept() {
        check(b"text", b"");
        check(b"text\x1b", b"\x1b");
        check(b"\x1b[1;3", b"\x1b[1;3");
        check(b"\x1b[1;3m", b"");
        check(b"\x1b]0;title", b"\x1b]0;title");
        check(b"\x1b]0;title\x07", b"");
        check(b"\x1b]0;title\x1b", b"\x1b]0;title\x1b");
        check(b"\x1b]0;title\x1b\\", b"");
        check(b"\x1b]0;title\x1b[3", b"\x1b[3");
        check(b"\x1bP1$", b"\x1bP1$");
        check(b"\x1b(", b"\x1b(");
        check(b"\x1b(B", b"");
        check(b"\x1b[3\x18x", b"");
        check("漢".as_bytes(), b"");
        check(&"漢".as_bytes()[..2], &"漢".as_bytes()[..2]);
        check(b"\xe6\xbcx", b"");
        check(b"\x1b[1\n;3", b"\x1b[1;3");
    }

    #[test]
    fn an_endless_title_is_not_kept() {
        let mut unfinished = Unfinished::default();
        unfinished.feed(b"\x1b]0;");
        unfinished.feed(&[b'x'; 100_000]);
        assert!(unfinished.bytes().len() <= super::KEPT_MAX);
    }

    #[test]
    fn the_scroll_region_is_known() {
        let mut unfinished = Unfinished::default();
        unfinished.feed(b"\x1b[2;10r\x1b[?7r");
        assert_eq!(unfinished.scroll_region(), Some(&b"\x1b[2;10r"[..]));
        unfinished.feed(b"\x1b[r");
        assert_eq!(unfinished.scroll_region(), None);
    }
}
