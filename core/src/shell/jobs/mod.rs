//! Actions under way in a session: the one in the foreground, and those that the operator has left running (row Q-29).

mod job;
mod list;
mod performance;
mod running;

pub(super) use job::Job;
pub(super) use list::Jobs;
pub(super) use performance::{Done, Ended, Performance};
pub(super) use running::Running;
