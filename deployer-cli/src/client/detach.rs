//! The key that leaves a session, found in a stream of keys whatever its chunks.

pub(crate) use deployer_core::options::ControlKey as DetachKey;
/// Where in the stream of keys we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Ground,
    Escape,
    Csi,
}

/// Longest sequence that is looked at; a longer one is nobody's key.
const SEQUENCE_MAX: usize = 32;

/// Looks for the key. Pasted text is not typed text, so within a bracketed paste nothing is a key; the forms in
/// which programs can ask terminals to send it (`CSI 92;5u`, `CSI 27;5;92~`) are the key too.
#[derive(Debug)]
pub(crate) struct Scanner {
    key: DetachKey,
    place: Place,
    sequence: Vec<u8>,
    pasting: bool,
}

/// What a chunk holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// All of it is for the session.
    Forward,
    /// The key is in it; so many bytes before it are for the session, the rest for nobody.
    Detach(usize),
}

impl Scanner {
    pub(crate) fn new(key: DetachKey) -> Scanner {
        Scanner { key, place: Place::Ground, sequence: Vec::new(), pasting: false }
    }

    /// Looks at the next chunk.
    pub(crate) fn scan(&mut self, chunk: &[u8]) -> Scan {
        let mut start = 0;
        for (at, &byte) in chunk.iter().enumerate() {
            if byte == self.key.byte() && !self.pasting {
                return Scan::Detach(if self.place == Place::Ground { at } else { start });
            }
            match (self.place, byte) {
                (_, 0x1b) => {
                    self.place = Place::Escape;
                    start = at;
                }
                (Place::Escape, b'[') => {
                    self.place = Place::Csi;
                    self.sequence.clear();
                }
                (Place::Csi, 0x40..=0x7e) => {
                    self.place = Place::Ground;
                    self.sequence.push(byte);
                    if self.finished() {
                        return Scan::Detach(start);
                    }
                }
                (Place::Csi, 0x20..=0x3f) if self.sequence.len() < SEQUENCE_MAX => self.sequence.push(byte),
                _ => self.place = Place::Ground,
            }
        }
        Scan::Forward
    }

    /// A sequence is complete: whether it is the key. A first part of it that came in an earlier chunk has been
    /// forwarded; the session's parser drops it with the next key.
    fn finished(&mut self) -> bool {
        match self.sequence.as_slice() {
            b"200~" => self.pasting = true,
            b"201~" => self.pasting = false,
            sequence if !self.pasting => return self.is_key(sequence),
            _ => {}
        }
        false
    }

    fn is_key(&self, sequence: &[u8]) -> bool {
        let Some((&end, parameters)) = sequence.split_last() else {
            return false;
        };
        let Ok(parameters) = std::str::from_utf8(parameters) else {
            return false;
        };
        // Sub-parameters (after a colon) tell the layout and press from release; the first says which key.
        let mut numbers =
            parameters.split(';').map(|part| part.split(':').next().unwrap_or_default().parse::<u8>().ok());
        let (code, modifiers) = match end {
            b'u' => (numbers.next().flatten(), numbers.next().flatten()),
            b'~' if numbers.next() == Some(Some(27)) => {
                let modifiers = numbers.next().flatten();
                (numbers.next().flatten(), modifiers)
            }
            _ => return false,
        };
        let released = end == b'u' && parameters.split(';').nth(1).is_some_and(|part| part.ends_with(":3"));
        // 1 + bits; 4 is Ctrl, 64 and 128 are the lock keys.
        let control = modifiers.is_some_and(|value| value.wrapping_sub(1) & 0x3f == 4);
        control
            && !released
            && code.is_some_and(|code| {
                code.is_ascii() && code.to_ascii_uppercase() & 0x1f == self.key.byte() && code >= 0x40
            })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(key: &str, chunks: &[&[u8]]) -> Option<(usize, usize)> {
        let mut scanner = Scanner::new(key.parse().unwrap());
        chunks.iter().enumerate().find_map(|(number, chunk)| match scanner.scan(chunk) {
            Scan::Forward => None,
            Scan::Detach(at) => Some((number, at)),
        })
    }

    #[test]
    fn the_key_is_found_in_any_chunk() {
        assert_eq!(found("ctrl-\\", &[b"ls\r", b"ab\x1ccd"]), Some((1, 2)));
        assert_eq!(found("ctrl-]", &[b"\x1c\x1c", b"\x1d"]), Some((1, 0)));
        assert_eq!(found("ctrl-\\", &[b"no key here", b"\x1d"]), None);
        assert_eq!(found("ctrl-\\", &[b"\x1b[A", b"\x1c"]), Some((1, 0)));
        assert_eq!(found("ctrl-\\", &[b"x\x1b\x1c"]), Some((0, 1)), "Alt with the key leaves too");
    }

    #[test]
    fn terminals_may_send_it_as_a_sequence() {
        for sequence in [&b"\x1b[92;5u"[..], b"\x1b[27;5;92~", b"\x1b[92;5:1u", b"\x1b[92:124;69u"] {
            let mut whole = b"ab".to_vec();
            whole.extend(sequence);
            assert_eq!(found("ctrl-\\", &[&whole]), Some((0, 2)), "{}", sequence.escape_ascii());
            for cut in 1..sequence.len() {
                let parts = [&sequence[..cut], &sequence[cut..]];
                assert_eq!(found("ctrl-\\", &parts), Some((1, 0)), "{} cut at {cut}", sequence.escape_ascii());
            }
        }
        for other in [
            &b"\x1b[92;3u"[..],
            b"\x1b[92;5:3u",
            b"\x1b[93;5u",
            b"\x1b[27;5;93~",
            b"\x1b[28;5u",
            b"\x1b[5;5~",
            b"\x1b[u",
        ] {
            assert_eq!(found("ctrl-\\", &[other]), None, "{}", other.escape_ascii());
        }
        assert_eq!(found("ctrl-b", &[b"\x1b[98;5u"]), Some((0, 0)));
    }

    #[test]
    fn pasted_text_never_detaches() {
        let pasted = b"\x1b[200~a\x1cb\x1b[92;5uc\x1b[201~\x1c";
        let end = pasted.len() - 1;
        assert_eq!(found("ctrl-\\", &[pasted]), Some((0, end)));
        for cut in 1..end {
            let parts = [&pasted[..cut], &pasted[cut..]];
            assert_eq!(found("ctrl-\\", &parts), Some((1, end - cut)), "cut at {cut}");
        }
    }
}
