//! Deployment files in Lua (design 3).

use std::path::{Path, PathBuf};

use crate::node::{Node, Position};

/// A deployment file. Each session loads it into a Lua state of its own.
#[derive(Clone, Debug)]
pub struct LuaFile {
    path: PathBuf,
}

/// A deployment file that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}{message}", .position.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct LoadError {
    /// Where, when known.
    pub position: Option<Position>,
    /// What is wrong and what would be right.
    pub message: String,
}

impl LuaFile {
    /// The file at this path; nothing is read yet.
    pub fn new(path: impl Into<PathBuf>) -> LuaFile {
        LuaFile { path: path.into() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads and runs the file, and places the node that it returns as a root.
    ///
    /// # Errors
    /// With file and line: syntax, wrong use, broken rules, no node returned, too long, too much memory.
    pub fn load(&self) -> Result<Node, LoadError> {
        todo!("script helper")
    }
}
