//! The marks that end a command in the output of a shell that goes on: one on each stream, so that nothing is missing before
//! them. For helper shells of SSH hosts and for the shells behind a wrapper.
//!
//! On stdout `ESC _ deployer : TOKEN : NUMBER : STATUS : LEFT ESC \`, on stderr the same without status and what is left.

use bstr::ByteSlice;
use bytes::{Bytes, BytesMut};

use super::process::Stream;

const END: &[u8] = b"\x1b\\";
/// The longest mark from its first number on; anything longer is none.
const MARK_MAX: usize = 64;

/// How a command ended, as its shell tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) struct End {
    /// Its status, as `$?` has it.
    pub(in crate::host) status: i32,
    /// Something that it started is still alive.
    pub(in crate::host) left: bool,
}

/// Finds both marks of one command and takes them out of the output.
pub(in crate::host) struct EndMarks {
    out: EndMark,
    err: EndMark,
}

struct EndMark {
    start: Vec<u8>,
    /// The beginning of what may be the mark; what follows its start when that was found.
    held: BytesMut,
    begun: bool,
    /// What stands in it.
    text: Option<String>,
}

impl EndMarks {
    /// The marks of a command, or of the shell itself with the word `ready`.
    pub(in crate::host) fn new(token: &str, number: &str) -> EndMarks {
        let start = format!("\x1b_deployer:{token}:{number}:").into_bytes();
        EndMarks { out: EndMark::new(start.clone()), err: EndMark::new(start) }
    }

    /// Takes output in and gives what is not of a mark.
    pub(in crate::host) fn filter(&mut self, stream: Stream, bytes: Bytes) -> Bytes {
        self.of(stream).filter(bytes)
    }

    /// What was held back, when no more output comes.
    pub(in crate::host) fn rest(&mut self, stream: Stream) -> Bytes {
        let mark = self.of(stream);
        if mark.begun { Bytes::new() } else { mark.held.split().freeze() }
    }

    /// The end, when both streams have come to it.
    pub(in crate::host) fn end(&self) -> Option<End> {
        self.err.text.as_ref()?;
        self.first()
    }

    /// What the mark of stdout says.
    pub(in crate::host) fn first(&self) -> Option<End> {
        let (status, left) = self.out.text.as_ref()?.split_once(':')?;
        Some(End { status: status.parse().ok()?, left: left != "0" })
    }

    fn of(&mut self, stream: Stream) -> &mut EndMark {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

impl EndMark {
    fn new(start: Vec<u8>) -> EndMark {
        EndMark { start, held: BytesMut::new(), begun: false, text: None }
    }

    fn filter(&mut self, bytes: Bytes) -> Bytes {
        let bytes = match self.held.is_empty() {
            true => bytes,
            false => {
                self.held.extend_from_slice(&bytes);
                self.held.split().freeze()
            }
        };
        if self.begun {
            self.complete(&bytes);
            return Bytes::new();
        }
        match bytes.find(&self.start) {
            Some(at) => {
                self.begun = true;
                self.complete(&bytes[at + self.start.len()..]);
                bytes.slice(..at)
            }
            None => self.hold_back(bytes),
        }
    }

    /// Output after a mark belongs to nobody.
    fn complete(&mut self, rest: &[u8]) {
        match rest.find(END) {
            Some(at) if at <= MARK_MAX => {
                self.text.get_or_insert_with(|| String::from_utf8_lossy(&rest[..at]).into_owned());
            }
            None if rest.len() <= MARK_MAX => self.held.extend_from_slice(rest),
            _ => {}
        }
    }

    /// Keeps the end of the output back when the mark may begin there.
    fn hold_back(&mut self, bytes: Bytes) -> Bytes {
        let longest = self.start.len().min(bytes.len());
        let begun = (1..=longest).rev().find(|length| self.start.starts_with(&bytes[bytes.len() - length..]));
        let keep = bytes.len() - begun.unwrap_or(0);
        self.held.extend_from_slice(&bytes[keep..]);
        bytes.slice(..keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fed(output: &[u8], err: &[u8], size: usize) -> (Vec<u8>, Option<End>) {
        let mut marks = EndMarks::new("00ff", "7");
        let mut text = Vec::new();
        for piece in output.chunks(size) {
            text.extend_from_slice(&marks.filter(Stream::Out, Bytes::copy_from_slice(piece)));
        }
        for piece in err.chunks(size) {
            text.extend_from_slice(&marks.filter(Stream::Err, Bytes::copy_from_slice(piece)));
        }
        let end = marks.end();
        text.extend_from_slice(&marks.rest(Stream::Out));
        text.extend_from_slice(&marks.rest(Stream::Err));
        (text, end)
    }

    #[test]
    fn marks_are_taken_out_however_they_are_cut() {
        for size in 1..60 {
            let (text, end) = fed(
                b"any \x1b_deployer:00ff:6:0:0\x1b\\ \x00\xff\x1b_depl\x1b_deployer:00ff:7:143:1\x1b\\",
                b"e\x1b_deployer:00ff:7:\x1b\\",
                size,
            );
            assert_eq!(text, b"any \x1b_deployer:00ff:6:0:0\x1b\\ \x00\xff\x1b_deple", "in pieces of {size}");
            assert_eq!(end, Some(End { status: 143, left: true }), "in pieces of {size}");
        }
    }

    #[test]
    fn without_both_marks_there_is_no_end_and_nothing_is_lost() {
        let (text, end) = fed(b"out\x1b_deployer:00ff:7:0:0\x1b\\", b"err\x1b_deployer:00ff", 5);
        assert_eq!((text.as_slice(), end), (&b"outerr\x1b_deployer:00ff"[..], None));
        let long = [b"\x1b_deployer:00ff:7:".as_slice(), &[b'1'; 200], b"\x1b\\"].concat();
        assert_eq!(fed(&long, b"\x1b_deployer:00ff:7:\x1b\\", 9).1, None);
    }
}
