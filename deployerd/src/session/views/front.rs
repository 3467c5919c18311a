//! What is written to a session's own terminal while a view of a parallel run may cover it.
//!
//! All methods that give bytes are called when it is the caller's turn to write, so what they decide and what is written
//! cannot come apart.

use std::sync::{Mutex, MutexGuard, PoisonError};

use deployer_core::terminal::PromptLine;
use tokio::sync::Notify;

use super::Held;

/// News that waits for a prompt; of more, the oldest are dropped.
const NOTICES_MAX: usize = 4;

/// Begins a view: the alternate screen, nothing of the session's own in sight.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[m\x1b[?25l\x1b[H\x1b[2J";
/// Ends it: no mode of a program is left, and everything is again as it was.
const LEAVE: &[u8] =
    b"\x1b[m\x1b[?1l\x1b>\x1b[?2004l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?25h\x1b[2J\x1b[?1049l";

/// The session's own terminal, seen by those who write to it.
#[derive(Default)]
pub(crate) struct Front {
    prompt: PromptLine,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    cover: Cover,
    held: Held,
    /// News about who is attached, for the next prompt.
    notices: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Cover {
    /// Whatever is written is seen.
    #[default]
    Off,
    /// A view covers it.
    On,
    /// The view stands aside while a question is asked here.
    Aside,
}

impl Front {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Output.
    pub(crate) fn output(&self, bytes: Vec<u8>) -> Vec<u8> {
        let mut state = self.state();
        match state.cover {
            Cover::Off | Cover::Aside => self.prompt.around(bytes),
            Cover::On => {
                state.held.push(&bytes);
                drop(state);
                self.changed.notify_one();
                Vec::new()
            }
        }
    }

    /// News about who is attached: above the line that is edited, into a view, or kept for the next prompt. Never into
    /// the middle of what a program shows.
    pub(crate) fn notice(&self, line: String) -> Vec<u8> {
        let mut state = self.state();
        match state.cover {
            Cover::On => {
                state.held.push(line.as_bytes());
                drop(state);
                self.changed.notify_one();
            }
            _ if self.prompt.is_edited() => return self.prompt.around(line.into_bytes()),
            _ => {
                state.notices.push(line);
                let excess = state.notices.len().saturating_sub(NOTICES_MAX);
                state.notices.drain(..excess);
            }
        }
        Vec::new()
    }

    /// A line that is edited here is drawn, or ended when there is nothing to draw. A view stands aside meanwhile.
    pub(crate) fn draw(&self, drawn: Vec<u8>) -> Vec<u8> {
        let mut state = self.state();
        let mut bytes = Vec::new();
        if drawn.is_empty() {
            if state.cover == Cover::Aside {
                state.cover = Cover::Off;
                self.changed.notify_one();
            }
        } else {
            if state.cover == Cover::On {
                state.cover = Cover::Aside;
                bytes = state.uncovered();
            }
            if !self.prompt.is_edited() {
                let notices = std::mem::take(&mut state.notices).concat();
                bytes.extend(self.prompt.around(notices.into_bytes()));
            }
        }
        bytes.extend(self.prompt.draw(drawn));
        bytes
    }

    /// Nobody will end the line that was edited.
    pub(crate) fn abandon(&self) {
        self.prompt.abandon();
        let mut state = self.state();
        if state.cover == Cover::Aside {
            state.cover = Cover::Off;
            self.changed.notify_one();
        }
    }

    /// Covers the terminal, unless a line is edited on it.
    pub(super) fn cover(&self) -> Vec<u8> {
        let mut state = self.state();
        if state.cover != Cover::Off || self.prompt.is_edited() {
            return Vec::new();
        }
        state.cover = Cover::On;
        let mut bytes = self.prompt.around(Vec::new());
        bytes.extend_from_slice(ENTER);
        bytes
    }

    /// Shows the terminal again, and what was written to it meanwhile.
    pub(crate) fn uncover(&self) -> Vec<u8> {
        let mut state = self.state();
        match std::mem::take(&mut state.cover) {
            Cover::On => state.uncovered(),
            Cover::Off | Cover::Aside => Vec::new(),
        }
    }

    /// Bytes of a view, when it covers the terminal.
    pub(super) fn painting(&self, bytes: Vec<u8>) -> Vec<u8> {
        match self.covered() {
            true => bytes,
            false => Vec::new(),
        }
    }

    /// Whether a view covers the terminal.
    pub(super) fn covered(&self) -> bool {
        self.state().cover == Cover::On
    }

    /// Whether a question is asked where the view was.
    pub(super) fn aside(&self) -> bool {
        self.state().cover == Cover::Aside
    }

    /// The last line of what waits.
    pub(super) fn last_held(&self) -> Option<String> {
        self.state().held.last_line()
    }

    /// Waits until something changed that a view shows. Cancel safe.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

impl State {
    fn uncovered(&mut self) -> Vec<u8> {
        [LEAVE.to_vec(), self.held.take()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[test]
    fn what_is_written_under_a_view_comes_when_it_is_gone() {
        let front = Front::default();
        assert_eq!(front.output(b"one\r\n".to_vec()), b"one\r\n");
        assert_eq!(front.cover(), ENTER);
        assert_eq!(front.cover(), b"", "once");
        assert_eq!(front.painting(b"tiles".to_vec()), b"tiles");
        assert_eq!(front.output(b"two\r\n".to_vec()), b"");
        assert_eq!(front.last_held().as_deref(), Some("two\r"));
        assert_eq!(text(&front.uncover()), format!("{}two\r\n", text(LEAVE)));
        assert_eq!(front.uncover(), b"");
        assert_eq!(front.painting(b"late".to_vec()), b"");
        assert_eq!(front.output(b"three".to_vec()), b"three");
    }

    #[test]
    fn a_view_stands_aside_for_a_question_and_comes_back() {
        let front = Front::default();
        front.cover();
        front.output(b"notice\r\n".to_vec());
        assert_eq!(text(&front.draw(b"\rpassword: ".to_vec())), format!("{}notice\r\n\rpassword: ", text(LEAVE)));
        assert!(front.aside() && front.cover().is_empty());
        assert_eq!(front.painting(b"tiles".to_vec()), b"");
        assert_eq!(front.draw(b"\rpassword: *".to_vec()), b"\rpassword: *");
        assert_eq!(front.draw(Vec::new()), b"\r\n");
        assert_eq!(front.cover(), ENTER);
    }

    #[test]
    fn a_question_that_is_given_up_leaves_its_line() {
        let front = Front::default();
        front.cover();
        front.draw(b"\rname: ".to_vec());
        front.abandon();
        assert_eq!(text(&front.cover()), format!("\r\n{}", text(ENTER)));
    }

    #[test]
    fn news_never_stands_in_the_middle_of_something() {
        let front = Front::default();
        let news = |text: &str| text.to_string() + "\r\n";
        assert_eq!(front.notice(news("bob has joined")), b"", "a program may draw here");
        assert_eq!(front.output(b"output\r\n".to_vec()), b"output\r\n");
        assert_eq!(text(&front.draw(b"\r> ".to_vec())), "bob has joined\r\n\r> ");
        assert_eq!(text(&front.notice(news("cy has joined"))), "\r\x1b[Kcy has joined\r\n\r> ");
        front.draw(Vec::new());
        for number in 0..10 {
            front.notice(news(&format!("{number}")));
        }
        assert_eq!(text(&front.draw(b"\r> ".to_vec())), "6\r\n7\r\n8\r\n9\r\n\r> ");
    }
}
