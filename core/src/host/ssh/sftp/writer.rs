//! Writing behind: many requests are under way; a failure of one is told by a later call (row W-52).

use std::collections::VecDeque;
use std::path::PathBuf;

use async_trait::async_trait;
use bytes::Bytes;

use super::files::{Handle, done, is_full};
use super::packet;
use super::session::Pending;
use crate::host::files::{Answer, Attributes, Fault, Problem, WriteFile};

/// Bytes sent that the server has not acknowledged.
const BEHIND: usize = 4 * 1024 * 1024;
/// Requests at once, however small they are.
const REQUESTS: usize = 64;

/// A file open for writing.
pub(super) struct SftpWriter {
    handle: Handle,
    path: PathBuf,
    under_way: VecDeque<(usize, Pending)>,
    waiting: usize,
    next: u64,
    chunk: usize,
}

impl SftpWriter {
    pub(super) fn new(handle: Handle, path: PathBuf) -> SftpWriter {
        let chunk = handle.session().abilities.write_chunk;
        SftpWriter { handle, path, under_way: VecDeque::new(), waiting: 0, next: 0, chunk }
    }

    async fn oldest(&mut self) -> Answer<()> {
        let Some((length, answer)) = self.under_way.pop_front() else { return Ok(()) };
        self.waiting -= length;
        match answer.wait().await.and_then(done) {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.explained(fault).await),
        }
    }

    async fn explained(&self, fault: Fault) -> Fault {
        let full = fault.problem == Problem::Other && is_full(self.handle.session(), &self.path).await;
        if full { Fault::of(Problem::Full) } else { fault }
    }
}

#[async_trait]
impl WriteFile for SftpWriter {
    async fn write(&mut self, mut bytes: Bytes) -> Answer<()> {
        while !bytes.is_empty() {
            while self.waiting >= BEHIND || self.under_way.len() >= REQUESTS {
                self.oldest().await?;
            }
            // A failure is noticed as soon as its answer is here.
            while let Some(answer) = self.under_way.front_mut().and_then(|(_, pending)| pending.ready()) {
                self.waiting -= self.under_way.pop_front().map_or(0, |(length, _)| length);
                if let Err(fault) = answer.and_then(done) {
                    return Err(self.explained(fault).await);
                }
            }
            let part = bytes.split_to(bytes.len().min(self.chunk));
            let (offset, length) = (self.next, part.len());
            let handle = self.handle.id.clone();
            let fill = |request: packet::Request| request.text(&handle).offset(offset).number(length as u32);
            let pending = self.handle.session().ask(packet::WRITE, fill, part).await?;
            self.under_way.push_back((length, pending));
            self.waiting += length;
            self.next += length as u64;
        }
        Ok(())
    }

    fn skip(&mut self, bytes: u64) {
        self.next += bytes;
    }

    async fn flush(&mut self) -> Answer<()> {
        while !self.under_way.is_empty() {
            self.oldest().await?;
        }
        Ok(())
    }

    async fn sync(&mut self) -> Answer<()> {
        self.flush().await?;
        if !self.handle.session().abilities.fsync {
            return Ok(());
        }
        let handle = self.handle.id.clone();
        let fill = |request: packet::Request| request.text(b"fsync@openssh.com").text(&handle);
        let answer = self.handle.session().ask(packet::EXTENDED, fill, Bytes::new()).await?;
        match answer.wait().await.and_then(done) {
            Ok(()) => Ok(()),
            Err(fault) => Err(self.explained(fault).await),
        }
    }

    async fn set(&mut self, attributes: Attributes) -> Answer<()> {
        let handle = self.handle.id.clone();
        let fill = |request: packet::Request| request.text(&handle).attributes(&attributes);
        done(self.handle.session().ask(packet::FSETSTAT, fill, Bytes::new()).await?.wait().await?)
    }

    async fn close(mut self: Box<Self>) -> Answer<()> {
        self.flush().await?;
        self.handle.close().await
    }
}
