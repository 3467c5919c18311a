//! The harness of the end-to-end stories: real binaries, in real terminals, against real ssh servers.
//!
//! A story builds a [`World`] (a home, a runtime directory, a deployment file), starts [`Sshd`]s on loopback addresses
//! of its own, types into [`Terminal`]s, and waits for described facts. Dropping the world ends everything that the story
//! started and fails when something is left behind. Nothing here is shared between stories, so they run side by side.

mod certificate;
pub mod daemon;
pub mod others;
pub mod processes;
pub mod sessions;
pub mod sshd;
pub mod terminal;
pub mod test_user;
pub mod tmux;
pub mod wait;
pub mod world;

pub use daemon::Daemon;
pub use sessions::SessionLine;
pub use sshd::Sshd;
pub use terminal::Terminal;
pub use test_user::TestUser;
pub use tmux::{Tmux, TmuxPane};
pub use wait::{TIMEOUT, eventually};
pub use world::{Finished, World};
