//! Deployment files in Lua (design 3).
//!
//! A file is loaded into a Lua state of its own ([`LuaFile::load`]); `require "deployer"` gives it classes, hosts and
//! queries ([`module`]), which are built with the model of [`crate::node`]. Actions run as coroutines: `self.host:run`
//! suspends one, thousands may be suspended at once. What a script does wrong stays its own: loops that never end are
//! interrupted by a hook, memory is limited, errors keep their cause and carry file and line.
//!
//! The tree that is returned keeps the state alive; the state keeps no node alive ([`shared`]).

mod body;
mod chunks;
mod class;
mod console;
mod convert;
mod entry;
mod env;
mod error;
mod files;
mod filter;
mod foreign;
mod frames;
mod groups;
mod host;
mod inspect;
mod lexer;
mod listing;
mod load;
mod member;
mod methods;
mod module;
mod network;
mod options;
mod output;
mod parallel;
mod prelude;
mod query;
mod questions;
mod roles;
mod run;
mod selection;
mod shared;
mod source;
pub(crate) mod suggest;
#[cfg(test)]
mod tests;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::node::{Class, HostFactory, HostKind, Node, Position};
use crate::options::Settings;

/// Annotations of the module for editors and checkers (LuaLS): every function, class and option.
pub const TYPES: &str = include_str!("types.lua");

/// A deployment file. Each session loads it into a Lua state of its own.
#[derive(Clone, Debug)]
pub struct LuaFile {
    path: PathBuf,
    brought: Brought,
}

/// What the program brings along for its deployment files.
#[derive(Clone, Debug, Default)]
struct Brought {
    kinds: Vec<(String, HostKind)>,
    classes: Vec<(String, Class)>,
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
        LuaFile { path: path.into(), brought: Brought::default() }
    }

    /// The same with one more kind of host, beside `SSHHost` and `LocalHost` in the module (row F-02). Settings that
    /// the built-in kinds do not know reach it as they are.
    pub fn host_kind(mut self, name: &str, factory: Arc<dyn HostFactory>) -> LuaFile {
        self.brought.kinds.push((name.to_string(), HostKind::Custom(factory)));
        self
    }

    /// The same with one more class as `deployer.contrib.NAME`, written in Rust: deployment files extend it like their
    /// own. It is sealed, because the files of all sessions share it.
    pub fn contrib(mut self, name: &str, class: &Class) -> LuaFile {
        class.seal();
        self.brought.classes.push((name.to_string(), class.clone()));
        self
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads and runs the file, and places the node that it returns as a root. A class that the file did not name gets
    /// the name of the file.
    ///
    /// # Errors
    /// With file and line: syntax, wrong use, broken rules, no node returned, too long (5 s), too much memory (160 MB).
    pub fn load(&self) -> Result<Node, LoadError> {
        load::load(&self.path, &self.brought)
    }

    /// What the file that this root came from says about options (`deployer.options`).
    pub fn settings(root: &Node) -> Settings {
        load::settings(root)
    }
}
