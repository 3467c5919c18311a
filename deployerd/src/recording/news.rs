//! What those who are attached hear of the recording of their session.

use tokio::sync::watch;

/// How the recording of a session stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum News {
    /// All is written.
    #[default]
    Written,
    /// It has a gap from here on, for this reason.
    Gap(String),
    /// It has ended, at this limit in bytes.
    Ended(u64),
}

impl News {
    /// Tells it; not again while it is the same kind of news.
    pub(super) fn tell(self, to: &watch::Sender<News>) {
        to.send_if_modified(|before| {
            let new = std::mem::discriminant(before) != std::mem::discriminant(&self);
            if new {
                *before = self;
            }
            new
        });
    }

    /// A line for people.
    pub(crate) fn sentence(&self) -> String {
        match self {
            News::Written => {
                "the recording of this session goes on, with a mark where something is missing".to_string()
            }
            News::Gap(why) => format!("the recording of this session has a gap from here on: {why}"),
            News::Ended(limit) => format!("the recording of this session ends here: its limit is {limit} bytes"),
        }
    }
}
