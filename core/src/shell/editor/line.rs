//! One line of text with a cursor.

use unicode_width::UnicodeWidthChar;

use crate::terminal::style;

/// Longest line, bytes; more is refused.
const LINE_MAX: usize = 64 * 1024;

/// Text and a cursor that always stands between characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    text: String,
    cursor: usize,
}

impl Line {
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn cursor(&self) -> usize {
        self.cursor
    }

    pub(super) fn left(&self) -> &str {
        &self.text[..self.cursor]
    }

    pub(super) fn right(&self) -> &str {
        &self.text[self.cursor..]
    }

    /// Another text, cursor at its end.
    pub(super) fn set(&mut self, text: &str) {
        self.text = text.to_string();
        self.cursor = self.text.len();
    }

    /// Another text with the cursor at a place in it.
    pub(super) fn set_at(&mut self, text: &str, cursor: usize) {
        self.set(text);
        self.cursor = if text.is_char_boundary(cursor) { cursor } else { text.len() };
    }

    /// Inserts at the cursor; false when the line would get too long.
    pub(super) fn insert(&mut self, text: &str) -> bool {
        if self.text.len() + text.len() > LINE_MAX {
            return false;
        }
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
        true
    }

    /// Replaces what stands between `start` and the cursor; false when the line would get too long.
    pub(super) fn replace_left(&mut self, start: usize, text: &str) -> bool {
        let start = if self.text.is_char_boundary(start) { start.min(self.cursor) } else { self.cursor };
        if self.text.len() - (self.cursor - start) + text.len() > LINE_MAX {
            return false;
        }
        self.text.replace_range(start..self.cursor, text);
        self.cursor = start + text.len();
        true
    }

    /// Takes out what stands between the cursor and `to`, wherever that is; the cursor stays in between.
    pub(super) fn cut_to(&mut self, to: usize) -> String {
        let (start, end) = if to < self.cursor { (to, self.cursor) } else { (self.cursor, to) };
        self.cursor = start;
        self.text.drain(start..end).collect()
    }

    /// Moves the cursor; false when it stands there already.
    pub(super) fn move_to(&mut self, to: usize) -> bool {
        std::mem::replace(&mut self.cursor, to) != to
    }

    /// Before the character to the left; marks that combine belong to the character before them.
    pub(super) fn previous(&self) -> usize {
        self.left().char_indices().rev().find(|(_, c)| takes_room(*c)).map_or(0, |(at, _)| at)
    }

    /// Behind the character to the right.
    pub(super) fn next(&self) -> usize {
        let mut characters = self.right().char_indices().skip(1);
        characters.find(|(_, c)| takes_room(*c)).map_or(self.text.len(), |(at, _)| self.cursor + at)
    }

    /// Start of the word to the left, words being letters and digits.
    pub(super) fn word_left(&self) -> usize {
        self.start_of(char::is_alphanumeric)
    }

    /// Start of the word to the left, words being what stands between blanks.
    pub(super) fn blank_word_left(&self) -> usize {
        self.start_of(|c| !c.is_whitespace())
    }

    fn start_of(&self, in_word: impl Fn(char) -> bool) -> usize {
        let mut start = self.cursor;
        let mut inside = false;
        for (at, c) in self.left().char_indices().rev() {
            if !in_word(c) && inside {
                break;
            }
            inside |= in_word(c);
            start = at;
        }
        start
    }

    /// End of the word to the right.
    pub(super) fn word_right(&self) -> usize {
        let mut inside = false;
        for (at, c) in self.right().char_indices() {
            if !c.is_alphanumeric() && inside {
                return self.cursor + at;
            }
            inside |= c.is_alphanumeric();
        }
        self.text.len()
    }
}

fn takes_room(c: char) -> bool {
    c.width() != Some(0)
}

/// Pasted text as it may stand in a line: line ends stay, the last one excepted; tabs become blanks, other controls
/// vanish.
pub(super) fn pasted(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let text = text.strip_suffix('\n').unwrap_or(&text);
    text.chars().filter(|c| *c == '\n' || !style::is_unsafe(*c)).collect()
}
