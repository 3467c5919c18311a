//! The line as bytes for a terminal of some width.

use std::ops::Range;

use unicode_width::UnicodeWidthChar;

use super::Editor;
use crate::terminal::style::{self, Style};

/// How a line is shown.
pub struct View<'a> {
    /// The prompt, in pieces.
    pub prompt: &'a [(String, Style)],
    /// Columns that the prompt may take; of a longer one the right end is shown (row N-52).
    pub prompt_columns: usize,
    /// Coloured stretches of the text (row N-50), byte ranges in order.
    pub spans: &'a [(Range<usize>, Style)],
    /// Columns of the terminal.
    pub columns: usize,
    /// Whether colours may be used.
    pub colour: bool,
    /// Whether the terminal understands cursor movement; others get the line again and again.
    pub moves: bool,
}

/// The bytes that draw the line over itself and leave the cursor in its place. Long lines scroll sideways so that
/// the cursor stays visible (row N-53). The last column stays free: terminals disagree about what happens there.
pub fn render(editor: &Editor, view: &View<'_>) -> Vec<u8> {
    let columns = view.columns.max(2);
    let searching;
    let prompt = match &editor.search {
        None => view.prompt,
        Some(search) => {
            let failed = if search.failed { "failed " } else { "" };
            searching = [(format!("({failed}search '{}'): ", style::escaped(&search.text)), Style::Cyan)];
            &searching
        }
    };
    let (prompt, prompt_width) = cut_left(prompt, view.prompt_columns.min(columns - 1), view.colour);
    let room = columns.saturating_sub(prompt_width + 1).max(1);
    let cells = cells(editor.text(), view.spans);
    let before_cursor = cells.iter().take_while(|cell| cell.at < editor.cursor()).map(|cell| cell.width).sum();
    let start = scrolled(before_cursor, room);
    let (text, text_width) = visible(&cells, start, room, view.colour);
    let cursor = (prompt_width + before_cursor - start).min(columns - 1);
    if view.moves {
        let forward = if cursor > 0 { format!("\x1b[{cursor}C") } else { String::new() };
        return format!("\r{prompt}{text}\x1b[K\r{forward}").into_bytes();
    }
    let blanks = " ".repeat(columns - 1 - (prompt_width + text_width).min(columns - 1));
    let (left, _) = visible(&cells, start, before_cursor - start, view.colour);
    format!("\r{prompt}{text}{blanks}\r{prompt}{left}").into_bytes()
}

/// First column of the text that is shown: moves in half windows, so that typing does not scroll at each key.
fn scrolled(cursor: usize, room: usize) -> usize {
    let step = (room / 2).max(1);
    cursor.saturating_sub(room).div_ceil(step) * step
}

struct Cell {
    at: usize,
    shown: String,
    width: usize,
    style: Style,
}

fn cells(text: &str, spans: &[(Range<usize>, Style)]) -> Vec<Cell> {
    let cell = |(at, c): (usize, char)| {
        let style = spans.iter().find(|(range, _)| range.contains(&at)).map_or(Style::Plain, |(_, style)| *style);
        let shown = if c == '\n' { "^J".to_string() } else { c.to_string() };
        Cell { at, width: if c == '\n' { 2 } else { c.width().unwrap_or(0) }, shown, style }
    };
    text.char_indices().map(cell).collect()
}

/// The cells within `room` columns from column `start`, and the columns they take.
fn visible(cells: &[Cell], start: usize, room: usize, colour: bool) -> (String, usize) {
    let mut pieces: Vec<(String, Style)> = Vec::new();
    let (mut column, mut used) = (0, 0);
    for cell in cells {
        let begins = column;
        column += cell.width;
        let shown = match begins {
            _ if column <= start && cell.width > 0 || begins < start && cell.width == 0 => continue,
            // A wide character across the edge leaves a blank.
            begins if begins < start => " ",
            _ => cell.shown.as_str(),
        };
        let width = if begins < start { column - start } else { cell.width };
        if used + width > room {
            break;
        }
        used += width;
        match pieces.last_mut() {
            Some((text, style)) if *style == cell.style => text.push_str(shown),
            _ => pieces.push((shown.to_string(), cell.style)),
        }
    }
    (pieces.iter().map(|(text, style)| style.paint(colour, text)).collect(), used)
}

/// The right end of a prompt, at most `room` columns of it.
fn cut_left(prompt: &[(String, Style)], room: usize, colour: bool) -> (String, usize) {
    let mut kept: Vec<String> = Vec::new();
    let mut used = 0;
    'pieces: for (text, style) in prompt.iter().rev() {
        let mut piece: Vec<char> = Vec::new();
        for c in text.chars().rev() {
            let width = c.width().unwrap_or(0);
            if used + width > room {
                piece.reverse();
                kept.push(style.paint(colour, &piece.iter().collect::<String>()));
                break 'pieces;
            }
            used += width;
            piece.push(c);
        }
        piece.reverse();
        kept.push(style.paint(colour, &piece.iter().collect::<String>()));
    }
    kept.reverse();
    (kept.concat(), used)
}
