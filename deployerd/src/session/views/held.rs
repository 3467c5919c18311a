//! Output that waits until it can be shown.

/// Bytes that wait; of more, the oldest are dropped.
const HELD_MAX: usize = 256 * 1024;

/// The end of what was written, as much as is kept.
#[derive(Default)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    dropped: usize,
}

impl Held {
    /// More of it.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        let excess = self.bytes.len().saturating_sub(HELD_MAX);
        if excess > 0 {
            // Much at once, because what is left moves; at a line end, so that it begins with a whole line.
            let least = (excess + HELD_MAX / 4).min(self.bytes.len());
            let cut = self.bytes[least..].iter().position(|byte| *byte == b'\n').map_or(least, |at| least + at + 1);
            self.bytes.drain(..cut);
            self.dropped += cut;
        }
    }

    /// Takes all of it, with a line about what was not kept.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.dropped > 0 {
            bytes.extend(format!("... {} earlier bytes were not kept\r\n", self.dropped).into_bytes());
            self.dropped = 0;
        }
        bytes.append(&mut self.bytes);
        bytes
    }

    /// Its last line that is not blank.
    pub(super) fn last_line(&self) -> Option<String> {
        let line = self.bytes.split(|byte| *byte == b'\n').rfind(|line| !line.trim_ascii().is_empty())?;
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_says_what_is_missing() {
        let mut held = Held::default();
        for number in 0..100_000 {
            held.push(format!("line {number}\r\n").as_bytes());
        }
        let shown = String::from_utf8(held.take()).unwrap_or_default();
        assert!(shown.len() < HELD_MAX + 200, "{}", shown.len());
        assert!(shown.contains("earlier bytes were not kept\r\nline "), "{}", &shown[..200]);
        assert!(shown.ends_with("line 99999\r\n"));
        assert_eq!(held.take(), b"", "once");
    }
}
