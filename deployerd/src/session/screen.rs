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
    \x1b7\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h";

/// [`Screen`] by the vt100 crate.
pub(crate) struct Vt100 {
    parser: vt100::Parser<Title>,
    unfinished: Unfinished,
    /// The start of a character whose end has not come: given a part of one, the parser loses what follows.
    held: Vec<u8>,
    size: Size,
    /// What saves the cursor again as a program has saved it (DECSC), on the main and on the alternate screen: for a
    /// terminal with plain attributes and the cursor at home.
    saved: [String; 2],
}

/// The title of the window, which the model itself does not keep.
#[derive(Default)]
struct Title(Vec<u8>);

/// Longest title that a repaint restores, bytes.
const TITLE_MAX: usize = 1024;

impl vt100::Callbacks for Title {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.0 = title[..title.len().min(TITLE_MAX)].to_vec();
    }
}

fn parser(size: Size) -> vt100::Parser<Title> {
    let (rows, cols) = cells(size);
    vt100::Parser::new_with_callbacks(rows, cols, 0, Title::default())
}

/// Sizes are never zero; the type of the parser says so too. One column is too narrow for a wide character.
pub(super) fn cells(size: Size) -> (NonZeroU16, NonZeroU16) {
    let at_least = |value: u16, least: u16| NonZeroU16::new(value.max(least)).unwrap_or(NonZeroU16::MIN);
    (at_least(size.rows, 1), at_least(size.cols, 2))
}

impl Vt100 {
    /// An empty screen.
    pub(crate) fn new(size: Size) -> Vt100 {
        Vt100 {
            parser: parser(size),
            unfinished: Unfinished::default(),
            held: Vec::new(),
            size,
            saved: Default::default(),
        }
    }

    /// What it shows.
    pub(crate) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// How many rows it has.
    pub(crate) fn rows(&self) -> usize {
        usize::from(cells(self.size).0.get())
    }

    /// Nothing has begun that did not end, and lines scroll all of the screen.
    pub(crate) fn is_plain(&self) -> bool {
        self.unfinished.bytes().is_empty() && self.held.is_empty() && self.unfinished.scroll_region().is_none()
    }

    /// What it shows, as text.
    pub(crate) fn text(&self) -> String {
        catch_unwind(AssertUnwindSafe(|| self.parser.screen().contents())).unwrap_or_default()
    }

    /// The title that programs have given the window.
    #[cfg(test)]
    pub(crate) fn title(&self) -> String {
        String::from_utf8_lossy(&self.parser.callbacks().0).into_owned()
    }

    /// Runs code of the parser; after a panic the model starts again, empty. The next repaint misses what was shown
    /// before, clients that follow the bytes miss nothing.
    fn guarded(&mut self, what: &str, work: impl FnOnce(&mut vt100::Parser<Title>)) {
        let parser_now = &mut self.parser;
        if catch_unwind(AssertUnwindSafe(|| work(parser_now))).is_err() {
            tracing::warn!(what, "the screen model failed and was rebuilt; a repaint may be incomplete");
            self.parser = parser(self.size);
        }
    }
}

/// DECSC.
const SAVE_CURSOR: &[u8] = b"\x1b7";

impl Vt100 {
    /// Where the first DECSC of some output ends.
    fn end_of_save(&self, bytes: &[u8]) -> Option<usize> {
        if self.unfinished.bytes() == b"\x1b" && bytes.first() == Some(&b'7') {
            return Some(1);
        }
        bytes.windows(SAVE_CURSOR.len()).position(|window| window == SAVE_CURSOR).map(|at| at + SAVE_CURSOR.len())
    }

    /// The parser keeps to itself what was saved; it is what was there at that moment.
    fn note_saved(&mut self) {
        let screen = self.parser.screen();
        let (row, col) = screen.cursor_position();
        let columns = screen.size().1.get();
        let attributes = screen.attributes_formatted();
        // What a known state has anyway needs no words.
        let as_known = (row, col) == (0, 0) && attributes == "\x1b[m";
        self.saved[usize::from(screen.alternate_screen())] = match as_known {
            true => String::new(),
            // Behind the last column the next character wraps, which only a character in that column brings about.
            false if col >= columns => format!("{attributes}\x1b[{};{columns}H \x1b7\x1b[m\x1b[H", row + 1),
            false => format!("{attributes}\x1b[{};{}H\x1b7\x1b[m\x1b[H", row + 1, col + 1),
        };
    }

    fn feed_piece(&mut self, bytes: &[u8]) {
        self.unfinished.feed(bytes);
        let missing_end = self.unfinished.character().len();
        if self.held.is_empty() && missing_end == 0 {
            return self.guarded("feed", |parser| parser.process(bytes));
        }
        let mut whole = std::mem::take(&mut self.held);
        whole.extend_from_slice(bytes);
        self.held = whole.split_off(whole.len().saturating_sub(missing_end));
        self.guarded("feed", |parser| parser.process(&whole));
    }
}

impl Screen for Vt100 {
    fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(end) = self.end_of_save(bytes) {
            self.feed_piece(&bytes[..end]);
            self.note_saved();
            bytes = &bytes[end..];
        }
        self.feed_piece(bytes);
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
            let enter = format!("{enter}{}", self.saved[usize::from(screen.alternate_screen())]);
            (enter, screen.state_formatted(), screen.cursor_state_formatted(), screen.attributes_formatted())
        }));
        let mut out = KNOWN_STATE.as_bytes().to_vec();
        let title = &self.parser.callbacks().0;
        if !title.is_empty() {
            out.extend([b"\x1b]2;", title.as_slice(), b"\x07"].concat());
        }
        if let Ok((enter, state, cursor, attributes)) = painted {
            out.extend(enter.bytes().chain(state.bytes()));
            if let Some(region) = self.unfinished.scroll_region() {
                // Setting it moves the cursor, which then is restored on the assumption of plain attributes.
                out.extend(region);
                out.extend("\x1b[m".bytes().chain(cursor.bytes()).chain(attributes.bytes()));
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
#[path = "screen_tests.rs"]
mod tests;
