//! A screen that is fed from a recording. What it shows can be drawn on a terminal of any size; what else the bytes of a
//! recording would do to a terminal never happens.

use deployer_core::terminal::Size;

use crate::session::{Screen, Vt100};

/// The screen of a recording while it is played.
pub struct Playback {
    screen: Vt100,
}

impl Playback {
    /// An empty screen.
    pub fn new(size: Size) -> Playback {
        Playback { screen: Vt100::new(size) }
    }

    /// Takes output.
    pub fn output(&mut self, bytes: &[u8]) {
        self.screen.feed(bytes);
    }

    /// Takes another size.
    pub fn resize(&mut self, size: Size) {
        self.screen.resize(size);
    }

    /// The whole screen for a terminal of this size, around the cursor where it does not fit: characters, their looks,
    /// places, and nothing else.
    pub fn drawn(&self, to: Size) -> Vec<u8> {
        let mut bytes = b"\x1b[?25l".to_vec();
        let mut rows = self.screen.cropped(to);
        let cursor = rows.pop().unwrap_or_default();
        for (number, row) in rows.iter().enumerate() {
            bytes.extend(format!("\x1b[{};1H{row}", number + 1).bytes());
        }
        bytes.extend(cursor.bytes());
        bytes
    }

    /// What it shows, as lines of text.
    pub fn text(&self) -> String {
        self.screen.text().lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_screen_shows_is_drawn() {
        let mut playback = Playback::new(Size { rows: 3, cols: 20 });
        let hostile =
            b"\x1b]52;c;ZXZpbA==\x07\x1b]0;title\x07\x1bP+q544e\x1b\\\x1b[31mred\x1b[c\x1b[6n\x1b[?1000h\r\nnext";
        playback.output(hostile);
        let drawn = String::from_utf8_lossy(&playback.drawn(Size { rows: 24, cols: 80 })).into_owned();
        assert!(drawn.contains("red") && drawn.contains("next"), "{drawn:?}");
        for steering in ["\x1b]", "\x1bP", "\x1b[c", "\x1b[6n", "1000", "evil", "title"] {
            assert!(!drawn.contains(steering), "{steering:?} in {drawn:?}");
        }
        assert_eq!(playback.text(), "red\nnext\n");
    }

    #[test]
    fn a_smaller_terminal_gets_the_part_around_the_cursor() {
        let mut playback = Playback::new(Size { rows: 50, cols: 132 });
        playback.output(format!("{}\x1b[40;1Hbelow", "x".repeat(132)).as_bytes());
        let drawn = String::from_utf8_lossy(&playback.drawn(Size { rows: 24, cols: 80 })).into_owned();
        assert!(drawn.contains("below") && !drawn.contains('x'), "{drawn:?}");
    }
}
