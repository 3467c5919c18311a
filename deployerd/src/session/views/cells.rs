//! Rows of a screen model as text for a terminal: exactly as wide as wanted, complete in themselves.

use std::fmt::Write;

/// One row of `screen` from the left, `width` columns; blank where the screen has none. Begins and ends with plain
/// attributes.
pub(super) fn row(screen: &vt100::Screen, row: u16, width: u16, colour: bool) -> String {
    let mut out = String::new();
    let mut now = String::new();
    let mut col = 0;
    while col < width {
        let cell = screen.cell(row, col).filter(|cell| !cell.is_wide_continuation());
        let look = cell.map_or_else(String::new, |cell| look(cell, colour));
        if look != now {
            // Writing to text cannot fail.
            let _always = write!(out, "\x1b[0{look}m");
            now = look;
        }
        let (text, columns) = match cell {
            Some(cell) if cell.is_wide() && col + 1 < width => (cell.contents(), 2),
            // Half of a wide character is nothing.
            Some(cell) if cell.has_contents() && !cell.is_wide() => (cell.contents(), 1),
            _ => (" ", 1),
        };
        out.push_str(text);
        col += columns;
    }
    if !now.is_empty() {
        out.push_str("\x1b[m");
    }
    out
}

/// The attributes of a cell as parameters, each with a semicolon in front.
fn look(cell: &vt100::Cell, colour: bool) -> String {
    let mut out = String::new();
    for (set, code) in [
        (cell.bold(), ";1"),
        (cell.dim(), ";2"),
        (cell.italic(), ";3"),
        (cell.underline(), ";4"),
        (cell.inverse(), ";7"),
    ] {
        if set {
            out.push_str(code);
        }
    }
    if colour {
        hue(&mut out, cell.fgcolor(), 30);
        hue(&mut out, cell.bgcolor(), 40);
    }
    out
}

fn hue(out: &mut String, colour: vt100::Color, base: u16) {
    // Writing to text cannot fail.
    let _always = match colour {
        vt100::Color::Default => Ok(()),
        vt100::Color::Idx(index @ 0..8) => write!(out, ";{}", base + u16::from(index)),
        vt100::Color::Idx(index @ 8..16) => write!(out, ";{}", base + 52 + u16::from(index)),
        vt100::Color::Idx(index) => write!(out, ";{};5;{index}", base + 8),
        vt100::Color::Rgb(r, g, b) => write!(out, ";{};2;{r};{g};{b}", base + 8),
    };
}

/// The plain text of a row, without blanks at its end.
pub(super) fn plain(screen: &vt100::Screen, row: u16, cols: u16) -> String {
    screen.rows(0, cols).nth(usize::from(row)).unwrap_or_default().trim_end().to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::num::NonZeroU16;

    use super::*;

    fn screen(rows: u16, cols: u16, bytes: &str) -> vt100::Parser {
        let mut parser = vt100::Parser::new(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(cols).unwrap(), 0);
        parser.process(bytes.as_bytes());
        parser
    }

    #[test]
    fn a_row_is_as_wide_as_wanted_whatever_it_holds() {
        let parser = screen(2, 10, "a漢字\r\n\x1b[1;31mred\x1b[m plain");
        let row = |row, width| super::row(parser.screen(), row, width, true);
        assert_eq!(row(0, 6), "a漢字 ");
        assert_eq!(row(0, 4), "a漢 ", "half a character is a blank");
        assert_eq!(row(1, 12), "\x1b[0;1;31mred\x1b[0m plain   ");
        assert_eq!(row(1, 2), "\x1b[0;1;31mre\x1b[m");
        assert_eq!(row(7, 3), "   ");
        assert_eq!(super::row(parser.screen(), 1, 3, false), "\x1b[0;1mred\x1b[m");
    }

    #[test]
    fn a_row_looks_the_same_where_it_is_copied_to() {
        let bytes = "\x1b[38;5;200;48;2;1;2;3mx\x1b[0;93;104my\x1b[0;7;4mz\x1b[m e\u{301} \x1b[3;2mw";
        let parser = screen(1, 20, bytes);
        let copy = screen(1, 20, &row(parser.screen(), 0, 20, true));
        for col in 0..20 {
            let (a, b) = (parser.screen().cell(0, col).unwrap(), copy.screen().cell(0, col).unwrap());
            let look = |cell: &vt100::Cell| (cell.contents().trim_end().to_string(), look(cell, true));
            assert_eq!(look(a), look(b), "column {col}");
        }
    }
}
