//! What has scrolled off a session's screen, for those who attach later.

use std::collections::VecDeque;

use deployer_core::terminal::Size;

/// Output that is kept, bytes.
const KEPT_MAX: usize = 64 * 1024;
/// Lines that are told.
const LINES_MAX: usize = 500;
/// Bytes that are told: colours take room.
const TOLD_MAX: usize = 256 * 1024;

/// The last output of a session, without that of full-screen programs.
#[derive(Default)]
pub(crate) struct History {
    kept: VecDeque<u8>,
    cut: bool,
}

impl History {
    /// Takes output of the main screen.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let last = &bytes[bytes.len().saturating_sub(KEPT_MAX)..];
        let excess = (self.kept.len() + last.len()).saturating_sub(KEPT_MAX);
        // Room is made first, or the memory would double for the moment between.
        self.kept.drain(..excess);
        self.kept.extend(last);
        self.cut |= excess > 0 || last.len() < bytes.len();
    }

    /// The lines above the screen, as bytes for a terminal of `size` whose screen may be overwritten: afterwards they
    /// are in its scrollback and the screen is empty. Nothing when nothing has scrolled off.
    pub(crate) fn scrolled_off(&self, size: Size) -> Vec<u8> {
        let (rows, cols) = super::screen::cells(size);
        let (a, b) = self.kept.as_slices();
        let whole = [a, b].concat();
        // The first line may have lost its beginning.
        let start = if self.cut { whole.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1) } else { 0 };
        let told = std::panic::catch_unwind(|| {
            let mut parser = vt100::Parser::new(rows, cols, LINES_MAX);
            parser.process(&whole[start..]);
            let screen = parser.screen_mut();
            let mut lines = VecDeque::new();
            let mut bytes = 0;
            for above in (1..=screen.scrollback_len()).rev() {
                screen.set_scrollback(above);
                let line = screen.rows_formatted(0, cols.get()).next().unwrap_or_default();
                let line = [b"\x1b[m", line.as_bytes(), b"\x1b[m\r\n"].concat();
                bytes += line.len();
                lines.push_back(line);
                while bytes > TOLD_MAX {
                    bytes -= lines.pop_front().map_or(bytes, |line| line.len());
                }
            }
            Vec::from(lines).concat()
        });
        let mut out = told.unwrap_or_default();
        if !out.is_empty() {
            out.extend(b"\r\n".repeat(usize::from(size.rows)));
        }
        out
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 5, cols: 20 };

    fn scrollback(history: &History) -> Vec<String> {
        let mut terminal = vt100::Parser::new(5.try_into().unwrap(), 20.try_into().unwrap(), 10_000);
        terminal.process(&history.scrolled_off(SIZE));
        assert_eq!(terminal.screen().contents(), "", "the screen is free for the repaint");
        let screen = terminal.screen_mut();
        let lines = (1..=screen.scrollback_len()).rev().map(|above| {
            screen.set_scrollback(above);
            screen.rows(0, 20).next().unwrap()
        });
        lines.collect()
    }

    #[test]
    fn what_scrolled_off_is_told_in_order() {
        let mut history = History::default();
        history.push(b"on the screen\r\n");
        assert_eq!(history.scrolled_off(SIZE), b"");
        for number in 1..=8 {
            history.push(format!("\x1b[3{}mline {number}\x1b[m\r\n", number % 8).as_bytes());
        }
        assert_eq!(scrollback(&history)[..5], ["on the screen", "line 1", "line 2", "line 3", "line 4"]);
    }

    #[test]
    fn memory_and_lines_are_bounded() {
        let mut history = History::default();
        for number in 0..30_000 {
            history.push(format!("line {number}\r\n").as_bytes());
        }
        assert!(history.kept.len() <= KEPT_MAX);
        let lines = scrollback(&history);
        assert_eq!(lines[..2], ["line 29496", "line 29497"][..], "{}", lines.len());
    }

    #[test]
    fn a_long_flood_keeps_the_end_in_the_memory_that_it_may_have() {
        let mut history = History::default();
        for number in 0..300u32 {
            history.push(&[number as u8; 4096]);
        }
        assert_eq!((history.kept.len(), history.kept.back()), (KEPT_MAX, Some(&43)));
        assert!(history.kept.capacity() <= KEPT_MAX, "{}", history.kept.capacity());
        history.push(&vec![7; 3 * KEPT_MAX]);
        assert!(history.cut && history.kept.len() == KEPT_MAX && history.kept.iter().all(|byte| *byte == 7));
    }
}
