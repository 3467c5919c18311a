//! The bytes a program writes to a terminal, as the lines a person would have read.

/// Longest line kept, bytes. Longer ones are cut with a mark.
const LINE_MAX: usize = 64 * 1024;
/// Longest parameters of a control sequence that are looked at, bytes.
const PARAMETERS_MAX: usize = 48;
/// Colours that may be carried over a line end, bytes.
const CARRIED_MAX: usize = 256;

/// Turns output into whole lines, whatever the chunks: keeps colour (carried over line ends, reset at each), tabs and
/// text; drops cursor movement, titles and other controls. A carriage return restarts the line, so that a progress
/// bar shows its last state.
pub struct LineFilter {
    colour: bool,
    state: State,
    parameters: Vec<u8>,
    line: Vec<u8>,
    /// Behind the last colour in `line`; backspace does not reach beyond it.
    after_colour: usize,
    /// Colours in force.
    style: Vec<u8>,
    /// A carriage return came; the next character restarts the line.
    returned: bool,
    /// Bytes of this line that were cut.
    cut: usize,
    /// Something of this line was written, even if it shows nothing.
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    Escape,
    /// Escape with intermediate bytes.
    Intermediate,
    Control,
    /// A control sequence that is too long or has bytes it must not have.
    Ignored,
    /// A title and the like, until its end mark.
    Title,
    TitleEscape,
}

impl LineFilter {
    /// A filter that keeps colours, or drops them too.
    pub fn new(colour: bool) -> LineFilter {
        LineFilter {
            colour,
            state: State::Text,
            parameters: Vec::new(),
            line: Vec::new(),
            after_colour: 0,
            style: Vec::new(),
            returned: false,
            cut: 0,
            begun: false,
        }
    }

    /// Takes output; gives the lines that it completed, without line ends.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for &byte in bytes {
            if byte == b'\n' {
                self.state = State::Text;
                lines.push(self.end_line());
            } else {
                self.byte(byte);
            }
        }
        lines
    }

    /// The last line, when it was begun and never ended.
    pub fn finish(&mut self) -> Option<String> {
        self.state = State::Text;
        let begun = self.begun;
        let line = self.end_line();
        begun.then_some(line)
    }

    fn byte(&mut self, byte: u8) {
        // Cancel ends any sequence, as terminals do.
        if matches!(byte, 0x18 | 0x1a) {
            self.state = State::Text;
            return;
        }
        self.state = match (self.state, byte) {
            (State::Text, 0x1b) => State::Escape,
            (State::Text, _) => {
                self.text(byte);
                State::Text
            }
            (State::Title, 0x07) => State::Text,
            (State::Title, 0x1b) => State::TitleEscape,
            (State::Title, _) => State::Title,
            (State::TitleEscape, b'\\') => State::Text,
            (_, 0x1b) => State::Escape,
            (State::Escape | State::TitleEscape, b'[') => {
                self.parameters.clear();
                State::Control
            }
            (State::Escape | State::TitleEscape, b']' | b'P' | b'X' | b'^' | b'_') => State::Title,
            (State::Escape | State::TitleEscape | State::Intermediate, 0x20..0x30) => State::Intermediate,
            (State::Escape | State::TitleEscape | State::Intermediate, 0x30..) => State::Text,
            (State::Control, 0x30..0x3c) if self.parameters.len() < PARAMETERS_MAX => {
                self.parameters.push(byte);
                State::Control
            }
            (State::Control | State::Ignored, 0x20..0x40) => State::Ignored,
            (State::Control, 0x40..0x7f) => {
                self.control(byte);
                State::Text
            }
            (State::Ignored, 0x40..) | (State::Control, 0x7f..) => State::Text,
            // Other controls within a sequence: terminals execute them; here they show nothing.
            (state, _) => state,
        };
    }

    fn text(&mut self, byte: u8) {
        match byte {
            b'\r' => self.returned = true,
            0x08 => self.backspace(),
            b'\t' | 0x20..=0x7e | 0x80.. => {
                if std::mem::take(&mut self.returned) {
                    self.restart();
                }
                self.begun = true;
                if self.line.len() < LINE_MAX && self.cut == 0 {
                    self.line.push(byte);
                } else {
                    self.cut += 1;
                }
            }
            _ => {}
        }
    }

    fn backspace(&mut self) {
        if self.returned || self.cut > 0 {
            return;
        }
        while self.line.len() > self.after_colour {
            let last = self.line.pop();
            if last.is_none_or(|byte| byte & 0xc0 != 0x80) {
                break;
            }
        }
    }

    fn control(&mut self, last: u8) {
        match (last, self.parameters.as_slice()) {
            (b'm', _) => self.colour(),
            // To column one: a carriage return by another name.
            (b'G', b"" | b"0" | b"1") => self.returned = true,
            // Erase the line, or the rest of it after a carriage return.
            (b'K', b"2") => self.restart(),
            (b'K', b"" | b"0") if self.returned => self.restart(),
            _ => {}
        }
    }

    fn colour(&mut self) {
        if !self.colour {
            return;
        }
        let reset = self.parameters.iter().all(|byte| matches!(byte, b'0' | b';'));
        if reset || self.parameters.starts_with(b"0;") {
            self.style.clear();
        }
        let sequence = [b"\x1b[", self.parameters.as_slice(), b"m"].concat();
        if !reset && self.style.len() + sequence.len() <= CARRIED_MAX {
            self.style.extend_from_slice(&sequence);
        }
        if self.returned {
            return;
        }
        if self.line.len() + sequence.len() <= LINE_MAX && self.cut == 0 {
            self.line.extend_from_slice(&sequence);
            self.after_colour = self.line.len();
        }
    }

    /// Begins the line again, in the colours in force.
    fn restart(&mut self) {
        self.line.clear();
        self.line.extend_from_slice(&self.style);
        self.after_colour = self.line.len();
        self.cut = 0;
    }

    fn end_line(&mut self) -> String {
        let mut line = shown(&self.line);
        if self.line.contains(&0x1b) {
            line.push_str("\x1b[0m");
        }
        if self.cut > 0 {
            line.push_str(&format!("... ({} bytes cut)", self.cut));
        }
        self.returned = false;
        self.begun = false;
        self.restart();
        line
    }
}

/// Text of a line: UTF-8, without the controls that hide in it (the only escapes left are our colours).
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().filter(|c| !('\u{7f}'..='\u{9f}').contains(c)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(colour: bool, bytes: &[u8]) -> Vec<String> {
        let mut filter = LineFilter::new(colour);
        let mut lines = filter.push(bytes);
        lines.extend(filter.finish());
        lines
    }

    #[test]
    fn what_a_person_would_have_read() {
        for (bytes, expected) in [
            ("one\r\ntwo\nthree", &["one", "two", "three"][..]),
            ("10%\r50%\r100%\r\ndone\n", &["100%", "done"]),
            ("90%\r\x1b[Kready\n", &["ready"]),
            ("90%\r\x1b[K\n", &[""]),
            ("1\x1b[1G2\n", &["2"]),
            ("|\x08/\x08-\n", &["-"]),
            ("a\tb\n", &["a\tb"]),
            ("\x1b]0;title\x07x\x1b[2J\x1b[3;4Hy\x1b(B\x1b[?25lz\n", &["xyz"]),
            ("\x1b]52;c;secret\x1b\\after\n", &["after"]),
            ("\x1b]0;never ended\nnext\n", &["", "next"]),
            ("bell\x07 null\0 \u{9b}2J\n", &["bell null 2J"]),
            ("\n\n", &["", ""]),
            ("", &[]),
            ("\r", &[]),
        ] {
            assert_eq!(lines(false, bytes.as_bytes()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn colour_is_reset_at_the_line_end_and_goes_on_in_the_next() {
        assert_eq!(
            lines(true, b"\x1b[31mred\nstill\x1b[0m no\nplain\n"),
            ["\x1b[31mred\x1b[0m", "\x1b[31mstill\x1b[0m no\x1b[0m", "plain"]
        );
        assert_eq!(lines(false, b"\x1b[31mred\n"), ["red"]);
    }

    #[test]
    fn an_endless_line_is_cut() {
        let line = lines(false, &vec![b'x'; LINE_MAX + 5]);
        assert_eq!(line.len(), 1);
        assert!(line[0].ends_with("xx... (5 bytes cut)"), "{}", &line[0][LINE_MAX - 5..]);
    }

    fn output() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            any::<u8>().prop_map(|byte| vec![byte]),
            "[a-z é漢\r\n\t]{0,8}".prop_map(String::into_bytes),
            prop::sample::select(vec!["\x1b[31m", "\x1b[0m", "\x1b[K", "\x1b]0;t", "\x07", "\x1b\\", "\x1b[1G", "\r"])
                .prop_map(|text| text.as_bytes().to_vec()),
        ];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_lines(bytes in output(), size in 1usize..7) {
            let mut filter = LineFilter::new(true);
            let mut pieces: Vec<String> = bytes.chunks(size).flat_map(|chunk| filter.push(chunk)).collect();
            pieces.extend(filter.finish());
            prop_assert_eq!(lines(true, &bytes), pieces);
        }

        #[test]
        fn nothing_but_colour_is_left(bytes in output()) {
            for line in lines(true, &bytes) {
                let mut rest = line.as_str();
                while let Some(at) = rest.find(|c: char| c.is_control() && c != '\t') {
                    let end = rest[at..].find('m').expect("a colour ends");
                    prop_assert!(rest[at..].starts_with("\x1b["));
                    prop_assert!(rest[at + 2..at + end].bytes().all(|b| b.is_ascii_digit() || b == b';' || b == b':'));
                    rest = &rest[at + end + 1..];
                }
            }
        }
    }
}
