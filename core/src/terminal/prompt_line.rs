//! The line that is being edited, kept below whatever else is written (row N-61).

use std::sync::{Mutex, PoisonError};

/// What stands on the last line of a screen. Used by the one that writes, and by whoever gives up on a line. For
/// terminals that implement [`super::Terminal::write_prompt`] and [`super::Terminal::abandon_prompt`].
#[derive(Default)]
pub struct PromptLine(Mutex<State>);

#[derive(Default)]
struct State {
    drawn: Vec<u8>,
    abandoned: bool,
}

impl PromptLine {
    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether a line is being edited.
    pub fn is_shown(&self) -> bool {
        self.with(|state| !state.drawn.is_empty())
    }

    /// Whether somebody edits a line and has not given up on it.
    pub fn is_edited(&self) -> bool {
        self.with(|state| !state.drawn.is_empty() && !state.abandoned)
    }

    /// Nobody edits the line any more; it stays as it is and the next output begins below it.
    pub fn abandon(&self) {
        self.with(|state| state.abandoned = !state.drawn.is_empty());
    }

    /// The bytes that draw another state of the line, or end it when there are none.
    pub fn draw(&self, drawn: Vec<u8>) -> Vec<u8> {
        self.with(|state| {
            let mut bytes = state.leave_abandoned();
            bytes.extend_from_slice(if drawn.is_empty() { b"\r\n" } else { &drawn });
            state.drawn = drawn;
            bytes
        })
    }

    /// Output, above the line when there is one.
    pub fn around(&self, output: Vec<u8>) -> Vec<u8> {
        self.with(|state| {
            let mut bytes = state.leave_abandoned();
            if state.drawn.is_empty() {
                bytes.extend(output);
                return bytes;
            }
            let end: &[u8] = if output.ends_with(b"\n") { b"" } else { b"\r\n" };
            [b"\r\x1b[K", output.as_slice(), end, &state.drawn].concat()
        })
    }
}

impl State {
    fn leave_abandoned(&mut self) -> Vec<u8> {
        if !std::mem::take(&mut self.abandoned) {
            return Vec::new();
        }
        self.drawn.clear();
        b"\r\n".to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // rows: N-61
    #[test]
    fn output_goes_above_the_line_that_is_edited() {
        let prompt = PromptLine::default();
        assert_eq!(prompt.around(b"one\r\n".to_vec()), b"one\r\n");
        assert_eq!(prompt.draw(b"\rweb > ls".to_vec()), b"\rweb > ls");
        assert_eq!(prompt.around(b"two\r\n".to_vec()), b"\r\x1b[Ktwo\r\n\rweb > ls");
        assert_eq!(prompt.around(b"three".to_vec()), b"\r\x1b[Kthree\r\n\rweb > ls");
        assert_eq!(prompt.draw(Vec::new()), b"\r\n");
        assert_eq!(prompt.around(b"four".to_vec()), b"four");
    }

    #[test]
    fn a_line_that_nobody_ends_is_left_behind() {
        let prompt = PromptLine::default();
        prompt.draw(b"\rpassword: ".to_vec());
        prompt.abandon();
        assert_eq!(prompt.around(b"interrupted\r\n".to_vec()), b"\r\ninterrupted\r\n");
        assert_eq!(prompt.around(b"next".to_vec()), b"next");
    }
}
