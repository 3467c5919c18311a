//! The end-to-end stories: what operators do, with the real binary, in real terminals, against real ssh servers.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod authority;
mod bastion;
mod broken_files;
mod cells;
mod completion;
mod conventions;
mod cron;
mod crowd;
mod elsewhere;
mod files;
mod full_screen;
mod harness;
mod hello;
mod helper_shell;
mod interrupt;
mod jobs;
mod journal;
mod jump_box;
mod one_login;
mod parallel_100;
mod readme;
mod recording;
mod secrets;
mod service;
mod sessions;
mod special;
mod stopping;
mod telnet;
mod trouble;
mod trust;
mod tutorial;
mod typed_ahead;
mod versions;
mod views;
mod windows;
