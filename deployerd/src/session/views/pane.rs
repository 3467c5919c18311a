//! One isolation as the view knows it: its screen, its keyboard, how it stands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::{CellState, KeyboardHub, LineFilter, PromptLine, Size};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Opened, PaneId, cells};
use crate::session::hygiene::{Hygiene, Piece};
use crate::session::screen::{Screen, Vt100};

/// What is kept of an isolation's output, to lay it out anew at another width and to tell it at the end, bytes.
const KEPT_MAX: usize = 64 * 1024;
/// A program that has been silent for so long behind something that looks like a question probably waits.
const SILENT: Duration = Duration::from_secs(1);

/// One isolation.
pub(super) struct Pane {
    /// Its label; within another isolation, with the labels of those around it in front.
    pub(super) label: String,
    /// Where it stands.
    pub(super) state: CellState,
    live: Option<Live>,
}

/// What an isolation has from the moment it begins.
struct Live {
    ends: Ends,
    hygiene: Hygiene,
    screen: Vt100,
    size: Size,
    kept: VecDeque<u8>,
    dropped: usize,
    last: Instant,
    /// The last line that has text, until there is more output.
    line: Option<String>,
}

/// The isolation's side of its terminal.
pub(super) struct Ends {
    /// Where keys go.
    pub(super) keys: KeyboardHub,
    /// Who hears of a new size.
    pub(super) size: watch::Sender<Size>,
    /// The line that it edits: a question of ours.
    pub(super) prompt: Arc<PromptLine>,
    /// Who hears how much of its output is here.
    pub(super) seen: watch::Sender<u64>,
}

impl Ends {
    /// The two sides of an isolation's place.
    pub(super) fn pair(id: PaneId, size: Size, keys: KeyboardHub) -> (Ends, Opened) {
        let prompt = Arc::<PromptLine>::default();
        let ((size, sizes), (seen, bytes)) = (watch::channel(size), watch::channel(0));
        let ends = Ends { keys: keys.clone(), size, prompt: prompt.clone(), seen };
        (ends, Opened { id, keys, prompt, size: sizes, seen: bytes })
    }
}

/// How an isolation stands, the order in which people want to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// It has failed.
    Failed,
    /// It asks something.
    Waiting,
    /// Its program is silent behind what looks like a question.
    PerhapsWaiting,
    /// It runs.
    Running,
    /// It waits for its turn.
    Queued,
    /// It was stopped, or the run was over before its turn.
    Stopped,
    /// The operator said skip.
    Skipped,
    /// It has done its work.
    Done,
}

impl Standing {
    /// The word for it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Standing::Failed => "failed",
            Standing::Waiting => "waiting",
            Standing::PerhapsWaiting => "waiting?",
            Standing::Running => "running",
            Standing::Queued => "queued",
            Standing::Stopped => "stopped",
            Standing::Skipped => "skipped",
            Standing::Done => "ok",
        }
    }

    /// Whether somebody should look.
    pub(super) fn wants_attention(self) -> bool {
        self <= Standing::PerhapsWaiting
    }

    /// Whether it goes on.
    pub(super) fn is_under_way(self) -> bool {
        matches!(self, Standing::Waiting | Standing::PerhapsWaiting | Standing::Running)
    }
}

impl Pane {
    /// One that has not begun.
    pub(super) fn new(label: String) -> Pane {
        Pane { label, state: CellState::Queued, live: None }
    }

    /// It begins, on a terminal of this size.
    pub(super) fn open(&mut self, ends: Ends, size: Size) {
        let screen = Vt100::new(size);
        let (kept, last) = (VecDeque::new(), Instant::now());
        self.live = Some(Live { ends, hygiene: Hygiene::default(), screen, size, kept, dropped: 0, last, line: None });
    }

    /// Takes output.
    pub(super) fn output(&mut self, bytes: &[u8]) {
        let Some(live) = &mut self.live else { return };
        for piece in live.hygiene.feed(bytes) {
            match piece {
                Piece::Show(bytes) => {
                    live.screen.feed(&bytes);
                    live.kept.extend(&bytes);
                }
                Piece::Asked(query) => {
                    let answer = query.answer(live.screen.screen().cursor_position(), live.size);
                    if !live.ends.keys.offer(answer.into()) {
                        tracing::debug!(label = self.label, "a program asks more than it listens");
                    }
                }
            }
        }
        let excess = live.kept.len().saturating_sub(KEPT_MAX);
        live.kept.drain(..excess);
        live.dropped += excess;
        live.last = Instant::now();
        live.line = None;
        live.ends.seen.send_modify(|seen| *seen += bytes.len() as u64);
    }

    /// Types; false when there is no room, or nobody to type at.
    pub(super) fn keys(&self, bytes: Bytes) -> bool {
        match &self.live {
            Some(live) if !matches!(self.state, CellState::Ended { .. }) => live.ends.keys.offer(bytes),
            _ => false,
        }
    }

    /// Gives its terminal a size. What it has shown is laid out anew, as far as it is kept; programs that draw do
    /// so themselves when they hear of it.
    pub(super) fn resize(&mut self, size: Size) {
        let Some(live) = &mut self.live else { return };
        if live.size == size {
            return;
        }
        live.size = size;
        if live.screen.alternate() {
            live.screen.resize(size);
        } else {
            live.screen = Vt100::new(size);
            let (a, b) = live.kept.as_slices();
            live.screen.feed(a);
            live.screen.feed(b);
        }
        live.line = None;
        live.ends.size.send_replace(size);
    }

    /// How it stands.
    pub(super) fn standing(&mut self, now: Instant) -> Standing {
        match self.state {
            CellState::Queued => Standing::Queued,
            CellState::Ended { word, .. } => match word {
                "ok" => Standing::Done,
                "skipped" => Standing::Skipped,
                "failed" => Standing::Failed,
                _ => Standing::Stopped,
            },
            CellState::Running(_) => match &self.live {
                Some(live) if live.ends.prompt.is_edited() => Standing::Waiting,
                Some(live) if now.duration_since(live.last) >= SILENT && live.looks_like_a_question() => {
                    Standing::PerhapsWaiting
                }
                _ => Standing::Running,
            },
        }
    }

    /// How long it has taken.
    pub(super) fn elapsed(&self, now: Instant) -> Option<Duration> {
        match self.state {
            CellState::Queued => None,
            CellState::Running(since) => Some(now.duration_since(since)),
            CellState::Ended { elapsed, .. } => Some(elapsed),
        }
    }

    /// The last line that it shows.
    pub(super) fn last_line(&mut self) -> &str {
        match &mut self.live {
            None => "",
            Some(live) => {
                if live.line.is_none() {
                    live.line = Some(live.find_last_line());
                }
                live.line.as_deref().unwrap_or_default()
            }
        }
    }

    /// Its screen, once it has one.
    pub(super) fn screen(&self) -> Option<&vt100::Screen> {
        self.live.as_ref().map(|live| live.screen.screen())
    }

    /// All that is kept of its output, as lines, and how many bytes before are not.
    pub(super) fn lines(&self, colour: bool) -> (Vec<String>, usize) {
        let Some(live) = &self.live else { return (Vec::new(), 0) };
        let mut filter = LineFilter::new(colour);
        let (a, b) = live.kept.as_slices();
        let mut lines = filter.push(a);
        lines.extend(filter.push(b));
        lines.extend(filter.finish());
        if live.dropped > 0 && !lines.is_empty() {
            // The rest of a line that began before.
            lines.remove(0);
        }
        (lines, live.dropped)
    }

    /// Nothing more is typed at it.
    pub(super) fn close(&self) {
        if let Some(live) = &self.live {
            live.ends.keys.close();
        }
    }
}

impl Live {
    fn find_last_line(&self) -> String {
        let screen = self.screen.screen();
        let bottom = match screen.alternate_screen() {
            true => self.size.rows.saturating_sub(1),
            false => screen.cursor_position().0,
        };
        let lines = (0..=bottom).rev().map(|row| cells::plain(screen, row, self.size.cols));
        lines.take(usize::from(self.size.rows)).find(|line| !line.is_empty()).unwrap_or_default()
    }

    /// The cursor stands behind text that ends as questions do.
    fn looks_like_a_question(&self) -> bool {
        let screen = self.screen.screen();
        let (row, col) = screen.cursor_position();
        if col == 0 || screen.alternate_screen() {
            return false;
        }
        let line = cells::plain(screen, row, col);
        line.ends_with([':', '?', ']', '>'])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size { rows: 4, cols: 20 };

    fn running() -> Pane {
        let mut pane = Pane::new("web1".to_string());
        pane.open(Ends::pair(PaneId(0), SIZE, KeyboardHub::new()).0, SIZE);
        pane.state = CellState::Running(Instant::now());
        pane
    }

    // rows: M-03
    #[test]
    fn a_new_size_lays_out_anew_what_was_shown() {
        let mut pane = running();
        pane.output(b"one two three four five six seven\r\n");
        assert_eq!(pane.last_line(), "ive six seven");
        pane.resize(Size { rows: 10, cols: 60 });
        assert_eq!(pane.last_line(), "one two three four five six seven");
        pane.resize(SIZE);
        assert_eq!(pane.last_line(), "ive six seven");
    }

    #[test]
    fn memory_is_bounded_and_says_what_is_missing() {
        let mut pane = running();
        for _ in 0..10_000 {
            pane.output(b"0123456789 0123456789\r\n");
        }
        let (lines, dropped) = pane.lines(false);
        assert_eq!(lines.iter().map(|line| line.len() + 2).max(), Some(23));
        assert!(lines.len() <= KEPT_MAX / 23 && dropped > 100_000, "{} {dropped}", lines.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_is_told_from_work() {
        let mut pane = running();
        let now = Instant::now();
        assert_eq!(pane.standing(now), Standing::Running);
        pane.output(b"Continue? [y/N] ");
        assert_eq!(pane.standing(now), Standing::Running, "it may go on at once");
        assert_eq!(pane.standing(now + SILENT), Standing::PerhapsWaiting);
        pane.output(b"y\r\ndone\r\n");
        assert_eq!(pane.standing(Instant::now() + SILENT), Standing::Running);
        if let Some(live) = &pane.live {
            live.ends.prompt.draw(b"\rpassword: ".to_vec());
        }
        assert_eq!(pane.standing(now), Standing::Waiting);
        pane.state = CellState::Ended { word: "failed", elapsed: SILENT };
        assert_eq!(pane.standing(now), Standing::Failed);
        assert!(!pane.keys(Bytes::from_static(b"late")));
    }
}
