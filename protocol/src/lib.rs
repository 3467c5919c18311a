//! What crosses deployer's unix socket: frames, numbered messages, versions. No runtime, nothing of ours.
//!
//! A frame is a 4-byte big-endian length, a 2-byte big-endian message number and a bincode body
//! ([`frame::FrameCodec`]). Each side sends a hello first ([`version`]). Numbers are never reused; a number that
//! this version does not know arrives as `Unknown` and can be survived.

mod body;
pub mod frame;
pub mod message;
pub mod version;

pub use frame::{FrameCodec, FrameError, MAX_FRAME};
pub use message::{
    Claim, ClientInfo, DaemonInfo, ErrorKind, FromClient, FromDaemon, Join, NodeNames, Open, OpenTerminal, OpenWindow,
    SessionInfo, SessionPeople, SessionState, Share,
};
pub use version::{Hello, VERSION, Version};
