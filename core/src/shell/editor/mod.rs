//! The line editor: keys in, edits out. No input or output of its own; the same for every kind of terminal.

mod completion;
mod history;
mod line;
mod render;
#[cfg(test)]
mod tests;

pub use completion::{Candidate, Completion, columns};
pub use history::History;
pub use render::{View, render};

use crate::terminal::keys::Key;
use line::Line;

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The line or the cursor may have changed: draw it again.
    Edited,
    /// Nothing could be done: ring the bell.
    Bell,
    /// Enter: this line, and the editor is empty again.
    Line(String),
    /// Ctrl-D: leave (row N-56).
    End,
    /// Ctrl-C: the line is dropped.
    Interrupted,
    /// Ctrl-L: clear the screen and draw again.
    Clear,
    /// The second Tab: list these and draw again.
    List(Vec<Candidate>),
}

/// An emacs-style line editor with history, completion and reverse search (rows N-41..N-44, N-54..N-57, W-60).
#[derive(Default)]
pub struct Editor {
    line: Line,
    history: History,
    /// Which line of the history is shown, and what was typed before.
    recalled: Option<(usize, String)>,
    killed: String,
    search: Option<Search>,
    tabbed: bool,
}

struct Search {
    text: String,
    /// Line of the history that is shown.
    found: Option<usize>,
    failed: bool,
    before: Line,
}

impl Editor {
    /// An empty line over a history.
    pub fn new(history: History) -> Editor {
        Editor { history, ..Editor::default() }
    }

    /// The text as it stands.
    pub fn text(&self) -> &str {
        self.line.text()
    }

    /// Where the cursor is: a byte position in [`Editor::text`], always between characters.
    pub fn cursor(&self) -> usize {
        self.line.cursor()
    }

    /// The lines entered so far.
    pub fn history(&mut self) -> &mut History {
        &mut self.history
    }

    /// Takes a key. `complete` is asked on Tab what the text left of the cursor can become.
    pub fn key(&mut self, key: Key, complete: &dyn Fn(&str) -> Completion) -> Step {
        let tabbed = std::mem::take(&mut self.tabbed);
        if let Some(step) = self.search_key(&key) {
            return step;
        }
        match key {
            Key::Enter => self.enter(),
            Key::Tab => self.tab(tabbed, complete),
            Key::Ctrl('c') => {
                self.line = Line::default();
                self.recalled = None;
                Step::Interrupted
            }
            Key::Ctrl('d') => Step::End,
            Key::Ctrl('l') => Step::Clear,
            Key::Ctrl('r') => self.begin_search(),
            Key::Up | Key::Ctrl('p') => self.recall_older(),
            Key::Down | Key::Ctrl('n') => self.recall_newer(),
            Key::Char(c) => edited(self.line.insert(c.encode_utf8(&mut [0; 4]))),
            Key::Paste(text) => edited(self.line.insert(&line::pasted(&text))),
            other => edited(self.motion(&other) || self.deletion(&other)),
        }
    }

    fn enter(&mut self) -> Step {
        let text = self.line.text().to_string();
        self.history.add(&text);
        self.recalled = None;
        self.line = Line::default();
        Step::Line(text)
    }

    /// Rows N-56, N-57.
    fn motion(&mut self, key: &Key) -> bool {
        let to = match key {
            Key::Home | Key::Ctrl('a') => 0,
            Key::End | Key::Ctrl('e') => self.line.text().len(),
            Key::Left | Key::Ctrl('b') => self.line.previous(),
            Key::Right | Key::Ctrl('f') => self.line.next(),
            Key::WordLeft | Key::Alt('b') => self.line.word_left(),
            Key::WordRight | Key::Alt('f') => self.line.word_right(),
            _ => return false,
        };
        self.line.move_to(to)
    }

    fn deletion(&mut self, key: &Key) -> bool {
        let (to, keep) = match key {
            Key::Backspace => (self.line.previous(), false),
            Key::Delete => (self.line.next(), false),
            Key::Ctrl('k') => (self.line.text().len(), true),
            Key::Ctrl('u') => (0, true),
            Key::Ctrl('w') => (self.line.blank_word_left(), true),
            Key::AltBackspace => (self.line.word_left(), true),
            Key::Alt('d') => (self.line.word_right(), true),
            Key::Ctrl('y') => {
                let killed = self.killed.clone();
                return !killed.is_empty() && self.line.insert(&killed);
            }
            _ => return false,
        };
        let cut = self.line.cut_to(to);
        let changed = !cut.is_empty();
        if keep && changed {
            self.killed = cut;
        }
        changed
    }

    fn recall_older(&mut self) -> Step {
        let index = self.recalled.as_ref().map_or(self.history.len(), |(index, _)| *index);
        let Some(older) = index.checked_sub(1) else { return Step::Bell };
        self.recall(older)
    }

    fn recall_newer(&mut self) -> Step {
        let Some((index, typed)) = self.recalled.take() else { return Step::Bell };
        if index + 1 < self.history.len() {
            self.recalled = Some((index, typed));
            return self.recall(index + 1);
        }
        self.line.set(&typed);
        Step::Edited
    }

    fn recall(&mut self, index: usize) -> Step {
        let Some(text) = self.history.get(index) else { return Step::Bell };
        let typed = match self.recalled.take() {
            Some((_, typed)) => typed,
            None => self.line.text().to_string(),
        };
        self.line.set(text);
        self.recalled = Some((index, typed));
        Step::Edited
    }

    fn tab(&mut self, tabbed: bool, complete: &dyn Fn(&str) -> Completion) -> Step {
        let completion = complete(self.line.left());
        let Completion { start, candidates } = &completion;
        let start = (*start).min(self.line.cursor());
        match candidates.as_slice() {
            [] => Step::Bell,
            [only] => {
                // A blank that is there already is stepped over.
                let blank = if self.line.right().starts_with(' ') { "" } else { " " };
                let done = self.line.replace_left(start, &format!("{}{blank}", only.text));
                if done && blank.is_empty() {
                    self.line.move_to(self.line.next());
                }
                edited(done)
            }
            _ => {
                let common = completion.common();
                if common.len() > self.line.left().len() - start {
                    return edited(self.line.replace_left(start, common));
                }
                if tabbed {
                    return Step::List(completion.candidates);
                }
                self.tabbed = true;
                Step::Bell
            }
        }
    }

    fn begin_search(&mut self) -> Step {
        self.search = Some(Search { text: String::new(), found: None, failed: false, before: self.line.clone() });
        self.recalled = None;
        Step::Edited
    }

    /// A key while searching; `None` when it ends the search and does its usual work.
    fn search_key(&mut self, key: &Key) -> Option<Step> {
        let search = self.search.as_mut()?;
        match key {
            Key::Ctrl('r') => {
                let before = search.found.unwrap_or(self.history.len());
                Some(self.search_from(before))
            }
            Key::Char(c) => {
                search.text.push(*c);
                let from = search.found.map_or(self.history.len(), |index| index + 1);
                Some(self.search_from(from))
            }
            Key::Paste(text) => {
                search.text.push_str(&line::pasted(text).replace('\n', " "));
                Some(self.search_from(self.history.len()))
            }
            Key::Backspace => {
                search.text.pop();
                Some(self.search_from(self.history.len()))
            }
            Key::Ctrl('g' | 'c') => {
                self.line = self.search.take()?.before;
                Some(Step::Edited)
            }
            _ => {
                self.search = None;
                None
            }
        }
    }

    fn search_from(&mut self, before: usize) -> Step {
        let Some(search) = self.search.as_mut() else { return Step::Bell };
        if search.text.is_empty() {
            search.failed = false;
            self.line = search.before.clone();
            return Step::Edited;
        }
        let found = self.history.find(&search.text, before);
        search.failed = found.is_none();
        let Some((index, at)) = found else { return Step::Bell };
        search.found = Some(index);
        if let Some(text) = self.history.get(index) {
            self.line.set_at(text, at);
        }
        Step::Edited
    }
}

fn edited(changed: bool) -> Step {
    if changed { Step::Edited } else { Step::Bell }
}
