//! `deployer replay`: plays the recording of a session.

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::print;
use crate::args::Replay;
use crate::failure::Failure;
use crate::replay::{self, Pace, Recording};
use crate::runtime;

/// On a terminal it plays; elsewhere the screen at the end is printed as text.
pub(super) fn replay(replay: &Replay) -> Result<u8, Failure> {
    let mut recording = Recording::open(&replay.recording)?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        let stillness = (replay.idle_time_limit > 0.0).then(|| Duration::from_secs_f64(replay.idle_time_limit));
        runtime::client(replay::play(&mut recording, Pace::new(replay.speed, stillness)))?;
    } else {
        print(&replay::final_screen(&mut recording)?)?;
    }
    Ok(0)
}
