//! Colours for people, and text from strangers made harmless.

use std::time::Duration;

use super::Terminal;
use crate::node::Color;

/// How a piece of text looks. Never the only carrier of a meaning: every colour goes with a word or a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Style {
    Plain,
    Bold,
    Dim,
    Grey,
    Red,
    BoldRed,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
    White,
}

impl Style {
    fn code(self) -> &'static str {
        match self {
            Style::Plain => "",
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Grey => "90",
            Style::Red => "31",
            Style::BoldRed => "1;31",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Blue => "34",
            Style::Magenta => "35",
            Style::Cyan => "36",
            Style::White => "37",
        }
    }

    /// The text in this style when `colour` is on, else as it is.
    pub fn paint(self, colour: bool, text: &str) -> String {
        if !colour || text.is_empty() || self == Style::Plain {
            return text.to_string();
        }
        format!("\x1b[{}m{text}\x1b[0m", self.code())
    }
}

/// Colours of groups as they are shown (rows J-02, J-07).
impl From<Color> for Style {
    fn from(color: Color) -> Style {
        match color {
            Color::Grey => Style::Grey,
            Color::Red => Style::Red,
            Color::Green => Style::Green,
            Color::Yellow => Style::Yellow,
            Color::Blue => Style::Blue,
            Color::Magenta => Style::Magenta,
            Color::Cyan => Style::Cyan,
            Color::White => Style::White,
        }
    }
}

/// Whether a character can change what a terminal shows beside itself: controls of both sets, and the marks that
/// turn the direction of writing.
pub fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Text from a host or a file with every control character written out (`\n`, `\x1b`), on one line.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !is_unsafe(c) => out.push(c),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x100 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        }
    }
    out
}

/// The same for text of several lines: line ends stay, tabs become blanks, at most `lines` lines.
pub fn escaped_lines(text: &str, lines: usize) -> Vec<String> {
    text.lines().take(lines).map(|line| escaped(&line.replace('\t', "    "))).collect()
}

/// Columns that a text takes.
pub fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

/// A time that changes once a second, in minutes and seconds, hours when there are any: `0:07`, `1:02:03`.
pub fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds / 3600 {
        0 => format!("{}:{:02}", seconds / 60, seconds % 60),
        hours => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
    }
}

/// A line that takes the place of the one the cursor is in, cut so that it does not wrap.
pub(crate) fn in_place(line: &str, terminal: &dyn Terminal) -> Vec<u8> {
    let columns = usize::from(terminal.size().borrow().cols).saturating_sub(1);
    format!("\r\x1b[K{}", cut(line, columns)).into_bytes()
}

/// The text cut to a number of columns, with `...` where something is missing and there is room to say so.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_string();
    }
    let mark = if columns >= 6 { "..." } else { "" };
    let mut out = String::new();
    let mut used = mark.len();
    for c in text.chars() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if used > columns {
            break;
        }
        out.push(c);
    }
    out + mark
}

/// The text followed by blanks up to a number of columns.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// The text on as many lines as it takes to fit: broken between words, a word that is longer than a line within. The
/// lines after the first begin below its first word. What fits stays as it is.
pub fn folded(text: &str, columns: usize) -> Vec<String> {
    let text = text.trim_end();
    if width(text) <= columns {
        return vec![text.to_string()];
    }
    let blanks = text.len() - text.trim_start_matches(' ').len();
    let indent = " ".repeat(blanks.min(columns / 2));
    let room = columns.saturating_sub(indent.len()).max(1);
    let mut lines = vec![String::new()];
    for word in text[blanks..].split(' ') {
        let mut word = word.to_string();
        loop {
            let last = lines.len() - 1;
            let line = &mut lines[last];
            let blank = if line.is_empty() { "" } else { " " };
            if width(line) + blank.len() + width(&word) <= room {
                line.push_str(blank);
                line.push_str(&word);
                break;
            }
            if line.is_empty() {
                let fits = fitting(&word, room);
                line.push_str(&word[..fits]);
                word.drain(..fits);
            }
            if word.is_empty() {
                break;
            }
            lines.push(String::new());
        }
    }
    lines.iter().map(|line| format!("{indent}{}", line.trim_end())).collect()
}

/// Bytes of the longest beginning that fits; at least one character.
fn fitting(word: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, c) in word.char_indices() {
        used += unicode_width::UnicodeWidthChar::width(c).unwrap_or(0);
        if at > 0 && used > columns {
            return at;
        }
    }
    word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_breaks_between_words_where_it_can() {
        assert_eq!(folded("web1   10.0.0.11", 20), ["web1   10.0.0.11"]);
        assert_eq!(folded("one two three four", 9), ["one two", "three", "four"]);
        assert_eq!(folded("  one two three", 10), ["  one two", "  three"]);
        assert_eq!(folded("a 漢字漢字漢字 b", 7), ["a", "漢字漢", "字漢字", "b"]);
        assert_eq!(folded("漢字", 1), ["漢", "字"]);
        assert_eq!(folded("", 5), [""]);
    }

    #[test]
    fn strangers_cannot_move_the_cursor() {
        assert_eq!(escaped("a\x1b[2J\u{9b}b\n\u{202e}c"), "a\\x1b[2J\\x9bb\\n\\u{202e}c");
    }

    #[test]
    fn times_for_people() {
        let clocks = [0, 59, 61, 3661].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(clocks, ["0:00", "0:59", "1:01", "1:01:01"]);
    }

    #[test]
    fn cutting_counts_columns() {
        assert_eq!(cut("漢字漢字", 7), "漢字...");
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 3), "abc");
        assert_eq!(padded("漢", 4), "漢  ");
    }
}
