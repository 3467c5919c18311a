//! Recordings of sessions, read and played. A recording is hostile input: only what its screen shows reaches the
//! terminal, never its bytes.

mod player;
mod recording;

pub(crate) use player::{final_screen, play};
pub(crate) use recording::Recording;
