//! Programs with trees of their own: the examples, as a user has them, and compared with those in Lua.

#![allow(clippy::unwrap_used)]

mod command_line;
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../examples/hello.rs"]
mod hello;
mod same_trees;
#[allow(dead_code, unreachable_pub, missing_docs)]
#[path = "../../examples/websystem.rs"]
mod websystem;
