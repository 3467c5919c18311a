//! A line as words, quoted as in a POSIX shell (design 8 for row N-01).

/// A word and where it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// Without its quotes.
    pub(crate) text: String,
    /// Byte position where it begins.
    pub(crate) start: usize,
    /// Byte position behind it.
    pub(crate) end: usize,
}

/// A line that cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SplitError {
    /// A quote that is never closed.
    #[error("unclosed quote: {0}")]
    Quote(char),
    /// Nothing comes behind the last backslash.
    #[error("the line ends in a backslash: write \\\\ for the character itself")]
    Backslash,
}

/// All words of a line.
///
/// # Errors
/// An unclosed quote, a backslash at the end.
pub(crate) fn split(line: &str) -> Result<Vec<Word>, SplitError> {
    let mut scan = Scan::new(line);
    scan.run()?;
    Ok(scan.words)
}

/// The words left of a cursor, and the last one, which is being typed: empty behind a blank. An unclosed quote belongs
/// to the word being typed.
pub(crate) fn split_for_completion(left: &str) -> (Vec<Word>, Word) {
    let mut scan = Scan::new(left);
    if scan.run().is_err() {
        scan.end_word(left.len());
    }
    match scan.words.last() {
        Some(last) if last.end == left.len() => {
            let typed = scan.words.pop();
            (scan.words, typed.unwrap_or(Word { text: String::new(), start: left.len(), end: left.len() }))
        }
        _ => (scan.words, Word { text: String::new(), start: left.len(), end: left.len() }),
    }
}

struct Scan<'a> {
    line: &'a str,
    words: Vec<Word>,
    word: Option<(usize, String)>,
}

impl<'a> Scan<'a> {
    fn new(line: &'a str) -> Scan<'a> {
        Scan { line, words: Vec::new(), word: None }
    }

    fn run(&mut self) -> Result<(), SplitError> {
        let mut quote: Option<(usize, char)> = None;
        let mut characters = self.line.char_indices();
        while let Some((at, c)) = characters.next() {
            match (quote.map(|(_, c)| c), c) {
                (None, c) if c.is_whitespace() => self.end_word(at),
                (None, '\'' | '"') => {
                    self.text(at);
                    quote = Some((at, c));
                }
                (Some(open), c) if open == c => quote = None,
                (None, '\\') => match characters.next() {
                    Some((_, '\n')) => {}
                    Some((_, next)) => self.text(at).push(next),
                    None => {
                        self.text(at);
                        return Err(SplitError::Backslash);
                    }
                },
                // Within double quotes a backslash is itself, except before what is special there.
                (Some('"'), '\\') => match characters.next() {
                    Some((_, '\n')) => {}
                    Some((_, next @ ('"' | '\\' | '$' | '`'))) => self.text(at).push(next),
                    Some((_, next)) => self.text(at).extend(['\\', next]),
                    None => {}
                },
                (_, c) => self.text(at).push(c),
            }
        }
        if let Some((_, open)) = quote {
            return Err(SplitError::Quote(open));
        }
        self.end_word(self.line.len());
        Ok(())
    }

    fn text(&mut self, at: usize) -> &mut String {
        &mut self.word.get_or_insert_with(|| (at, String::new())).1
    }

    fn end_word(&mut self, end: usize) {
        if let Some((start, text)) = self.word.take() {
            self.words.push(Word { text, start, end });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::text::shell_word;

    fn texts(line: &str) -> Vec<String> {
        split(line).unwrap().into_iter().map(|word| word.text).collect()
    }

    // rows: W-60
    #[test]
    fn words_are_quoted_as_in_a_posix_shell() {
        for (line, expected) in [
            ("  a   b\tc\n", &["a", "b", "c"][..]),
            (r#"'a b' "c d" e\ f"#, &["a b", "c d", "e f"]),
            (r#"'it'\''s' "say \"x\" \$y \z""#, &["it's", r#"say "x" $y \z"#]),
            ("'' \"\" x''y", &["", "", "xy"]),
            ("a\\\nb 'c\nd'", &["ab", "c\nd"]),
            ("", &[]),
        ] {
            assert_eq!(texts(line), expected, "{line:?}");
        }
        assert_eq!(split("a 'b").unwrap_err().to_string(), "unclosed quote: '");
        assert_eq!(split("a \"b'").unwrap_err(), SplitError::Quote('"'));
        assert_eq!(split("a \\").unwrap_err(), SplitError::Backslash);
    }

    #[test]
    fn the_word_that_is_being_typed() {
        let typed = |left: &str| {
            let (before, typed) = split_for_completion(left);
            (before.len(), typed.text, typed.start)
        };
        assert_eq!(typed("cd we"), (1, "we".to_string(), 3));
        assert_eq!(typed("cd "), (1, String::new(), 3));
        assert_eq!(typed("cd 'we b"), (1, "we b".to_string(), 3));
        assert_eq!(typed("cd ''"), (1, String::new(), 3));
        assert_eq!(typed(""), (0, String::new(), 0));
    }

    proptest! {
        #[test]
        fn a_quoted_word_comes_back(words in prop::collection::vec("[ -~é\n\t]{0,8}", 0..5)) {
            let line = words.iter().map(|word| shell_word(word)).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(texts(&line), words);
        }

        #[test]
        fn nothing_breaks_the_splitting(line in "[ 'a-c\"\\\\é\n]{0,20}") {
            let (before, typed) = split_for_completion(&line);
            prop_assert!(line.is_char_boundary(typed.start) && typed.end == line.len());
            for word in before {
                prop_assert!(line.get(word.start..word.end).is_some());
            }
            drop(split(&line));
        }
    }
}
