//! Messages, put together from the pieces in which a channel brings them.

use bytes::{Buf, Bytes, BytesMut};

/// Longest message; OpenSSH sends 256 KiB at most.
const LONGEST: usize = 1024 * 1024;
/// The length that stands before each message.
const HEAD: usize = 4;

/// Takes pieces in and gives messages out. A message that lies within a piece is handed out as a part of it; the others are
/// copied once, into memory of their own size.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    /// What of the last piece is still to be looked at.
    piece: Bytes,
    /// A message of which the end is missing, its length included.
    begun: BytesMut,
}

impl Assembly {
    /// Takes a piece.
    pub(super) fn put(&mut self, piece: Bytes) {
        self.piece = match self.piece.is_empty() {
            true => piece,
            // Somebody did not ask for all messages there were.
            false => [&self.piece[..], &piece[..]].concat().into(),
        };
    }

    /// The next whole message, without its length.
    ///
    /// # Errors
    /// A length that no message has.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, String> {
        if self.begun.is_empty() {
            if let Some(length) = length(&self.piece)?
                && self.piece.len() >= HEAD + length
            {
                self.piece.advance(HEAD);
                return Ok(Some(self.piece.split_to(length)));
            }
            if self.piece.is_empty() {
                return Ok(None);
            }
        }
        self.fill(HEAD);
        let Some(length) = length(&self.begun)? else { return Ok(None) };
        self.fill(HEAD + length);
        if self.begun.len() < HEAD + length {
            return Ok(None);
        }
        let mut message = std::mem::take(&mut self.begun).freeze();
        message.advance(HEAD);
        Ok(Some(message))
    }

    /// Moves bytes of the piece to what has begun, until that is so long.
    fn fill(&mut self, wanted: usize) {
        let missing = wanted.saturating_sub(self.begun.len());
        self.begun.reserve(missing);
        let part = self.piece.split_to(missing.min(self.piece.len()));
        self.begun.extend_from_slice(&part);
    }
}

fn length(bytes: &[u8]) -> Result<Option<usize>, String> {
    match bytes.first_chunk::<HEAD>().map(|length| u32::from_be_bytes(*length) as usize) {
        Some(length) if length > LONGEST => {
            Err("its file server does not speak SFTP; does its shell print something at login?".to_string())
        }
        length => Ok(length),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn messages(assembly: &mut Assembly, piece: &[u8]) -> Vec<Bytes> {
        assembly.put(Bytes::copy_from_slice(piece));
        std::iter::from_fn(|| assembly.next().unwrap()).collect()
    }

    #[test]
    fn a_length_that_no_message_has_is_an_error() {
        for cut in 1..8 {
            let (mut assembly, mut told) = (Assembly::default(), None);
            for piece in b"Welcome!".chunks(cut) {
                assembly.put(Bytes::copy_from_slice(piece));
                match assembly.next() {
                    Ok(None) => {}
                    Ok(Some(message)) => panic!("{message:?} is no message"),
                    Err(why) => {
                        told = Some(why);
                        break;
                    }
                }
            }
            assert!(told.unwrap().contains("does not speak SFTP"), "in pieces of {cut}");
        }
    }

    #[test]
    fn messages_that_nobody_asked_for_yet_are_kept() {
        let mut assembly = Assembly::default();
        for piece in [&b"\0\0\0\x01a\0\0"[..], b"\0\x02bc\0"] {
            assembly.put(Bytes::from_static(piece));
        }
        assert_eq!(messages(&mut assembly, b"\0\0\0"), ["a", "bc", ""]);
    }

    proptest! {
        #[test]
        fn messages_are_the_same_however_they_are_cut(
            sent in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..12),
            cuts in proptest::collection::vec(1_usize..400, 1..40),
        ) {
            let mut wire = Vec::new();
            for message in &sent {
                wire.extend_from_slice(&(message.len() as u32).to_be_bytes());
                wire.extend_from_slice(message);
            }
            let (mut assembly, mut got, mut rest) = (Assembly::default(), Vec::new(), &wire[..]);
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, more) = rest.split_at(rest.len().min(*cut));
                got.extend(messages(&mut assembly, piece));
                rest = more;
            }
            prop_assert_eq!(got, sent);
        }
    }
}
