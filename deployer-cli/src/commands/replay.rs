//! `deployer replay`: plays the recording of a session.

use std::io::{self, IsTerminal};

use super::print;
use crate::args::Replay;
use crate::failure::Failure;
use crate::replay::{self, Recording};
use crate::runtime;

/// On a terminal it plays; elsewhere the screen at the end is printed as text.
pub(super) fn replay(replay: &Replay) -> Result<u8, Failure> {
    let mut recording = Recording::open(&replay.recording)?;
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        runtime::client(replay::play(&mut recording, replay.speed))?;
    } else {
        print(&replay::final_screen(&mut recording)?)?;
    }
    Ok(0)
}
