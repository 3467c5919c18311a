//! What a line of the journal holds. docs/journal.md is the same for people.

use jiff::Timestamp;
use serde::Serialize;

use crate::authority::{Person, Rank};

/// Longest text in one field, characters: commands may be whole scripts.
const TEXT_MAX: usize = 4096;

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// When.
    pub(super) time: Timestamp,
    /// Who and in which session.
    pub(super) about: About,
    /// What.
    pub(super) what: What,
}

impl Entry {
    /// It happens now.
    pub(crate) fn now(about: About, what: What) -> Entry {
        Entry { time: Timestamp::now(), about, what }
    }

    /// The day it belongs to (UTC), counted from 1970.
    pub(super) fn day(&self) -> i64 {
        self.time.as_second().div_euclid(24 * 60 * 60)
    }
}

/// Who did it, and where in the daemon.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    /// Others whose keys had a part in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    with: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<String>,
}

impl About {
    /// The daemon itself.
    pub(crate) fn daemon() -> About {
        About::default()
    }

    /// Somebody.
    pub(crate) fn person(person: &Person) -> About {
        About { user: Some(person.name.clone()), uid: Some(person.uid), ..About::default() }
    }

    /// Somebody of whom only the id is known.
    pub(crate) fn uid(uid: u32) -> About {
        About { uid: Some(uid), ..About::default() }
    }

    /// Those whose keys it came from, the one who typed last first.
    pub(crate) fn people(people: &[std::sync::Arc<Person>]) -> About {
        let Some((first, others)) = people.split_first() else { return About::daemon() };
        About { with: others.iter().map(|person| person.name.clone()).collect(), ..About::person(first) }
    }

    /// In this session.
    pub(crate) fn in_session(self, session: &str) -> About {
        About { session: Some(session.to_string()), ..self }
    }
}

/// What happened. The names of the events are the variants in kebab case.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum What {
    /// The daemon serves.
    Start { pid: u32, version: &'static str, socket: String, tree: String },
    /// It does not any more.
    Stop { pid: u32 },
    /// The policy was read again.
    Reload { ok: bool, reason: Option<String> },
    /// Somebody opened a session.
    Open { path: String },
    /// A session has ended.
    End { status: i32 },
    /// A client is attached.
    Attach { client: u64, watch: bool, rank: Option<Rank> },
    /// It is not any more.
    Detach { client: u64 },
    /// Somebody ended a session of his own or another's.
    Kill,
    /// The owner shares the keyboard, or does not any more.
    Share { to: String, on: bool },
    /// The session belongs to somebody else now.
    HandOver { to: String },
    /// The session is recorded.
    Recording { file: String },
    /// An action begins.
    Action { node: String, action: String, parameters: Vec<String>, sandbox: bool },
    /// It has ended; the exit status of design 4.
    ActionEnd { node: String, action: String, status: i32, elapsed_ms: u64 },
    /// A command begins on a host.
    Command { node: String, host: String, command: String, sudo: bool, sandbox: bool },
    /// It has ended.
    CommandEnd {
        node: String,
        host: String,
        /// Missing for a silent one.
        command: Option<String>,
        /// Exit status, when it exited.
        code: Option<i32>,
        outcome: String,
        elapsed_ms: u64,
    },
    /// A file of a host was read, written or transferred, as far as `ok` says.
    File {
        host: String,
        /// `read`, `write`, `append`, `put`, `get`.
        operation: &'static str,
        remote: String,
        local: Option<String>,
        sudo: bool,
        sandbox: bool,
        ok: bool,
        bytes: u64,
        elapsed_ms: u64,
    },
    /// Something was not permitted.
    Refusal { verb: String, node: Option<String>, reason: String },
    /// A torn line was cut off when the journal was opened.
    Repaired { file: String, bytes: u64 },
    /// Lines that could not be written before this one.
    Lost { lines: u64 },
}

/// Text short enough for a field.
pub(crate) fn text(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_string(),
    }
}

impl Serialize for Rank {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A line as it is written.
#[derive(Serialize)]
struct Line<'a> {
    seq: u64,
    time: String,
    #[serde(flatten)]
    what: &'a What,
    #[serde(flatten)]
    about: &'a About,
}

/// The line with its end. JSON escapes the control characters below the blank; those above are escaped too, so that
/// nothing that a host or a person chose steers the terminal of whoever reads the journal.
pub(super) fn line(seq: u64, entry: &Entry) -> serde_json::Result<Vec<u8>> {
    let time = format!("{:.3}", entry.time);
    let line = serde_json::to_string(&Line { seq, time, what: &entry.what, about: &entry.about })?;
    if !line.bytes().any(|byte| matches!(byte, 0x7f | 0xc2)) {
        return Ok((line + "\n").into_bytes());
    }
    let mut bytes = Vec::with_capacity(line.len() + 1);
    for c in line.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => bytes.extend(format!("\\u{:04x}", u32::from(c)).bytes()),
            c => bytes.extend(c.encode_utf8(&mut [0; 4]).bytes()),
        }
    }
    bytes.push(b'\n');
    Ok(bytes)
}
