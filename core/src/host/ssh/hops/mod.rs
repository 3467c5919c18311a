//! The way to a host: straight, through other hosts (`ProxyJump`), or through a program (`ProxyCommand`).
//!
//! `chain` finds out which way a host is reached, `way` opens a stream that ends there: a socket (`direct`), a channel of
//! the hop's connection (`through`), or the two pipes of a child process (`command`). A hop's connection is a connection
//! of the pool like any other, so a hundred hosts behind one bastion log in to it once.

mod by_hand;
mod chain;
mod command;
mod direct;
mod hop;
mod journey;
mod route;
mod through;
mod way;

pub(super) use by_hand::by_hand;
pub(super) use chain::find;
pub(super) use command::Watch;
pub(super) use hop::Hop;
pub(super) use journey::Journey;
pub(super) use route::{NextHop, Route, Via};
pub(super) use way::{Bytes, Stream, Way};
