//! Reading ahead: many requests are under way, their answers are handed out in order (row W-52).

use std::collections::VecDeque;

use async_trait::async_trait;
use bytes::Bytes;

use super::files::{Handle, unexpected};
use super::packet::{self, Reply};
use super::session::Pending;
use crate::host::files::{Answer, Fault, Problem, ReadFile, Stat};

/// Bytes asked for ahead: 100 MB/s at 40 ms.
const AHEAD: u64 = 4 * 1024 * 1024;
/// Requests at once, however small they are.
const REQUESTS: usize = 64;

/// A file open for reading.
pub(super) struct SftpReader {
    handle: Handle,
    stat: Stat,
    under_way: VecDeque<Part>,
    /// Where the next request begins.
    next: u64,
    chunk: usize,
}

struct Part {
    offset: u64,
    length: usize,
    answer: Pending,
}

impl SftpReader {
    pub(super) fn new(handle: Handle, stat: Stat) -> SftpReader {
        let chunk = handle.session().abilities.read_chunk;
        SftpReader { handle, stat, under_way: VecDeque::new(), next: 0, chunk }
    }

    /// Asks up to the size the file had when it was opened, and once more to see its end.
    async fn ask_ahead(&mut self) -> Answer<()> {
        loop {
            let waiting: u64 = self.under_way.iter().map(|part| part.length as u64).sum();
            let known = self.next <= self.stat.size && self.stat.size > 0;
            let room = waiting < AHEAD && self.under_way.len() < REQUESTS;
            if !(self.under_way.is_empty() || known && room) {
                return Ok(());
            }
            let (offset, length) = (self.next, self.chunk);
            let handle = self.handle.id.clone();
            let fill = |request: packet::Request| request.text(&handle).offset(offset).number(length as u32);
            let answer = self.handle.session().ask(packet::READ, fill, Bytes::new()).await?;
            self.under_way.push_back(Part { offset, length, answer });
            self.next += length as u64;
        }
    }
}

#[async_trait]
impl ReadFile for SftpReader {
    fn stat(&self) -> &Stat {
        &self.stat
    }

    async fn read(&mut self) -> Answer<Bytes> {
        self.ask_ahead().await?;
        let Some(part) = self.under_way.pop_front() else { return Ok(Bytes::new()) };
        match part.answer.wait().await? {
            Reply::Data(data) if data.len() > part.length => {
                Err(Fault::new(Problem::Other, "the file server sends more than it was asked for"))
            }
            Reply::Data(data) => {
                let end = part.offset + data.len() as u64;
                if data.len() < part.length {
                    // Either the end or a server that gives less than it was asked for: what follows is asked anew.
                    self.under_way.clear();
                    self.next = end;
                }
                Ok(data)
            }
            Reply::End => {
                self.under_way.clear();
                self.next = part.offset;
                self.stat.size = 0;
                Ok(Bytes::new())
            }
            other => Err(unexpected(&other)),
        }
    }
}
