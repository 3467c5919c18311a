//! SFTP messages, version 3 (draft-ietf-secsh-filexfer-02) with OpenSSH's extensions, to and from bytes.
//!
//! Everything read here comes from a server and is taken to be hostile: each length is checked against what is there.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::host::files::{Attributes, Fault, Problem, Stat};

pub(super) const INIT: u8 = 1;
pub(super) const VERSION: u8 = 2;
pub(super) const OPEN: u8 = 3;
pub(super) const CLOSE: u8 = 4;
pub(super) const READ: u8 = 5;
pub(super) const WRITE: u8 = 6;
pub(super) const LSTAT: u8 = 7;
pub(super) const FSTAT: u8 = 8;
pub(super) const SETSTAT: u8 = 9;
pub(super) const FSETSTAT: u8 = 10;
pub(super) const OPENDIR: u8 = 11;
pub(super) const READDIR: u8 = 12;
pub(super) const REMOVE: u8 = 13;
pub(super) const MKDIR: u8 = 14;
pub(super) const RMDIR: u8 = 15;
pub(super) const STAT: u8 = 17;
pub(super) const RENAME: u8 = 18;
pub(super) const READLINK: u8 = 19;
pub(super) const SYMLINK: u8 = 20;
pub(super) const EXTENDED: u8 = 200;
const STATUS: u8 = 101;
const HANDLE: u8 = 102;
const DATA: u8 = 103;
const NAME: u8 = 104;
const ATTRS: u8 = 105;
const EXTENDED_REPLY: u8 = 201;

pub(super) const OPEN_READ: u32 = 1;
pub(super) const OPEN_WRITE: u32 = 2;
pub(super) const OPEN_APPEND: u32 = 4;
pub(super) const OPEN_CREATE: u32 = 8;
pub(super) const OPEN_TRUNCATE: u32 = 16;
pub(super) const OPEN_NEW: u32 = 32;

const HAS_SIZE: u32 = 1;
const HAS_OWNER: u32 = 2;
const HAS_MODE: u32 = 4;
const HAS_TIMES: u32 = 8;
const HAS_EXTENDED: u32 = 0x8000_0000;

const OK: u32 = 0;
const EOF: u32 = 1;

/// What a server answers.
#[derive(Debug)]
pub(super) enum Reply {
    Done,
    End,
    Failed(Fault),
    Handle(Bytes),
    Data(Bytes),
    Names(Vec<(OsString, Stat)>),
    Attributes(Stat),
    Extended(Bytes),
}

/// A message that does not end where it says, or is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A request in the making: everything behind its length.
pub(super) struct Request(BytesMut);

impl Request {
    pub(super) fn new(kind: u8, id: u32) -> Request {
        let mut bytes = BytesMut::with_capacity(128);
        bytes.put_u32(0);
        bytes.put_u8(kind);
        bytes.put_u32(id);
        Request(bytes)
    }

    pub(super) fn path(self, path: &Path) -> Request {
        self.text(path.as_os_str().as_bytes())
    }

    pub(super) fn text(mut self, text: &[u8]) -> Request {
        self.0.put_u32(text.len() as u32);
        self.0.put_slice(text);
        self
    }

    pub(super) fn number(mut self, number: u32) -> Request {
        self.0.put_u32(number);
        self
    }

    pub(super) fn offset(mut self, offset: u64) -> Request {
        self.0.put_u64(offset);
        self
    }

    pub(super) fn attributes(mut self, attributes: &Attributes) -> Request {
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        self.0.put_u32(
            flag(attributes.size.is_some(), HAS_SIZE)
                | flag(attributes.owner.is_some(), HAS_OWNER)
                | flag(attributes.mode.is_some(), HAS_MODE)
                | flag(attributes.times.is_some(), HAS_TIMES),
        );
        if let Some(size) = attributes.size {
            self.0.put_u64(size);
        }
        if let Some((uid, gid)) = attributes.owner {
            self.0.put_u32(uid);
            self.0.put_u32(gid);
        }
        if let Some(mode) = attributes.mode {
            self.0.put_u32(mode);
        }
        if let Some((read, written)) = attributes.times {
            self.0.put_u32(read);
            self.0.put_u32(written);
        }
        self
    }

    /// The bytes, with room in the length for so many more that are sent behind them.
    pub(super) fn finish(mut self, following: usize) -> Bytes {
        let length = (self.0.len() - 4 + following) as u32;
        self.0[..4].copy_from_slice(&length.to_be_bytes());
        self.0.freeze()
    }
}

pub(super) fn number(bytes: &mut Bytes) -> Result<u32, Malformed> {
    bytes.try_get_u32().map_err(|_| Malformed)
}

pub(super) fn long(bytes: &mut Bytes) -> Result<u64, Malformed> {
    bytes.try_get_u64().map_err(|_| Malformed)
}

pub(super) fn text(bytes: &mut Bytes) -> Result<Bytes, Malformed> {
    let length = number(bytes)? as usize;
    if length > bytes.len() {
        return Err(Malformed);
    }
    Ok(bytes.split_to(length))
}

fn attributes(bytes: &mut Bytes) -> Result<Stat, Malformed> {
    let flags = number(bytes)?;
    let size = if flags & HAS_SIZE != 0 { long(bytes)? } else { 0 };
    let (uid, gid) = if flags & HAS_OWNER != 0 { (number(bytes)?, number(bytes)?) } else { (0, 0) };
    let mode = if flags & HAS_MODE != 0 { number(bytes)? } else { 0 };
    let (accessed, modified) = if flags & HAS_TIMES != 0 { (number(bytes)?, number(bytes)?) } else { (0, 0) };
    if flags & HAS_EXTENDED != 0 {
        for _ in 0..number(bytes)? {
            text(bytes)?;
            text(bytes)?;
        }
    }
    let kind = Stat::kind_of(mode);
    Ok(Stat { name: OsString::new(), kind, size, uid, gid, mode: mode & 0o7777, accessed, modified })
}

fn names(bytes: &mut Bytes) -> Result<Vec<(OsString, Stat)>, Malformed> {
    let count = number(bytes)?;
    let mut names = Vec::new();
    for _ in 0..count {
        let name = OsString::from_vec(text(bytes)?.to_vec());
        text(bytes)?;
        names.push((name, attributes(bytes)?));
    }
    Ok(names)
}

fn status(bytes: &mut Bytes) -> Result<Reply, Malformed> {
    let code = number(bytes)?;
    // Version 3 has a message here; older servers leave it out.
    let said = text(bytes).map(|said| String::from_utf8_lossy(&said).into_owned()).unwrap_or_default();
    Ok(match code {
        OK => Reply::Done,
        EOF => Reply::End,
        2 => Reply::Failed(Fault::of(Problem::Missing)),
        3 => Reply::Failed(Fault::of(Problem::Denied)),
        6 | 7 => Reply::Failed(Fault::of(Problem::Lost)),
        8 => Reply::Failed(Fault::of(Problem::Unsupported)),
        _ => {
            let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
            let said = if said.is_empty() { "failure".to_string() } else { said.to_lowercase() };
            Reply::Failed(Fault::new(Problem::Other, said))
        }
    })
}

/// The number of the request and the answer to it.
pub(super) fn reply(mut bytes: Bytes) -> Result<(u32, Reply), Malformed> {
    let kind = bytes.try_get_u8().map_err(|_| Malformed)?;
    let id = number(&mut bytes)?;
    let bytes = &mut bytes;
    let reply = match kind {
        STATUS => status(bytes)?,
        HANDLE => Reply::Handle(text(bytes)?),
        DATA => Reply::Data(text(bytes)?),
        NAME => Reply::Names(names(bytes)?),
        ATTRS => Reply::Attributes(attributes(bytes)?),
        EXTENDED_REPLY => Reply::Extended(std::mem::take(bytes)),
        _ => return Err(Malformed),
    };
    Ok((id, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u8, body: &[u8]) -> Bytes {
        Bytes::from([&[kind, 0, 0, 0, 7], body].concat())
    }

    #[test]
    fn a_request_says_how_long_it_is() {
        let request = Request::new(WRITE, 7).text(b"h").offset(5).number(3).finish(3);
        assert_eq!(&request[..], b"\0\0\0\x19\x06\0\0\0\x07\0\0\0\x01h\0\0\0\0\0\0\0\x05\0\0\0\x03");
    }

    #[test]
    fn attributes_come_back_as_they_went() {
        let sent = Attributes { size: Some(1 << 33), owner: Some((1, 2)), mode: Some(0o104_755), times: Some((3, 4)) };
        let request = Request::new(ATTRS, 7).attributes(&sent).finish(0);
        let (id, Reply::Attributes(stat)) = reply(request.slice(4..)).expect("a reply") else {
            panic!("no attributes")
        };
        assert_eq!((id, stat.size, stat.uid, stat.gid, stat.mode), (7, 1 << 33, 1, 2, 0o4755));
        assert_eq!((stat.accessed, stat.modified, stat.is_file()), (3, 4, true));
    }

    #[test]
    fn names_are_bytes() {
        let body = b"\0\0\0\x01\0\0\0\x02a\xff\0\0\0\0\0\0\0\0";
        let (_, Reply::Names(names)) = reply(answer(NAME, body)).expect("a reply") else { panic!("no names") };
        assert_eq!(names[0].0, OsString::from_vec(b"a\xff".to_vec()));
    }

    proptest::proptest! {
        #[test]
        fn whatever_a_server_sends_is_read_or_refused(kind in 95u8..206, body: Vec<u8>) {
            let _either = reply(answer(kind, &body));
        }

        #[test]
        fn a_cut_message_is_refused(cut in 0usize..17) {
            let body = b"\0\0\0\x01\0\0\0\x02ab\0\0\0\0\0\0\0\0";
            proptest::prop_assert!(reply(answer(NAME, &body[..cut])).is_err());
        }
    }
}
