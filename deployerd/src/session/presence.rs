//! All who are attached see who joins and who leaves (design 5), and what becomes of the recording, where it disturbs nobody.

use std::sync::Arc;

use deployer_core::terminal::style::{Style, escaped};

use super::terminal::Port;
use super::views::Front;
use crate::recording::News;

/// Where news about a session and its clients goes.
pub(super) struct Presence {
    pub(super) port: Arc<Port>,
    pub(super) front: Arc<Front>,
    pub(super) colour: bool,
}

/// Names that are told; a crowd is told as a number.
const NAMES_MAX: usize = 5;

fn some(names: &[String]) -> String {
    let told = names.iter().take(NAMES_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

impl Presence {
    /// Somebody has joined those who are there.
    pub(super) fn joined(&self, who: &str, watching: bool, everybody: &[String]) {
        // The first one has nobody to be told of, and nobody to be told.
        if everybody.len() > 1 {
            let how = if watching { "watches" } else { "has joined" };
            self.tell(&format!("{who} {how}; attached: {}", some(everybody)));
        }
    }

    /// Somebody has left; these are still there.
    pub(super) fn left(&self, who: &str, everybody: &[String]) {
        if !everybody.is_empty() {
            self.tell(&format!("{who} has left; attached: {}", some(everybody)));
        }
    }

    /// Somebody else may type in it, or owns it.
    pub(super) fn changed(&self, sentence: &str) {
        self.tell(sentence);
    }

    /// How the recording stands.
    pub(super) fn recorded(&self, news: &News) {
        self.tell(&news.sentence());
    }

    fn tell(&self, text: &str) {
        let line = Style::Dim.paint(self.colour, &format!("-- {} --", escaped(text))) + "\r\n";
        let (port, front) = (self.port.clone(), self.front.clone());
        // The session's task never waits for its own terminal.
        tokio::spawn(async move {
            if let Err(error) = port.write_made(|| front.notice(line)).await {
                tracing::debug!(%error, "news about a session could not be shown");
            }
        });
    }
}
