//! The first words with a file server: which version it speaks, what it can do.

use bytes::{Buf, Bytes};
use russh::{ChannelMsg, ChannelReadHalf};

use super::assembly::Assembly;
use super::packet::{self, Reply, Request};
use crate::host::ssh::channel::WriteHalf;

/// What is asked for at once when the server does not say how much it allows; every server takes it.
const CHUNK: usize = 32 * 1024;
/// More at once gains nothing.
const CHUNK_MAX: usize = 255 * 1024;

/// What the server can do beyond the standard, and how much at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Abilities {
    pub(super) posix_rename: bool,
    pub(super) fsync: bool,
    pub(super) statvfs: bool,
    pub(super) read_chunk: usize,
    pub(super) write_chunk: usize,
}

/// Greets the server.
///
/// # Errors
/// What the server does wrong.
pub(super) async fn greet(
    read: &mut ChannelReadHalf,
    write: &WriteHalf,
    incoming: &mut Assembly,
) -> Result<Abilities, String> {
    let gone = || "its file server ended at once".to_string();
    let hello = Bytes::from_static(&[0, 0, 0, 5, packet::INIT, 0, 0, 0, 3]);
    write.data_bytes(hello).await.map_err(|_| gone())?;
    let mut version = receive(read, incoming).await?;
    if version.try_get_u8() != Ok(packet::VERSION) || packet::number(&mut version) != Ok(3) {
        return Err("its file server does not speak SFTP version 3".to_string());
    }
    let mut abilities =
        Abilities { posix_rename: false, fsync: false, statvfs: false, read_chunk: CHUNK, write_chunk: CHUNK };
    let mut limits = false;
    while let (Ok(name), Ok(_)) = (packet::text(&mut version), packet::text(&mut version)) {
        match &name[..] {
            b"posix-rename@openssh.com" => abilities.posix_rename = true,
            b"fsync@openssh.com" => abilities.fsync = true,
            b"statvfs@openssh.com" => abilities.statvfs = true,
            b"limits@openssh.com" => limits = true,
            _ => {}
        }
    }
    if limits {
        let request = Request::new(packet::EXTENDED, 1).text(b"limits@openssh.com").finish(0);
        write.data_bytes(request).await.map_err(|_| gone())?;
        if let Ok((1, Reply::Extended(mut said))) = packet::reply(receive(read, incoming).await?)
            && let (Ok(_), Ok(reading), Ok(writing)) =
                (packet::long(&mut said), packet::long(&mut said), packet::long(&mut said))
        {
            let within = |allowed: u64| usize::try_from(allowed).unwrap_or(CHUNK_MAX).clamp(1024, CHUNK_MAX);
            abilities.read_chunk = within(reading);
            abilities.write_chunk = within(writing);
        }
    }
    Ok(abilities)
}

async fn receive(read: &mut ChannelReadHalf, incoming: &mut Assembly) -> Result<Bytes, String> {
    loop {
        if let Some(message) = incoming.next()? {
            return Ok(message);
        }
        match read.wait().await {
            Some(ChannelMsg::Data { data }) => incoming.put(data),
            None | Some(ChannelMsg::Close | ChannelMsg::Eof) => {
                return Err("its file server ended at once; is sftp-server installed there?".to_string());
            }
            Some(_) => {}
        }
    }
}
