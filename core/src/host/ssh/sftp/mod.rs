//! Files over SFTP: a client of our own (docs/decisions: names are bytes, answers are read without copies), one channel
//! for each destination, shared by everybody (row W-51) and pipelined (row W-52).

mod assembly;
mod files;
mod greeting;
mod packet;
mod reader;
mod session;
mod slots;
mod writer;

pub(super) use files::SftpFiles;
pub(super) use session::Session;
pub(super) use slots::Slots;
