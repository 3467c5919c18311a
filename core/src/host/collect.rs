//! The output of one stream, kept within a bound: what is too much falls off at the beginning.

use bytes::{Buf, Bytes, BytesMut};

/// Slack before the beginning is cut off, so that not every chunk moves memory.
const SLACK: usize = 256 * 1024;

/// Collects one stream.
#[derive(Debug)]
pub(crate) struct Collected {
    kept: BytesMut,
    limit: usize,
    dropped: u64,
}

impl Collected {
    /// Keeps the last `limit` bytes.
    pub(crate) fn new(limit: usize) -> Collected {
        Collected { kept: BytesMut::new(), limit, dropped: 0 }
    }

    /// Adds output.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.kept.extend_from_slice(bytes);
        if self.kept.len() > self.limit + SLACK {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let excess = self.kept.len().saturating_sub(self.limit);
        self.kept.advance(excess);
        self.dropped += excess as u64;
    }

    /// What was kept, and how many bytes before it were not.
    pub(crate) fn finish(mut self) -> (Bytes, u64) {
        self.cut();
        (self.kept.freeze(), self.dropped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_the_rest_counted() {
        let mut collected = Collected::new(4);
        collected.push(b"abc");
        collected.push(b"defg");
        assert_eq!(collected.finish(), (Bytes::from_static(b"defg"), 3));

        let mut flood = Collected::new(10);
        for _ in 0..3 {
            flood.push(&vec![b'x'; SLACK]);
        }
        let (kept, dropped) = flood.finish();
        assert_eq!((kept.len(), dropped), (10, 3 * SLACK as u64 - 10));
    }
}
