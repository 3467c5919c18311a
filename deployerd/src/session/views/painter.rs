//! Pictures as bytes: only rows that changed, then the cursor.

use std::fmt::Write;

use super::draw::Picture;

/// What the terminal shows.
#[derive(Default)]
pub(super) struct Painter {
    rows: Vec<String>,
    modes: String,
    cursor: Option<(u16, u16)>,
}

/// No modes of programs.
const NO_MODES: &str = "\x1b[?1l\x1b>\x1b[?2004l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l";

impl Painter {
    /// The terminal shows something else by now.
    pub(super) fn forget(&mut self) {
        *self = Painter::default();
    }

    /// The bytes that make the terminal show the picture.
    pub(super) fn paint(&mut self, picture: Picture) -> Vec<u8> {
        let mut out = String::new();
        for (at, row) in picture.rows.iter().enumerate() {
            if self.rows.get(at) != Some(row) {
                // The line is cleared first: behind the last column, clearing would take the last character along.
                // Writing to text cannot fail.
                let _always = write!(out, "\x1b[{};1H\x1b[m\x1b[2K{row}", at + 1);
            }
        }
        if picture.rows.len() < self.rows.len() {
            let _always = write!(out, "\x1b[{};1H\x1b[m\x1b[J", picture.rows.len() + 1);
        }
        if picture.modes != self.modes {
            out.push_str(NO_MODES);
            out.push_str(&picture.modes);
        }
        if !out.is_empty() || picture.cursor != self.cursor {
            out.insert_str(0, "\x1b[?25l");
            if let Some((row, col)) = picture.cursor {
                let _always = write!(out, "\x1b[{};{}H\x1b[?25h", row + 1, col + 1);
            }
        }
        self.cursor = picture.cursor;
        self.rows = picture.rows;
        self.modes = picture.modes;
        out.into_bytes()
    }
}
