//! sudo: the command line, and telling what sudo says from what the command prints (design 6, rows F-18..F-22).
//!
//! The whole command runs under sudo, directory, variables and prefixes included. sudo asks with a random prompt that
//! is used once, and the shell that it starts prints a random mark before anything else: what comes before the mark is
//! sudo's, what comes after it is the command's. Neither text occurs in any output by chance, and the prompt means
//! nothing after the mark.

use super::compose::Line;
use crate::text::esc1;

/// The one-time texts of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    prompt: String,
    /// Two halves, so that a message of sudo's that quotes the command does not contain the mark.
    mark: (String, String),
}

impl Marks {
    /// Fresh ones, 128 bits each.
    pub(crate) fn new() -> Marks {
        let random = || format!("{:032x}", rand::random::<u128>());
        Marks { prompt: format!("[sudo {}]", random()), mark: (format!("[run {}", random()), random() + "]") }
    }

    /// The line for the host's shell. With `user` as that user, otherwise as root; on pipes sudo reads the password
    /// from stdin.
    /// A `quiet` PTY neither echoes nor changes line ends once the command begins.
    pub(crate) fn line(&self, line: &Line, user: Option<&str>, pty: bool, quiet: bool) -> String {
        let print = format!("printf %s%s '{}' '{}'", self.mark.0, self.mark.1);
        let print = if pty { print } else { format!("{print} && {print} >&2") };
        let print = if quiet { format!("stty -echo -opost && {print}") } else { print };
        let inner = format!("{print} && {}", line.text);
        let stdin = if pty { "" } else { " -S" };
        let user = user.map(|user| format!(" -u '{}'", esc1(user))).unwrap_or_default();
        let home = if line.takes_home { r#" sh "${HOME:?}""# } else { "" };
        format!("exec sudo{stdin} -p '{}'{user} -- /bin/sh -c '{}'{home}", self.prompt, esc1(&inner))
    }

    /// Listens to one stream of this run. `echo`: whether it is a terminal, which may echo the answer.
    pub(crate) fn listen(&self, echo: bool) -> SudoTalk {
        SudoTalk {
            prompt: self.prompt.clone().into_bytes(),
            mark: [self.mark.0.as_bytes(), self.mark.1.as_bytes()].concat(),
            held: Vec::new(),
            echo,
            hushed: false,
            started: false,
        }
    }
}

/// What a piece of a stream turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// How often the prompt was seen in it.
    pub(crate) prompts: usize,
    /// Whether the mark was seen in it.
    pub(crate) started: bool,
    /// What sudo said, without prompts and without what was typed at them.
    pub(crate) talk: Vec<u8>,
    /// What the command printed.
    pub(crate) output: Vec<u8>,
}

/// Takes a stream apart, however it is cut into chunks. Does no input or output.
#[derive(Debug)]
pub(crate) struct SudoTalk {
    prompt: Vec<u8>,
    mark: Vec<u8>,
    /// The beginning of what may become a prompt or the mark.
    held: Vec<u8>,
    echo: bool,
    /// After a prompt, until the end of the line: the place where an answer could be echoed, as itself or as stars.
    hushed: bool,
    started: bool,
}

impl SudoTalk {
    /// Whether the mark was seen: everything from now on is the command's.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// Takes the next chunk.
    pub(crate) fn feed(&mut self, chunk: &[u8]) -> Heard {
        let mut heard = Heard::default();
        if self.started {
            heard.output = chunk.to_vec();
            return heard;
        }
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(chunk);
        let mut rest = &text[..];
        while let Some((at, length, is_mark)) = self.next_mark(rest) {
            self.talk(&rest[..at], &mut heard);
            rest = &rest[at + length..];
            if is_mark {
                self.started = true;
                heard.started = true;
                heard.output = rest.to_vec();
                return heard;
            }
            heard.prompts += 1;
            self.hushed = self.echo;
        }
        let keep = self.possible_beginning(rest);
        self.talk(&rest[..rest.len() - keep], &mut heard);
        self.held = rest[rest.len() - keep..].to_vec();
        heard
    }

    /// What was held back and never became anything.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let mut heard = Heard::default();
        let held = std::mem::take(&mut self.held);
        self.talk(&held, &mut heard);
        heard.talk
    }

    fn next_mark(&self, text: &[u8]) -> Option<(usize, usize, bool)> {
        let prompt = bstr::ByteSlice::find(text, &self.prompt).map(|at| (at, self.prompt.len(), false));
        let mark = bstr::ByteSlice::find(text, &self.mark).map(|at| (at, self.mark.len(), true));
        prompt.into_iter().chain(mark).min()
    }

    /// Length of the longest end of the text that a prompt or the mark begins with.
    fn possible_beginning(&self, text: &[u8]) -> usize {
        let longest = self.prompt.len().max(self.mark.len()) - 1;
        let begins = |end: &[u8]| self.prompt.starts_with(end) || self.mark.starts_with(end);
        (1..=longest.min(text.len())).rev().find(|length| begins(&text[text.len() - length..])).unwrap_or(0)
    }

    fn talk(&mut self, text: &[u8], heard: &mut Heard) {
        let mut said = text;
        if self.hushed {
            let Some(end) = said.iter().position(|byte| *byte == b'\n') else { return };
            said = &said[end + 1..];
            self.hushed = false;
        }
        heard.talk.extend_from_slice(said);
    }
}

#[cfg(test)]
mod tests;
