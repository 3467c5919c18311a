//! Recordings of sessions, read and played. A recording is hostile input: only what its screen shows reaches the
//! terminal, never its bytes.

mod pace;
mod player;
mod recording;

pub(crate) use pace::Pace;
pub(crate) use player::{final_screen, play};
pub(crate) use recording::Recording;
