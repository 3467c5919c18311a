//! What Tab offers.

use crate::terminal::style::{self, Style};

/// What a word can become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins, a byte position left of the cursor.
    pub start: usize,
    /// What it can become, in the order shown.
    pub candidates: Vec<Candidate>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What replaces the word, quoted as the line needs it.
    pub text: String,
    /// How it is listed, without mark.
    pub shown: String,
    /// Mark of the kind: `*` action, `?` query, `@` property, `~` extension (row N-49).
    pub mark: &'static str,
    /// How it looks in the list.
    pub style: Style,
}

impl Completion {
    /// The longest beginning that all candidates share.
    pub(super) fn common(&self) -> &str {
        let Some((first, others)) = self.candidates.split_first() else { return "" };
        let mut length = first.text.len();
        for other in others {
            let same = first.text.char_indices().zip(other.text.chars()).find(|((_, a), b)| a != b);
            length = length.min(same.map_or(other.text.len(), |((at, _), _)| at));
        }
        &first.text[..length]
    }
}

/// Candidates in columns, as many as fit, filled line by line (rows N-43, I-22).
pub fn columns(candidates: &[Candidate], width: usize, colour: bool) -> String {
    let size = |c: &Candidate| style::width(&c.shown) + c.mark.len();
    let column = candidates.iter().map(size).max().unwrap_or(0) + 2;
    let per_line = (width.saturating_sub(1) / column).max(1);
    let mut out = String::new();
    for line in candidates.chunks(per_line) {
        for (i, candidate) in line.iter().enumerate() {
            out.push_str(&candidate.style.paint(colour, &style::escaped(&candidate.shown)));
            out.push_str(candidate.mark);
            if i + 1 < line.len() {
                out.push_str(&" ".repeat(column - size(candidate)));
            }
        }
        out.push('\n');
    }
    out
}
