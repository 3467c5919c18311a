//! The files of one journal: a directory that only its owner can read, one file a day, whole lines.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rustix::fs::{FlockOperation, OFlags};

/// How a file is named: `2026-11-22.jsonl`.
const SUFFIX: &str = "jsonl";

/// Daemons of one name that may keep a journal at once.
const NAMESAKES: usize = 100;

/// How far from its end a file is searched for its last line; no line is nearly as long.
const TAIL: u64 = 256 * 1024;

/// The files of one journal. It alone writes to them: the directory is locked.
pub(super) struct Files {
    place: PathBuf,
    _lock: File,
    today: Option<Today>,
    /// The number of the next line.
    pub(super) next: u64,
    /// A line that was not finished when the daemon before this one was killed, cut off: its file and its bytes.
    pub(super) repaired: Option<(String, u64)>,
}

struct Today {
    date: Date,
    file: File,
    /// Bytes of whole lines.
    good: u64,
}

impl Files {
    /// Opens (and makes) the directory `name` below `directory`, or `name-2` and so on when it is in use; repairs the
    /// newest file and finds out which number the next line has.
    pub(super) fn open(directory: &Path, name: &str) -> io::Result<Files> {
        private_directories(directory)?;
        for number in 1..=NAMESAKES {
            let name = if number == 1 { name.to_string() } else { format!("{name}-{number}") };
            let place = directory.join(name);
            private_directories(&place)?;
            if let Some(lock) = lock(&place)? {
                let mut files = Files { place, _lock: lock, today: None, next: 1, repaired: None };
                files.take_up()?;
                return Ok(files);
            }
        }
        Err(io::Error::other(format!("{NAMESAKES} daemons keep a journal in {}", directory.display())))
    }

    /// The directory.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    fn take_up(&mut self) -> io::Result<()> {
        let mut names: Vec<PathBuf> = self.place.read_dir()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        names.retain(|path| path.extension().is_some_and(|extension| extension == SUFFIX));
        names.sort();
        let Some(newest) = names.pop() else { return Ok(()) };
        let mut file = open(&newest)?;
        let (cut, last) = repair(&mut file)?;
        if cut > 0 {
            let name = newest.file_name().unwrap_or_default().to_string_lossy().into_owned();
            self.repaired = Some((name, cut));
        }
        let last = match last {
            Some(number) => Some(number),
            // All of the newest file was torn: the one before it knows.
            None => names.pop().map(|path| repair(&mut open(&path)?)).transpose()?.and_then(|(_, last)| last),
        };
        self.next = last.map_or(1, |last| last + 1);
        Ok(())
    }

    /// Appends a line, or several of one day, to the file of that day: all of it or nothing.
    ///
    /// # Errors
    /// The disk's; the file is as it was before.
    pub(super) fn append(&mut self, time: Timestamp, line: &[u8]) -> io::Result<()> {
        let today = self.today(time)?;
        match today.file.write_all(line) {
            Ok(()) => {
                today.good += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A part of it may be there; making a file shorter needs no room.
                today.file.set_len(today.good)?;
                Err(error)
            }
        }
    }

    /// What was written is on the disk when this returns.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.today.as_ref().map_or(Ok(()), |today| today.file.sync_data())
    }

    fn today(&mut self, time: Timestamp) -> io::Result<&mut Today> {
        let date = time.to_zoned(TimeZone::UTC).date();
        // A clock that goes back does not make older files longer.
        let today = match self.today.take() {
            Some(today) if today.date >= date => today,
            _ => {
                let file = open(&self.place.join(format!("{date}.{SUFFIX}")))?;
                let good = file.metadata()?.len();
                Today { date, file, good }
            }
        };
        Ok(self.today.insert(today))
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).read(true).append(true).mode(0o600);
    let file = options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(path)?;
    let facts = file.metadata()?;
    if !facts.is_file() || facts.uid() != us() {
        return Err(io::Error::other(format!("{} is not a file of ours", path.display())));
    }
    Ok(file)
}

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Makes what is missing of a path, 0700, and checks that its end is ours alone.
pub(crate) fn private_directories(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let facts = path.symlink_metadata()?;
    let problem = match facts.mode() & 0o7777 {
        _ if !facts.is_dir() => "is not a directory".to_string(),
        _ if facts.uid() != us() => format!("belongs to user id {}", facts.uid()),
        mode if mode & 0o022 != 0 => format!("can be written by others (mode {mode:04o}): `chmod 700` it"),
        _ => return Ok(()),
    };
    Err(io::Error::other(format!("{} {problem}", path.display())))
}

/// The lock of a directory; `None` when another process has it.
fn lock(place: &Path) -> io::Result<Option<File>> {
    let file = open(&place.join(".lock"))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Cuts off a line without an end; how many bytes, and the number of the last line, if there is one.
fn repair(file: &mut File) -> io::Result<(u64, Option<u64>)> {
    let length = file.metadata()?.len();
    let from = length.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    (&*file).take(TAIL).read_to_end(&mut tail)?;
    let end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let good = match (end, from) {
        // No line end in all of that: whatever it is, it is left alone behind an end of its own.
        (0, 1..) => {
            file.write_all(b"\n")?;
            length + 1
        }
        (end, from) => from + end as u64,
    };
    if good < length {
        file.set_len(good)?;
    }
    let number = |line: &[u8]| serde_json::from_slice::<serde_json::Value>(line).ok()?.get("seq")?.as_u64();
    let last = tail[..end].split(|byte| *byte == b'\n').rev().find_map(number);
    Ok((length.saturating_sub(good), last))
}
