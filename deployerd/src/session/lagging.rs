//! A screen model that is brought up to date when somebody looks: output itself does not wait for it.
//!
//! Of a flood only the end is ever seen. What has scrolled off by then is passed over, and that is most of it: a terminal
//! emulator costs more than everything else on the way of the bytes.

use std::cell::RefCell;

use deployer_core::terminal::Size;

use super::screen::{Screen, Vt100};

/// Output that may wait for somebody to look, bytes; with more the model is brought up to date.
const BEHIND_MAX: usize = 32 * 1024;

/// A screen, and the output that it has not taken yet.
pub(crate) struct Lagging(RefCell<Model>);

struct Model {
    screen: Vt100,
    behind: Vec<u8>,
    /// The alternate screen may have been entered or left in what is behind.
    switched: bool,
}

impl Lagging {
    /// An empty screen.
    pub(crate) fn new(size: Size) -> Lagging {
        Lagging(RefCell::new(Model { screen: Vt100::new(size), behind: Vec::new(), switched: false }))
    }

    /// Where the cursor is: row and column from 0.
    pub(crate) fn cursor(&self) -> (u16, u16) {
        self.look(|screen| screen.screen().cursor_position())
    }

    fn look<T>(&self, at: impl FnOnce(&Vt100) -> T) -> T {
        let mut model = self.0.borrow_mut();
        model.catch_up();
        at(&model.screen)
    }
}

impl Screen for Lagging {
    fn feed(&mut self, bytes: &[u8]) {
        let model = self.0.get_mut();
        model.switched |= may_switch(bytes);
        model.behind.extend_from_slice(bytes);
        if model.behind.len() >= BEHIND_MAX {
            model.catch_up();
        }
    }

    fn resize(&mut self, size: Size) {
        let model = self.0.get_mut();
        model.catch_up();
        model.screen.resize(size);
    }

    fn alternate(&self) -> bool {
        let mut model = self.0.borrow_mut();
        if model.switched {
            model.catch_up();
        }
        model.screen.alternate()
    }

    fn repaint(&self) -> Vec<u8> {
        self.look(Screen::repaint)
    }

    fn cropped(&self, to: Size) -> Vec<String> {
        self.look(|screen| screen.cropped(to))
    }
}

impl Model {
    fn catch_up(&mut self) {
        self.switched = false;
        let behind = std::mem::take(&mut self.behind);
        let mut rest = behind.as_slice();
        while !rest.is_empty() {
            let lines = Lines::at(rest);
            // Lines scroll all of the screen, from its first row to its last.
            match lines.leading(self.screen.rows()).filter(|_| self.screen.is_plain()) {
                Some(gone) => {
                    self.screen.feed(&scrolled_by(&rest[..gone], self.screen.rows()));
                    self.screen.feed(&rest[gone..lines.end]);
                }
                None => self.screen.feed(&rest[..lines.end]),
            }
            rest = &rest[lines.end..];
        }
    }
}

/// Text in lines, with colours and nothing else, up to `end`; what follows there belongs to it in any case.
struct Lines<'a> {
    bytes: &'a [u8],
    end: usize,
}

impl<'a> Lines<'a> {
    /// Those at the start of `bytes`, with the one sequence or control behind them, which they end with.
    fn at(bytes: &'a [u8]) -> Lines<'a> {
        let mut end = 0;
        while let Some(found) = bytes[end..].iter().position(|byte| is_control(*byte)) {
            end += found;
            match colour(&bytes[end..]) {
                Some(length) => end += length,
                None => return Lines { bytes: &bytes[..end], end: end + 1 },
            }
        }
        Lines { bytes, end: bytes.len() }
    }

    /// How many bytes of them have scrolled off a screen with so many rows when the last has been shown; `None` when
    /// too few to matter.
    fn leading(&self, rows: usize) -> Option<usize> {
        let mut ends = self.bytes.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
        let (gone, _) = ends.by_ref().skip(rows).find(|(at, _)| self.bytes[..*at].last() == Some(&b'\r'))?;
        // The screen is to scroll by all of its rows in what is left out as well.
        (ends.take(rows).count() == rows).then_some(gone + 1)
    }
}

/// What these lines do to the screen once they have scrolled off it: it has scrolled, and colours may have changed.
fn scrolled_by(lines: &[u8], rows: usize) -> Vec<u8> {
    let mut done = Vec::new();
    let mut rest = lines;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        let length = colour(&rest[at..]).unwrap_or(1);
        done.extend_from_slice(&rest[at..at + length]);
        rest = &rest[at + length..];
    }
    done.push(b'\r');
    done.resize(done.len() + rows, b'\n');
    done
}

/// A byte that does more than to show a character or to end a line.
fn is_control(byte: u8) -> bool {
    byte < b' ' && !matches!(byte, b'\r' | b'\n' | b'\t') || byte == 0x7f
}

/// The length of the sequence that sets colours (SGR) at the start of `bytes`.
fn colour(bytes: &[u8]) -> Option<usize> {
    let parameters = bytes.strip_prefix(b"\x1b[")?;
    let end = parameters.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b';' | b':'))?;
    (parameters[end] == b'm').then_some(end + 3)
}

/// Whether these bytes may enter or leave the alternate screen: modes do, and a reset.
fn may_switch(bytes: &[u8]) -> bool {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == 0x1b) {
        rest = &rest[at + 1..];
        if rest.is_empty() || rest.starts_with(b"c") || rest.starts_with(b"[?") {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: Size = Size { rows: 3, cols: 8 };

    /// What both models show after the same output, looked at after each part.
    fn compare(size: Size, parts: &[Vec<u8>]) {
        let (mut prompt, mut lagging) = (Vt100::new(size), Lagging::new(size));
        for part in parts {
            prompt.feed(part);
            lagging.feed(part);
            assert_eq!(lagging.alternate(), prompt.alternate(), "{}", part.escape_ascii());
        }
        let (expected, repaint) = (prompt.repaint(), lagging.repaint());
        assert_eq!(repaint, expected, "{} instead of {}", repaint.escape_ascii(), expected.escape_ascii());
    }

    #[test]
    fn of_a_flood_only_the_end_is_taken() {
        let flood = b"one line\r\n\x1b[31mred\r\n".repeat(1000);
        let lines = Lines::at(&flood);
        let gone = lines.leading(3).unwrap_or_default();
        assert_eq!((lines.end, gone), (flood.len(), flood.len() - 30), "three lines and the empty one are seen");
        assert!(scrolled_by(&flood[..gone], 3).ends_with(b"\x1b[31m\r\n\n\n"));
        compare(SIZE, &[flood]);
    }

    #[test]
    fn a_region_of_the_screen_and_half_a_character_are_seen() {
        let lines = b"a\r\nb\r\nc\r\nd\r\ne\r\nf\r\ng\r\nh\r\n".to_vec();
        compare(SIZE, &[b"top\x1b[2;3r\x1b[3;1H".to_vec(), lines.clone()]);
        compare(SIZE, &["漢".as_bytes()[..1].to_vec(), lines.clone()]);
        compare(SIZE, &[b"\x1b[?1049h".to_vec(), lines, b"\x1b[?1049l".to_vec()]);
    }

    fn part() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            6 => "[a-z 漢é\t]{0,20}\r\n".prop_map(String::into_bytes),
            1 => "[a-z]{0,10}[\n\r]".prop_map(String::into_bytes),
            2 => "\x1b\\[[0-9;]{0,4}m[a-z]{0,4}".prop_map(String::into_bytes),
            1 => prop::sample::select(vec![
                &b"\x1b[2;3r"[..], b"\x1b[r", b"\x1b[2J", b"\x1b[A", b"\x1b[1;2H", b"\x1bc", b"\x1b7", b"\x1b8", b"\x1bM",
                b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?7l", b"\x1b[?6h", b"\x08", b"\x1b[4h", b"\x1b]2;t\x07", b"\xe6\xbc", b"\xff",
                b"\x0e", b"\x0f", b"\x1b(0", b"\x0b", b"\x1b[L",
            ]).prop_map(<[u8]>::to_vec),
        ];
        prop::collection::vec(line, 0..40).prop_map(|lines| lines.concat())
    }

    proptest! {
        #[test]
        fn it_shows_what_a_model_shows_that_follows_at_once(
            rows in 1u16..5,
            cols in 2u16..12,
            parts in prop::collection::vec(part(), 1..5),
        ) {
            compare(Size { rows, cols }, &parts);
        }
    }
}
