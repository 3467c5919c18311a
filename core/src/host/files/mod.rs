//! Files of hosts: what every kind of host offers ([`FileSystem`]), and what is the same for all of them on top of it.
//!
//! From top to bottom: `methods` and `transfer` are what a deployment calls on one host, `open` is an open file, `sudo`
//! gets at what only root may touch, `tree` copies directories, `copy` one file, `replace` makes each change one step,
//! `meter` shows how far it is. None of them knows whether a host is local or remote.

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod copy;
mod fault;
mod meter;
mod methods;
mod open;
mod options;
mod path;
mod replace;
mod stat;
mod sudo;
mod system;
mod transfer;
mod tree;

pub use fault::{Answer, Fault, FileError, Problem};
pub use open::HostFile;
pub use options::{FileOptions, OpenMode};
pub use stat::{FileKind, Stat};
pub use system::{Attributes, Create, FileSystem, ReadFile, WriteFile};
pub use tree::Copied;

pub(crate) use path::{is_plain_name, word};
pub(crate) use stat::base_name;
