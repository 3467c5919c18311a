//! The screen model of a session: what a client that was away must see (row Q-09 with design 5).
//!
//! The parser is fed with bytes from hosts; a panic in it must not take the session along.

use std::fmt::Write;
use std::num::NonZeroU16;
use std::panic::{AssertUnwindSafe, catch_unwind};

use deployer_core::terminal::Size;

use super::unfinished::Unfinished;

/// What the session needs of a terminal emulator.
pub(crate) trait Screen: Send {
    /// Takes output.
    fn feed(&mut self, bytes: &[u8]);

    /// Takes a new size.
    fn resize(&mut self, size: Size);

    /// Whether programs switched to the alternate screen (editors do).
    fn alternate(&self) -> bool;

    /// Everything that makes an unknown terminal of the same size show this screen and go on from here.
    fn repaint(&self) -> Vec<u8>;

    /// What a terminal of another size shows of it: one line of bytes per row, and the cursor's place at the end.
    fn cropped(&self, to: Size) -> Vec<String>;
}

/// Puts an unknown terminal into a known state: screen and attributes cleared, modes off that a session may have set.
const KNOWN_STATE: &str = "\x1b[?1049l\x1b[r\x1b[?6l\x1b[?7h\x1b[4l\x1b(B\x0f\x1b[m\x1b[H\x1b[2J\
    \x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h";

/// [`Screen`] by the vt100 crate.
pub(crate) struct Vt100 {
    parser: vt100::Parser,
    unfinished: Unfinished,
    size: Size,
}

fn parser(size: Size) -> vt100::Parser {
    let (rows, cols) = cells(size);
    vt100::Parser::new(rows, cols, 0)
}

/// Sizes are never zero; the type of the parser says so too. One column is too narrow for a wide character.
fn cells(size: Size) -> (NonZeroU16, NonZeroU16) {
    let at_least = |value: u16, least: u16| NonZeroU16::new(value.max(least)).unwrap_or(NonZeroU16::MIN);
    (at_least(size.rows, 1), at_least(size.cols, 2))
}

impl Vt100 {
    /// An empty screen.
    pub(crate) fn new(size: Size) -> Vt100 {
        Vt100 { parser: parser(size), unfinished: Unfinished::default(), size }
    }

    /// Runs code of the parser; after a panic the model starts again, empty. The next repaint misses what was shown
    /// before, clients that follow the bytes miss nothing.
    fn guarded(&mut self, what: &str, work: impl FnOnce(&mut vt100::Parser)) {
        let parser_now = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| work(parser_now))).is_err() {
            tracing::warn!(what, "the screen model failed and was rebuilt; a repaint may be incomplete");
            self.parser = parser(self.size);
        }
    }
}

impl Screen for Vt100 {
    fn feed(&mut self, bytes: &[u8]) {
        self.unfinished.feed(bytes);
        self.guarded("feed", |parser| parser.process(bytes));
    }

    fn resize(&mut self, size: Size) {
        self.size = size;
        let (rows, cols) = cells(size);
        self.guarded("resize", |parser| parser.screen_mut().set_size(rows, cols));
        self.unfinished.resized();
    }

    fn alternate(&self) -> bool {
        self.parser.screen().alternate_screen()
    }

    fn repaint(&self) -> Vec<u8> {
        let painted = catch_unwind(AssertUnwindSafe(|| {
            let screen = self.parser.screen();
            let enter = if screen.alternate_screen() { "\x1b[?1049h\x1b[H\x1b[2J" } else { "" };
            (enter, screen.state_formatted(), screen.cursor_position(), screen.attributes_formatted())
        }));
        let mut out = KNOWN_STATE.as_bytes().to_vec();
        if let Ok((enter, state, (row, col), attributes)) = painted {
            out.extend(enter.bytes().chain(state.bytes()));
            if let Some(region) = self.unfinished.scroll_region() {
                // Setting it moves the cursor.
                out.extend(region);
                out.extend(format!("\x1b[{};{}H{attributes}", row + 1, col + 1).bytes());
            }
        }
        // The start of a sequence whose end is still to come.
        out.extend(self.unfinished.bytes());
        out
    }

    fn cropped(&self, to: Size) -> Vec<String> {
        let cropped = catch_unwind(AssertUnwindSafe(|| {
            let screen = self.parser.screen();
            let (row, col) = screen.cursor_position();
            // A screen that is too tall is shown around the cursor: people look where things happen.
            let first = usize::from(row.saturating_sub(to.rows.saturating_sub(1)));
            let width = to.cols.min(self.size.cols);
            let mut rows: Vec<String> = screen
                .rows_formatted(0, width)
                .skip(first)
                .take(usize::from(to.rows))
                .map(|row| format!("\x1b[m{row}\x1b[m\x1b[K"))
                .collect();
            rows.resize(usize::from(to.rows), "\x1b[m\x1b[K".to_string());
            let mut cursor = String::new();
            let place = (usize::from(row) - first + 1, col.min(to.cols - 1) + 1);
            // Writing to text cannot fail.
            let _always = write!(cursor, "\x1b[{};{}H", place.0, place.1);
            cursor.push_str(if screen.hide_cursor() { "\x1b[?25l" } else { "\x1b[?25h" });
            rows.push(cursor);
            rows
        }));
        cropped.unwrap_or_default()
    }
}

/// Starts a terminal of another size on cropped views.
pub(crate) fn known_state() -> &'static [u8] {
    KNOWN_STATE.as_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 8, cols: 30 };

    /// What a terminal shows, cell by cell, with cursor and modes.
    fn looks(parser: &vt100::Parser) -> String {
        let screen = parser.screen();
        let mut text = format!(
            "{:?} {:?} {:?} {} {} {}\n",
            screen.cursor_position(),
            screen.input_mode_formatted(),
            screen.attributes_formatted(),
            screen.alternate_screen(),
            screen.hide_cursor(),
            screen.bracketed_paste(),
        );
        for row in 0..SIZE.rows {
            for col in 0..SIZE.cols {
                let cell = screen.cell(row, col).unwrap();
                let _ = write!(text, "{}{:?}{:?}{}", cell.contents(), cell.fgcolor(), cell.bgcolor(), cell.bold());
            }
            text.push('\n');
        }
        text
    }

    /// Cut anywhere, even within a character: a client that comes then, into a terminal in any state, shows in the
    /// end what one shows that was there all along.
    fn check(stream: &[u8]) {
        for cut in 0..=stream.len() {
            let (before, after) = stream.split_at(cut);
            let mut there_all_along = parser(SIZE);
            there_all_along.process(stream);
            let mut model = Vt100::new(SIZE);
            model.feed(before);
            let mut newcomer = parser(SIZE);
            newcomer.process(b"\x1b[?1049h\x1b[1;31mrubbish\x1b[2;3r\x1b[?25l\x1b[?2004h");
            newcomer.process(&model.repaint());
            newcomer.process(after);
            assert_eq!(looks(&newcomer), looks(&there_all_along), "cut at {cut} of {:?}", before.escape_ascii());
        }
    }

    // rows: Q-09
    #[test]
    fn a_repaint_at_any_byte_equals_having_been_there() {
        check(b"plain text\r\nand \x1b[1;32mcolour\x1b[m, and more of it that wraps around the line\r\n");
        check("wide 漢字 and combining e\u{301} and emoji 🦀\r\n".as_bytes());
        check(b"\x1b[?2004h\x1b[?1h\x1b=prompt\x1b[3D\x1b[K\x1b[?25l");
        check(b"\x1b]0;a title\x07after\x1b]2;another\x1b\\end \x1bP1$r0m\x1b\\x");
        check(b"one\r\ntwo\r\nthree\x1b[2;4r\x1b[4;1H\nmore\nlines\x1b[r\x1b[8;1Hbottom");
        check(b"\x1b[38;2;10;20;30mtrue\x1b[48;5;200mcolour\x1b[0m\x08\x08\x1b[2Pshort\x1b[5;5H\x1b[1J");
    }

    #[test]
    fn a_newcomer_sees_the_alternate_screen() {
        let mut model = Vt100::new(SIZE);
        model.feed(b"shell\x1b[?1049h\x1b[Heditor");
        let mut newcomer = parser(SIZE);
        newcomer.process(&model.repaint());
        assert!(newcomer.screen().alternate_screen() && model.alternate());
        assert_eq!(newcomer.screen().contents(), "editor");
    }

    #[test]
    fn a_smaller_terminal_sees_the_part_around_the_cursor() {
        let mut model = Vt100::new(SIZE);
        model.feed(b"1\r\n2\r\n3\r\n4\r\n5 is a line that is too long");
        let mut small = vt100::Parser::new(NonZeroU16::new(2).unwrap(), NonZeroU16::new(10).unwrap(), 0);
        let rows = model.cropped(Size { rows: 2, cols: 10 });
        for (i, row) in rows.iter().enumerate() {
            small.process(format!("\x1b[{};1H{row}", i + 1).as_bytes());
        }
        assert_eq!(small.screen().contents(), "4\n5 is a lin");
        assert_eq!(small.screen().cursor_position(), (1, 9));
    }

    #[test]
    fn the_smallest_and_the_largest_screens_hold() {
        for size in [Size { rows: 1, cols: 2 }, Size { rows: 1000, cols: 2000 }] {
            let mut model = Vt100::new(size);
            model.feed("漢字\r\n漢\x1b[999;999H漢".as_bytes());
            model.resize(Size { rows: 2, cols: 3 });
            model.feed("漢字漢字".as_bytes());
            model.resize(size);
            assert!(!model.repaint().is_empty());
        }
    }
}
