//! The daemon as its clients see it: a real socket, real PTYs, and a small program where the shell would be.

#![allow(clippy::unwrap_used)]

mod ends;
mod harness;
mod hello;
mod load;
mod people;
mod plain;
mod program;
mod screen;
mod served;
mod sessions;
mod soak;
mod telnet;
