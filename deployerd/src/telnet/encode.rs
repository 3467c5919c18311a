//! Terminal bytes as a telnet client wants them: IAC doubled, and a carriage return never alone (RFC 854).

use super::codes::IAC;

/// Remembers how the last piece ended.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    /// The peer takes everything as it is, but for IAC.
    pub(super) binary: bool,
    after_return: bool,
}

impl Encoder {
    /// Adds terminal bytes to `out`.
    pub(super) fn text(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            if std::mem::take(&mut self.after_return) && byte != b'\n' {
                out.push(0);
            }
            out.push(byte);
            match byte {
                IAC => out.push(IAC),
                b'\r' => self.after_return = !self.binary,
                _ => {}
            }
        }
    }

    /// Adds bytes of the protocol to `out`; a return before them is completed.
    pub(super) fn protocol(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if std::mem::take(&mut self.after_return) {
            out.push(0);
        }
        out.extend(bytes);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::telnet::machine::{Event, Machine};

    fn encoded(pieces: &[&[u8]], binary: bool) -> Vec<u8> {
        let mut encoder = Encoder { binary, after_return: false };
        let mut out = Vec::new();
        pieces.iter().for_each(|piece| encoder.text(piece, &mut out));
        out
    }

    #[test]
    fn a_return_is_followed_by_a_line_feed_or_a_nul() {
        assert_eq!(encoded(&[b"a\r\nb\rc\r", b"\nd\r", b"e"], false), b"a\r\nb\r\0c\r\nd\r\0e");
        assert_eq!(encoded(&[b"a\r\nb\rc\xff"], true), b"a\r\nb\rc\xff\xff");
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        encoder.text(b"a\r", &mut out);
        encoder.protocol(b"\xff\xf1", &mut out);
        encoder.text(b"\n", &mut out);
        assert_eq!(out, b"a\r\0\xff\xf1\n");
    }

    proptest! {
        /// What one side sends the other reads, whatever the bytes; a line feed behind a return belongs to it.
        #[test]
        fn what_is_sent_is_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut machine = Machine::default();
            machine.feed(&encoded(&[&bytes], false)).unwrap();
            let read: Vec<u8> = machine
                .take_events()
                .into_iter()
                .flat_map(|event| match event { Event::Keys(keys) => keys, other => panic!("{other:?}") })
                .collect();
            let mut expected = Vec::new();
            for &byte in &bytes {
                if byte != b'\n' || expected.last() != Some(&b'\r') { expected.push(byte) }
            }
            prop_assert_eq!(read, expected);
        }
    }
}
