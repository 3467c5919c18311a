//! asciicast v2: a line of JSON about the recording, then a line for each event. Each line is written at once, so that
//! what is there is whole when the daemon is killed.

use std::fs::File;
use std::io::{self, Write};
use std::time::Duration;

use deployer_core::terminal::Size;
use serde_json::json;

/// What is kept free for the line that says that the limit was reached.
const LAST_WORDS: u64 = 256;

/// The first line.
pub(super) struct Header {
    pub(super) size: Size,
    pub(super) term: String,
    pub(super) title: String,
    /// Seconds since 1970 UTC.
    pub(super) at: i64,
}

/// Where lines go: behind each other, and what a full disk took of one can be taken back.
pub(super) trait Out: Write {
    /// Forgets what is behind `length` bytes.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

/// One that was opened to append.
impl Out for File {
    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// A recording on its way into a file.
pub(crate) struct Cast<W> {
    out: W,
    written: u64,
    limit: u64,
    /// The beginning of a character whose rest has not come yet.
    half: Vec<u8>,
    /// Times never go back.
    last: Duration,
    full: bool,
}

impl<W: Out> Cast<W> {
    /// Writes the header; no more than `limit` bytes will be written in all.
    pub(super) fn begin(out: W, header: &Header, limit: u64) -> io::Result<Cast<W>> {
        let Header { size, term, title, at } = header;
        let first = json!({
            "version": 2, "width": size.cols, "height": size.rows, "timestamp": at, "title": title, "env": { "TERM": term },
        });
        let mut cast = Cast { out, written: 0, limit, half: Vec::new(), last: Duration::ZERO, full: false };
        cast.append(&format!("{first}\n"))?;
        Ok(cast)
    }

    /// Bytes that the terminal was sent. Those that are no UTF-8 are replaced.
    pub(super) fn output(&mut self, at: Duration, bytes: &[u8]) -> io::Result<()> {
        let mut all = std::mem::take(&mut self.half);
        all.extend_from_slice(bytes);
        let whole = all.len() - unfinished(&all);
        self.half = all.split_off(whole);
        match all.is_empty() {
            true => Ok(()),
            false => self.events(at, &[("o", &String::from_utf8_lossy(&all))]),
        }
    }

    /// Bytes were left out, and perhaps sizes; these draw the whole screen.
    pub(super) fn redrawn(&mut self, at: Duration, size: Size, bytes: &[u8]) -> io::Result<()> {
        self.half.clear();
        let mark = ("m", "output is missing here: the disk was too slow or full");
        self.events(at, &[mark, ("r", &told(size)), ("o", &String::from_utf8_lossy(bytes))])
    }

    /// The terminal has another size.
    pub(super) fn resize(&mut self, at: Duration, size: Size) -> io::Result<()> {
        self.events(at, &[("r", &told(size))])
    }

    /// The limit, when nothing is written any more because of it.
    pub(super) fn limit_reached(&self) -> Option<u64> {
        self.full.then_some(self.limit)
    }

    /// All of them or none.
    fn events(&mut self, at: Duration, events: &[(&str, &str)]) -> io::Result<()> {
        if self.full {
            return Ok(());
        }
        self.last = self.last.max(at);
        let seconds = self.last.as_micros() as f64 / 1e6;
        let lines: String = events.iter().map(|(code, data)| format!("{}\n", json!([seconds, code, data]))).collect();
        if self.written + lines.len() as u64 + LAST_WORDS > self.limit {
            self.full = true;
            let why = format!("the recording ends here: it has reached its limit of {} bytes", self.limit);
            return self.append(&format!("{}\n", json!([seconds, "m", why])));
        }
        self.append(&lines)
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        let appended = self.out.write_all(lines.as_bytes());
        match &appended {
            Ok(()) => self.written += lines.len() as u64,
            // Half a line would make what comes behind it unreadable.
            Err(_) => self.out.cut(self.written)?,
        }
        appended
    }
}

fn told(size: Size) -> String {
    format!("{}x{}", size.cols, size.rows)
}

/// How many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let needs = match bytes[bytes.len() - back] {
            0x80..=0xbf => continue,
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        return if needs > back { back } else { 0 };
    }
    0
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 24, cols: 80 };

    /// A disk with room for so many bytes.
    struct Disk {
        bytes: Vec<u8>,
        room: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match bytes.len().min(self.room - self.bytes.len()) {
                0 => Err(io::ErrorKind::StorageFull.into()),
                count => {
                    self.bytes.extend(&bytes[..count]);
                    Ok(count)
                }
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Out for Disk {
        fn cut(&mut self, length: u64) -> io::Result<()> {
            self.bytes.truncate(length as usize);
            Ok(())
        }
    }

    fn cast(limit: u64) -> Cast<Disk> {
        let header = Header { size: SIZE, term: "xterm".to_string(), title: "s1".to_string(), at: 1_700_000_000 };
        Cast::begin(Disk { bytes: Vec::new(), room: 1 << 20 }, &header, limit).unwrap()
    }

    fn lines(cast: &Cast<Disk>) -> Vec<serde_json::Value> {
        let text = std::str::from_utf8(&cast.out.bytes).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn characters_are_whole_and_times_never_go_back() {
        let mut cast = cast(10_000);
        let at = Duration::from_millis;
        cast.output(at(1500), "a漢".as_bytes().split_at(2).0).unwrap();
        cast.output(at(1000), "a漢".as_bytes().split_at(2).1).unwrap();
        cast.output(at(2000), b"\xff\x1b[1m\x80").unwrap();
        cast.resize(at(3000), Size { rows: 50, cols: 132 }).unwrap();
        cast.redrawn(at(4000), SIZE, b"all").unwrap();
        let lines = lines(&cast);
        let header = json!({
            "version": 2, "width": 80, "height": 24, "timestamp": 1_700_000_000, "title": "s1", "env": { "TERM": "xterm" },
        });
        assert_eq!(lines[0], header);
        assert_eq!(
            lines[1..4],
            [json!([1.5, "o", "a"]), json!([1.5, "o", "漢"]), json!([2.0, "o", "\u{fffd}\x1b[1m\u{fffd}"])]
        );
        assert_eq!(lines[4], json!([3.0, "r", "132x50"]));
        assert_eq!((&lines[5][1], &lines[6][2], &lines[7][2]), (&json!("m"), &json!("80x24"), &json!("all")));
    }

    #[test]
    fn it_ends_at_its_limit_and_says_so() {
        let mut cast = cast(2000);
        for _ in 0..1000 {
            cast.output(Duration::ZERO, b"yes\r\n").unwrap();
        }
        assert!(cast.out.bytes.len() <= 2000, "{}", cast.out.bytes.len());
        let lines = lines(&cast);
        assert!(lines.last().unwrap()[2].as_str().unwrap().contains("limit of 2000 bytes"));
    }

    #[test]
    fn what_a_full_disk_took_of_a_line_is_taken_back() {
        let mut cast = cast(10_000);
        cast.output(Duration::ZERO, b"before").unwrap();
        cast.out.room = cast.out.bytes.len() + 10;
        assert!(cast.output(Duration::ZERO, b"too much").is_err());
        assert!(cast.redrawn(Duration::ZERO, SIZE, b"too much").is_err());
        assert_eq!(lines(&cast).len(), 2);
        cast.out.room = 1 << 20;
        cast.redrawn(Duration::ZERO, SIZE, b"again").unwrap();
        assert_eq!(lines(&cast).last().unwrap()[2], json!("again"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_make_whole_lines(pieces in proptest::collection::vec(proptest::collection::vec(0u8.., 0..20), 0..20)) {
            let mut cast = cast(1_000_000);
            for piece in &pieces {
                cast.output(Duration::ZERO, piece).unwrap();
            }
            let half = cast.half.clone();
            assert!(half.len() <= 3);
            let text: String = lines(&cast)[1..].iter().map(|line| line[2].as_str().unwrap().to_string()).collect();
            let all = pieces.concat();
            if let Ok(whole) = std::str::from_utf8(&all) {
                assert_eq!(text, whole);
            }
        }
    }
}
