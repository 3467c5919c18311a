//! Lines that were entered before.

use std::collections::VecDeque;

/// Lines kept.
const LINES_MAX: usize = 1000;

/// Entered lines, the newest last; blank ones are skipped, a repeated one moves to the end (rows N-54, W-60).
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: VecDeque<String>,
}

impl History {
    /// Remembers a line.
    pub fn add(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        self.lines.retain(|known| known != line);
        self.lines.push_back(line.to_string());
        if self.lines.len() > LINES_MAX {
            self.lines.pop_front();
        }
    }

    /// All lines, the oldest first.
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn get(&self, index: usize) -> Option<&str> {
        self.lines.get(index).map(String::as_str)
    }

    /// The newest line older than `before` that contains `text`, and where in it.
    pub(super) fn find(&self, text: &str, before: usize) -> Option<(usize, usize)> {
        (0..before.min(self.lines.len())).rev().find_map(|index| self.lines[index].find(text).map(|at| (index, at)))
    }
}
