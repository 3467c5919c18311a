//! The mark with which a command tells its process group before anything else.
//!
//! The signals of the SSH protocol are not enough to end a command: sshd ignores them before version 7.9 and for root,
//! and takes none once the shell has ended, whatever it left running. With the number of the group a second channel can
//! do what a person would do. The mark is written by the shell that runs the line, on stderr (or the terminal), in the
//! form of a control string that terminals ignore, and taken out of the output here.

use bytes::{Bytes, BytesMut};
use rand::Rng;

/// Output in which no mark was found: then there is none, a login shell may print less than this before.
const GIVE_UP: usize = 64 * 1024;
/// The longest process number.
const DIGITS: usize = 10;

/// Finds the mark of one command in its output and takes it out.
#[derive(Debug)]
pub(super) struct Mark {
    start: Vec<u8>,
    /// The beginning of what may be the mark.
    held: BytesMut,
    seen: usize,
    found: bool,
}

const END: &[u8] = b"\x1b\\";

impl Mark {
    pub(super) fn new() -> Mark {
        let token: u64 = rand::rng().random();
        Mark {
            start: format!("\x1b_deployer:{token:016x}:").into_bytes(),
            held: BytesMut::new(),
            seen: 0,
            found: false,
        }
    }

    /// A command that prints the mark, to be put before a line. Its status does not reach the line, and `$?` is 0 there.
    pub(super) fn command(&self) -> String {
        let token = String::from_utf8_lossy(&self.start[b"\x1b_".len()..]);
        format!(r#"printf '\033_{token}%s\033\\' "$$" >&2; "#)
    }

    /// Takes output in and gives what is not the mark, and the process number when the mark was completed.
    pub(super) fn filter(&mut self, bytes: Bytes) -> (Bytes, Option<i32>) {
        if self.found {
            return (bytes, None);
        }
        let bytes = match self.held.is_empty() {
            true => bytes,
            false => {
                self.held.extend_from_slice(&bytes);
                self.held.split().freeze()
            }
        };
        let Some(at) = find(&bytes, &self.start) else { return (self.hold_back(bytes), None) };
        let number = &bytes[at + self.start.len()..];
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let rest = &number[digits..];
        if digits <= DIGITS && rest.len() < END.len() && END.starts_with(rest) {
            self.held.extend_from_slice(&bytes[at..]);
            return (bytes.slice(..at), None);
        }
        self.found = true;
        let parsed = std::str::from_utf8(&number[..digits]).ok().and_then(|text| text.parse().ok());
        let (true, Some(pid)) = (rest.starts_with(END), parsed.filter(|pid: &i32| *pid > 1)) else {
            return (bytes, None);
        };
        let mut around = BytesMut::from(&bytes[..at]);
        around.extend_from_slice(&rest[END.len()..]);
        (around.freeze(), Some(pid))
    }

    /// What was held back, when no more output comes.
    pub(super) fn rest(&mut self) -> Bytes {
        self.found = true;
        self.held.split().freeze()
    }

    /// Keeps the end of the output back when the mark may begin there.
    fn hold_back(&mut self, bytes: Bytes) -> Bytes {
        self.seen += bytes.len();
        if self.seen > GIVE_UP {
            self.found = true;
            return bytes;
        }
        let longest = self.start.len().min(bytes.len());
        let begun = (1..=longest).rev().find(|length| self.start.starts_with(&bytes[bytes.len() - length..]));
        let keep = bytes.len() - begun.unwrap_or(0);
        self.held.extend_from_slice(&bytes[keep..]);
        bytes.slice(..keep)
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds output in pieces of a size and gives what is left of it, and the number.
    fn filtered(mark: &mut Mark, output: &[u8], size: usize) -> (String, Option<i32>) {
        let (mut text, mut pid) = (Vec::new(), None);
        for piece in output.chunks(size) {
            let (rest, found) = mark.filter(Bytes::copy_from_slice(piece));
            text.extend_from_slice(&rest);
            pid = pid.or(found);
        }
        text.extend_from_slice(&mark.rest());
        (String::from_utf8_lossy(&text).into_owned(), pid)
    }

    #[test]
    fn the_mark_is_found_and_taken_out_however_it_is_cut() {
        for size in 1..80 {
            let mut mark = Mark::new();
            let mut output = b"a greeting\x1b_depl ".to_vec();
            output.extend_from_slice(&mark.start);
            output.extend_from_slice(b"4711\x1b\\and \x1b_deployer: more");
            let expected = ("a greeting\x1b_depl and \x1b_deployer: more".to_string(), Some(4711));
            assert_eq!(filtered(&mut mark, &output, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn output_without_a_mark_or_with_a_strange_one_is_left_alone() {
        for number in ["", "x", "1", "0", "99999999999999", "4711\x1b", "4711"] {
            for size in [1, 7, 1000] {
                let mut mark = Mark::new();
                let mut output = mark.start.clone();
                output.extend_from_slice(number.as_bytes());
                let (text, pid) = filtered(&mut mark, &output, size);
                assert_eq!((text.as_bytes(), pid), (&output[..], None), "{number}");
            }
        }
        let plain = "x".repeat(3 * GIVE_UP);
        assert_eq!(filtered(&mut Mark::new(), plain.as_bytes(), 1000), (plain, None));
    }
}
