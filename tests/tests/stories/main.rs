//! The end-to-end stories: what operators do, with the real binary, in real terminals, against real ssh servers.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod conventions;
mod crowd;
mod harness;
mod hello;
mod sessions;
