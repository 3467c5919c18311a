//! Where something was written.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A place in a deployment file or a program.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Position {
    /// Path as the user gave it.
    pub file: Arc<str>,
    /// Line, counted from 1.
    pub line: u32,
}

impl Position {
    /// A place.
    pub fn new(file: impl Into<Arc<str>>, line: u32) -> Position {
        Position { file: file.into(), line }
    }

    /// The line of the program that called.
    #[track_caller]
    pub(crate) fn caller() -> Position {
        let caller = Location::caller();
        Position::new(caller.file(), caller.line())
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
