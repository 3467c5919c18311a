//! Words in columns (row I-22).

use crate::terminal::LineFilter;
use crate::terminal::style::width;

/// Items in as many columns as fit into `columns`, filled line by line; each as wide as the longest one and a blank,
/// `margin` blanks in front of each line. Colours in the items take no room. No items give no lines.
pub fn in_columns(items: &[String], columns: usize, margin: usize) -> Vec<String> {
    let widths: Vec<usize> = items.iter().map(|item| visible(item)).collect();
    let column = widths.iter().max().map_or(1, |longest| longest + 1);
    // The last one of a line needs no blank behind it.
    let per_line = ((columns.saturating_sub(margin) + 1) / column).max(1);
    let line = |(items, widths): (&[String], &[usize])| {
        let mut out = " ".repeat(margin);
        for (i, (item, width)) in items.iter().zip(widths).enumerate() {
            out.push_str(item);
            if i + 1 < items.len() {
                out.push_str(&" ".repeat(column - width));
            }
        }
        out
    };
    items.chunks(per_line).zip(widths.chunks(per_line)).map(line).collect()
}

/// Columns that a text takes on a screen that shows its colours.
fn visible(item: &str) -> usize {
    width(&LineFilter::new(false).push(format!("{item}\n").as_bytes()).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: I-22
    #[test]
    fn as_many_columns_as_fit_and_at_least_one() {
        let items = |words: &str| words.split(' ').map(str::to_string).collect::<Vec<_>>();
        assert_eq!(in_columns(&items("one two three four"), 12, 0), ["one   two", "three four"]);
        assert_eq!(in_columns(&items("one two three four"), 12, 2), ["  one", "  two", "  three", "  four"]);
        assert_eq!(in_columns(&items("one two"), 2, 0), ["one", "two"]);
        assert_eq!(in_columns(&items("a b c d"), 3, 0), ["a b", "c d"]);
        assert_eq!(in_columns(&items("\x1b[31mred\x1b[0m b"), 9, 0), ["\x1b[31mred\x1b[0m b"]);
        assert_eq!(in_columns(&items("\u{e9}\u{e9} b"), 9, 0), ["\u{e9}\u{e9} b"]);
        assert_eq!(in_columns(&[], 80, 4), Vec::<String>::new());
    }
}
