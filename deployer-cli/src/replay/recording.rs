//! Reading asciicast v2, line by line, as far as it is whole.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::time::Duration;

use deployer_core::terminal::Size;
use serde::Deserialize;

use crate::failure::Failure;

/// Longest line, bytes: output comes in pieces of some KiB.
const LINE_MAX: u64 = 1024 * 1024;

/// Largest screen; larger ones are cut.
const SIDE_MAX: u16 = 1000;

/// Longest pause that is played: a day.
const PAUSE_MAX: f64 = 86_400.0;

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum What {
    /// The terminal was sent this.
    Output(String),
    /// It got another size.
    Resize(Size),
}

/// An event and when it happens, from the beginning.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) at: Duration,
    pub(crate) what: What,
}

/// A recording that is being read.
#[derive(Debug)]
pub(crate) struct Recording<R = BufReader<File>> {
    lines: R,
    name: String,
    number: usize,
    last: Duration,
    /// The size at the beginning.
    pub(crate) size: Size,
}

#[derive(Deserialize)]
struct Header {
    version: u32,
    width: u16,
    height: u16,
}

impl Recording {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// Exit status 2: it cannot be read, or is no asciicast of version 2.
    pub(crate) fn open(path: &Path) -> Result<Recording, Failure> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::usage(format!("cannot read {name}: {error}")))?;
        Recording::read(BufReader::new(file), name)
    }
}

impl<R: BufRead> Recording<R> {
    fn read(lines: R, name: String) -> Result<Recording<R>, Failure> {
        let mut recording = Recording { lines, name, number: 0, last: Duration::ZERO, size: Size::DEFAULT };
        let first = recording.line()?.unwrap_or_default();
        match serde_json::from_slice::<Header>(&first) {
            Ok(Header { version: 2, width, height }) => {
                recording.size = size(height, width);
                Ok(recording)
            }
            Ok(header) => Err(recording.refused(&format!("it has version {}", header.version))),
            Err(_) => Err(recording.refused("its first line is no header")),
        }
    }

    fn refused(&self, why: &str) -> Failure {
        Failure::usage(format!("{} cannot be replayed: {why}; an asciicast of version 2 is needed", self.name))
    }

    /// The next event; `None` at the end. A last line without an end is what a killed daemon may leave: it is the end.
    ///
    /// # Errors
    /// With the line: what is no event.
    pub(crate) fn next(&mut self) -> Result<Option<Event>, Failure> {
        while let Some(line) = self.line()? {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Ok((at, code, data)) = serde_json::from_slice::<(f64, String, String)>(&line) else {
                return Err(self.refused(&format!("line {} is no event", self.number)));
            };
            // A pause is bounded and time never goes back, whatever the file says.
            let at = if at.is_finite() { at.clamp(0.0, self.last.as_secs_f64() + PAUSE_MAX) } else { 0.0 };
            self.last = self.last.max(Duration::from_secs_f64(at));
            let what = match code.as_str() {
                "o" => What::Output(data),
                "r" => match resized(&data) {
                    Some(size) => What::Resize(size),
                    None => return Err(self.refused(&format!("line {} is no size", self.number))),
                },
                // Marks, and input, which is never played.
                _ => continue,
            };
            return Ok(Some(Event { at: self.last, what }));
        }
        Ok(None)
    }

    /// The next whole line, without its end.
    fn line(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        use std::io::Read;
        let mut line = Vec::new();
        let read = (&mut self.lines).take(LINE_MAX).read_until(b'\n', &mut line);
        read.map_err(|error| Failure::usage(format!("cannot read {}: {error}", self.name)))?;
        self.number += 1;
        match line.pop() {
            Some(b'\n') => Ok(Some(line)),
            Some(_) if line.len() as u64 + 1 >= LINE_MAX => {
                Err(self.refused(&format!("line {} is longer than {LINE_MAX} bytes", self.number)))
            }
            _ => Ok(None),
        }
    }
}

/// `80x24`: columns and rows.
fn resized(data: &str) -> Option<Size> {
    let (cols, rows) = data.split_once('x')?;
    Some(size(rows.parse().ok()?, cols.parse().ok()?))
}

fn size(rows: u16, cols: u16) -> Size {
    Size { rows: rows.clamp(1, SIDE_MAX), cols: cols.clamp(2, SIDE_MAX) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HEADER: &str = "{\"version\":2,\"width\":80,\"height\":24}\n";

    fn all(text: &str) -> Result<Vec<Event>, String> {
        let mut recording = Recording::read(text.as_bytes(), "x.cast".to_string()).map_err(|error| error.message)?;
        let mut events = Vec::new();
        while let Some(event) = recording.next().map_err(|error| error.message)? {
            events.push(event);
        }
        Ok(events)
    }

    #[test]
    fn a_recording_is_played_up_to_a_torn_line() {
        let text = format!(
            "{HEADER}[0.5,\"o\",\"a\\u001b[1m\"]\n[0.25,\"r\",\"132x50\"]\n[1.0,\"i\",\"secret\"]\n[2,\"m\",\"x\"]\n\n[3,\"o\",\"b\"]\n[4,\"o\",\"to"
        );
        let output = |ms, text: &str| Event { at: Duration::from_millis(ms), what: What::Output(text.to_string()) };
        let resize = Event { at: Duration::from_millis(500), what: What::Resize(Size { rows: 50, cols: 132 }) };
        assert_eq!(all(&text).unwrap(), [output(500, "a\x1b[1m"), resize, output(3000, "b")]);
    }

    #[test]
    fn what_is_no_recording_is_refused() {
        for (text, why) in [
            ("", "no header"),
            ("{}\n", "no header"),
            ("{\"version\":3,\"width\":80,\"height\":24}\n", "version 3"),
            (&*format!("{HEADER}[1,\"o\"]\n"), "line 2 is no event"),
            (&*format!("{HEADER}[1,\"r\",\"80\"]\n"), "line 2 is no size"),
            (&*format!("{HEADER}{}", "x".repeat(LINE_MAX as usize)), "longer than"),
        ] {
            let error = all(text).unwrap_err();
            assert!(error.contains(why) && error.contains("x.cast"), "{error}");
        }
    }

    #[test]
    fn no_time_makes_it_wait_for_ever() {
        let text = format!("{HEADER}[1e300,\"o\",\"a\"]\n[-5,\"o\",\"b\"]\n");
        let events = all(&text).unwrap();
        assert!(events.iter().all(|event| event.at.as_secs() <= 86_400), "{events:?}");
    }
}
