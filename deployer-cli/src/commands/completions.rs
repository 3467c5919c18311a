//! `deployer completions`: what bash, zsh or fish has to read so that Tab knows this program.

use std::io::{self, Write};

use super::Program;
use crate::args::Completions;
use crate::completion;
use crate::failure::Failure;

pub(super) fn completions(program: &Program, wish: &Completions) -> Result<u8, Failure> {
    let lines = completion::registration(wish.shell, &program.name())?;
    match io::stdout().write_all(&lines) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::other(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(0),
    }
}
