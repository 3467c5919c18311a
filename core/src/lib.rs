//! The deployer framework, usable as a library: nodes, hosts, actions, the shell.
//!
//! `node`, `query`, `inspect` and `check` are the model: plain data and rules, no input or output, no async runtime.
//! `host` and `env` do things. `console`, `logger`, `terminal` and `shell` are what a person sees.
//! `script` reads deployment files written in Lua. Nothing here knows of sockets, sessions or clients;
//! that is the daemon's (`deployerd`).
//!
//! There is no global state: two trees in one process do not know of each other.

pub mod check;
pub mod console;
pub mod define;
pub mod env;
pub mod host;
pub mod inspect;
pub mod logger;
pub mod network;
pub mod node;
pub mod options;
pub mod prelude;
pub mod query;
pub mod script;
pub mod shell;
pub mod terminal;
pub mod text;
pub mod value;

pub use value::Value;
