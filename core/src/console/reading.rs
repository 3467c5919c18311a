//! Reads one answer from the keyboard.

use std::io;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::host::{NoAnswer, QuestionKind};
use crate::shell::editor::{Candidate, Completion, Editor, Step, View, columns, render};
use crate::terminal::keys::{Key, KeyDecoder};
use crate::terminal::style::Style;
use crate::terminal::{Keyboard, Terminal};

/// Longest secret, bytes. Reserved at once: a growing text would leave copies of itself in memory.
const SECRET_MAX: usize = 4096;

/// A keyboard lease and what is typed while it lasts. What is typed beyond the answer is given back.
pub(super) struct Reading<'a> {
    terminal: &'a Arc<dyn Terminal>,
    keyboard: Keyboard,
    decoder: KeyDecoder,
    prompt: [(String, Style); 1],
    /// Columns for the answer.
    room: usize,
    colour: bool,
    editor: Editor,
    secret: Option<Zeroizing<String>>,
    /// What Tab completes: the options of a choice.
    options: Vec<String>,
    editing: bool,
}

enum Progress {
    Editing,
    /// Show what there is.
    List(Vec<Candidate>),
    Done(Zeroizing<String>),
    GivenUp,
}

impl<'a> Reading<'a> {
    pub(super) fn new(
        terminal: &'a Arc<dyn Terminal>,
        colour: bool,
        prompt: &str,
        room: usize,
        kind: &QuestionKind,
    ) -> Reading<'a> {
        let options = match kind {
            QuestionKind::Choice { options, .. } => options.clone(),
            QuestionKind::Secret | QuestionKind::Line | QuestionKind::Confirm => Vec::new(),
        };
        let secret = *kind == QuestionKind::Secret;
        Reading {
            terminal,
            keyboard: terminal.keyboard(),
            decoder: KeyDecoder::new(),
            prompt: [(prompt.to_string(), Style::Cyan)],
            room,
            colour,
            editor: Editor::default(),
            secret: secret.then(|| Zeroizing::new(String::with_capacity(SECRET_MAX))),
            options,
            editing: false,
        }
    }

    /// Drops what was typed before the question could be read.
    pub(super) fn flush(&mut self) {
        self.keyboard.flush();
    }

    /// One typed line, without its end.
    pub(super) async fn line(&mut self) -> Result<Zeroizing<String>, NoAnswer> {
        let mut size = self.terminal.size();
        self.editing = true;
        let answer = loop {
            let key = self.decoder.next_key();
            if matches!(key, None | Some(Key::Enter)) {
                self.draw().await?;
            }
            if let Some(key) = key {
                match self.key(key) {
                    Progress::Editing => continue,
                    Progress::List(candidates) => {
                        self.list(&candidates).await.map_err(|_| NoAnswer::Cancelled)?;
                        continue;
                    }
                    Progress::Done(line) => break Ok(line),
                    Progress::GivenUp => break Err(NoAnswer::Cancelled),
                }
            }
            tokio::select! {
                bytes = self.keyboard.read() => match bytes {
                    Some(bytes) => self.decoder.feed(&bytes),
                    None => break Err(NoAnswer::Cancelled),
                },
                Ok(()) = size.changed() => {}
            }
        };
        self.editing = false;
        self.terminal.write_prompt(None).await.map_err(|_| NoAnswer::Cancelled)?;
        answer
    }

    async fn draw(&mut self) -> Result<(), NoAnswer> {
        let masked;
        let editor = match &self.secret {
            None => &self.editor,
            Some(secret) => {
                // One star for each character (row I-06).
                masked = stars(secret.chars().count());
                &masked
            }
        };
        let columns = usize::from(self.terminal.size().borrow().cols);
        let view = View {
            prompt: &self.prompt,
            // The prompt was laid out to leave room; a terminal that shrank meanwhile still shows what is typed.
            prompt_columns: columns.saturating_sub(self.room).max(columns / 2),
            spans: &[(0..editor.text().len(), Style::Bold)],
            columns,
            colour: self.colour,
            moves: self.terminal.term() != "dumb",
        };
        self.terminal.write_prompt(Some(&render(editor, &view))).await.map_err(|_| NoAnswer::Cancelled)
    }

    /// What there is, above the line that is edited.
    async fn list(&mut self, candidates: &[Candidate]) -> io::Result<()> {
        let width = usize::from(self.terminal.size().borrow().cols);
        self.draw().await.map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.terminal.write_prompt(None).await?;
        self.terminal.print(&columns(candidates, width, self.colour)).await
    }

    fn key(&mut self, key: Key) -> Progress {
        if let Key::Ctrl('c' | 'd') = key {
            return Progress::GivenUp;
        }
        let Some(secret) = &mut self.secret else {
            let options = &self.options;
            return match self.editor.key(key, &|left| completed(options, left)) {
                Step::Line(line) => Progress::Done(Zeroizing::new(line)),
                Step::End | Step::Interrupted => Progress::GivenUp,
                Step::List(candidates) => Progress::List(candidates),
                _ => Progress::Editing,
            };
        };
        match key {
            Key::Enter => return Progress::Done(std::mem::take(secret)),
            Key::Backspace => drop(secret.pop()),
            Key::Ctrl('u') => secret.clear(),
            Key::Char(c) => push(secret, &c.to_string()),
            // The line end that comes along with a copied password is not part of it.
            Key::Paste(text) => push(secret, text.trim_end_matches(['\r', '\n'])),
            _ => {}
        }
        Progress::Editing
    }
}

/// What an answer can become, without regard to upper and lower case.
fn completed(options: &[String], left: &str) -> Completion {
    let typed = left.to_lowercase();
    let fits = options.iter().filter(|option| option.to_lowercase().starts_with(&typed));
    let candidate =
        |option: &String| Candidate { text: option.clone(), shown: option.clone(), mark: "", style: Style::Plain };
    Completion { start: 0, candidates: fits.map(candidate).collect() }
}

fn push(secret: &mut Zeroizing<String>, text: &str) {
    if secret.len() + text.len() <= SECRET_MAX {
        secret.push_str(text);
    }
}

fn stars(count: usize) -> Editor {
    let mut editor = Editor::default();
    editor.key(Key::Paste("*".repeat(count)), &|_| Completion::default());
    editor
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if self.editing {
            self.terminal.abandon_prompt();
        }
        self.keyboard.unread(self.decoder.take_rest());
    }
}
