//! Output that nobody has taken yet: bounded, and honest about what it had to drop.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::host::ProcessEvent;
use crate::host::process::Stream;

/// What one command may have printed and nobody read: 4 MiB.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;
/// Small pieces are put together up to this size, so that a million of them do not cost a million entries.
const PIECE: usize = 32 * 1024;
/// What an entry costs beside its bytes.
const OVERHEAD: usize = 64;

/// The waiting output of one command.
#[derive(Debug)]
pub(super) struct Ring {
    pieces: VecDeque<(Stream, Piece)>,
    held: usize,
    limit: usize,
    /// Bytes dropped since the last marker.
    dropped: u64,
    terminal: bool,
}

#[derive(Debug)]
enum Piece {
    Whole(Bytes),
    Growing(BytesMut),
}

impl Ring {
    /// `terminal`: markers go into the one stream there is, with line ends of a terminal.
    pub(super) fn new(limit: usize, terminal: bool) -> Ring {
        Ring { pieces: VecDeque::new(), held: 0, limit, dropped: 0, terminal }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Whether another packet still fits.
    pub(super) fn has_room(&self) -> bool {
        self.held < self.limit
    }

    /// Takes output in. A gap is marked before the first output after it.
    pub(super) fn push(&mut self, stream: Stream, bytes: Bytes) {
        self.mark_gap();
        self.add(stream, bytes);
    }

    /// Whether output is missing that was not marked yet.
    pub(super) fn has_gap(&self) -> bool {
        self.dropped > 0
    }

    /// Counts output that is not kept.
    pub(super) fn drop_output(&mut self, bytes: usize) {
        self.dropped += bytes as u64;
    }

    /// Says where output is missing, if any is.
    pub(super) fn mark_gap(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let text =
                format!("deployer: {dropped} bytes of output are missing here, they came faster than they were read");
            let (stream, text) = match self.terminal {
                true => (Stream::Out, format!("\r\n[{text}]\r\n")),
                false => (Stream::Err, format!("{text}\n")),
            };
            self.add(stream, Bytes::from(text));
        }
    }

    /// The oldest piece.
    pub(super) fn pop(&mut self) -> Option<ProcessEvent> {
        let (stream, piece) = self.pieces.pop_front()?;
        let bytes = match piece {
            Piece::Whole(bytes) => bytes,
            Piece::Growing(bytes) => bytes.freeze(),
        };
        self.held -= bytes.len() + OVERHEAD;
        Some(match stream {
            Stream::Out => ProcessEvent::Stdout(bytes),
            Stream::Err => ProcessEvent::Stderr(bytes),
        })
    }

    fn add(&mut self, stream: Stream, bytes: Bytes) {
        self.held += bytes.len();
        if let Some((last, Piece::Growing(piece))) = self.pieces.back_mut()
            && *last == stream
            && piece.len() + bytes.len() <= PIECE
        {
            piece.extend_from_slice(&bytes);
            return;
        }
        self.held += OVERHEAD;
        let piece =
            if bytes.len() < PIECE / 4 { Piece::Growing(BytesMut::from(&bytes[..])) } else { Piece::Whole(bytes) };
        self.pieces.push_back((stream, piece));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ring: &mut Ring) -> String {
        let mut out = String::new();
        while let Some(event) = ring.pop() {
            match event {
                ProcessEvent::Stdout(bytes) => out.push_str(&format!("<{}>", String::from_utf8_lossy(&bytes))),
                ProcessEvent::Stderr(bytes) => out.push_str(&format!("!{}!", String::from_utf8_lossy(&bytes))),
                ProcessEvent::Exit(_) => {}
            }
        }
        out
    }

    #[test]
    fn order_is_kept_and_small_pieces_are_joined() {
        let mut ring = Ring::new(1000, false);
        for (stream, bytes) in [(Stream::Out, "a"), (Stream::Out, "b"), (Stream::Err, "c"), (Stream::Out, "d")] {
            ring.push(stream, Bytes::from(bytes));
        }
        assert_eq!(text(&mut ring), "<ab>!c!<d>");
        assert!(ring.is_empty() && ring.held == 0);
    }

    #[test]
    fn a_gap_is_marked_where_it_is() {
        for (terminal, expected) in [
            (true, "<a\r\n[deployer: 7 bytes of output are missing here, they came faster than they were read]\r\nb>"),
            (false, "<a>!deployer: 7 bytes of output are missing here, they came faster than they were read\n!<b>"),
        ] {
            let mut ring = Ring::new(1000, terminal);
            ring.push(Stream::Out, Bytes::from("a"));
            ring.drop_output(3);
            ring.drop_output(4);
            ring.push(Stream::Out, Bytes::from("b"));
            assert_eq!(text(&mut ring), expected);
        }
    }

    #[test]
    fn single_bytes_do_not_cost_more_than_the_bound() {
        let mut ring = Ring::new(LIMIT, true);
        while ring.has_room() {
            ring.push(Stream::Out, Bytes::from_static(b"y"));
        }
        assert!(ring.pieces.len() <= LIMIT / PIECE + 1, "{}", ring.pieces.len());
    }
}
