//! What Tab offers, and how typed words are coloured (rows N-45..N-50).

use std::ops::Range;

use super::commands::{self, Completes};
use super::editor::{Candidate, Completion};
use super::place::{Place, cell_words, is_private};
use super::state::{State, group_style};
use super::words::{Word, split_for_completion};
use crate::node::{Member, Node};
use crate::terminal::style::{Style, is_unsafe};
use crate::text::shell_word;

/// What the word left of the cursor can become.
pub(crate) fn complete(state: &State, left: &str) -> Completion {
    let (before, typed) = split_for_completion(left);
    let mut offer = Offer { typed: &typed, candidates: Vec::new() };
    let place = state.place();
    match before.split_first() {
        None => {
            offer.commands(state);
            offer.members(place, &place.node, Wanted::Actions);
        }
        Some((first, rest)) => {
            let kind = commands::by_name(state, &first.text).map(|command| command.completes);
            let is_extension = kind.is_none() && state.extension(&first.text).is_some();
            match kind {
                Some(Completes::Nothing) => {}
                Some(Completes::Nodes) => offer.below(place, without_flag(rest), Wanted::Nodes),
                Some(Completes::Topics) if rest.is_empty() => {
                    offer.commands(state);
                    offer.below(place, rest, Wanted::Actions);
                }
                Some(Completes::Options) => offer.options(state, rest),
                Some(Completes::Members) => offer.below(place, rest, Wanted::All),
                Some(Completes::Actions | Completes::Topics) => offer.below(place, rest, Wanted::Actions),
                None if is_extension => {}
                None => offer.below(place, &before, Wanted::Actions),
            }
        }
    }
    Completion { start: typed.start, candidates: offer.candidates }
}

fn without_flag(words: &[Word]) -> &[Word] {
    match words.split_first() {
        Some((first, rest)) if first.text == "-a" => rest,
        _ => words,
    }
}

/// Which names of a node are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Children.
    Nodes,
    /// Actions too.
    Actions,
    /// Whatever it has.
    All,
}

struct Offer<'a> {
    typed: &'a Word,
    candidates: Vec<Candidate>,
}

impl Offer<'_> {
    fn add(&mut self, name: &str, mark: &'static str, style: Style) {
        // Names with control characters cannot be typed; `ls` shows them.
        if name.starts_with(&self.typed.text) && !name.chars().any(is_unsafe) {
            self.candidates.push(Candidate { text: shell_word(name), shown: name.to_string(), mark, style });
        }
    }

    fn commands(&mut self, state: &State) {
        for command in commands::available(state) {
            self.add(command.name, "", Style::Cyan);
        }
        for extension in &state.extensions {
            self.add(extension.name(), "~", Style::Cyan);
        }
    }

    /// Names of options, then what the option can be (row N-38).
    fn options(&mut self, state: &State, words: &[Word]) {
        match words {
            [] => state.options.definitions().for_each(|definition| self.add(definition.name, "", Style::Plain)),
            [name] => {
                let definition = state.options.definitions().find(|definition| definition.name == name.text);
                let values = definition.map_or(&[][..], |definition| definition.kind.words());
                values.iter().for_each(|value| self.add(value, "", Style::Plain));
            }
            _ => {}
        }
    }

    /// What may follow these words; nothing behind an action (row N-48) or a word that leads nowhere.
    fn below(&mut self, place: &Place, words: &[Word], wanted: Wanted) {
        let mut node = place.node.clone();
        for word in words {
            match place.step(&node, &word.text) {
                Some(Ok(next)) => node = next,
                _ => return,
            }
        }
        self.members(place, &node, wanted);
    }

    fn members(&mut self, place: &Place, node: &Node, wanted: Wanted) {
        self.add(".", "", Style::Plain);
        if place.previous.is_some() {
            self.add("-", "", Style::Plain);
        }
        if node.parent().is_some() {
            self.add("/", "", Style::Plain);
            self.add("..", "", Style::Plain);
        }
        if self.typed.text.is_empty() || self.typed.text.starts_with(':') {
            for cell in cell_words(node) {
                self.add(&cell, "", group_style(node));
            }
        }
        let with_private = is_private(&self.typed.text);
        for (name, member) in node.class().members() {
            if is_private(&name) && !with_private || !name.starts_with(&self.typed.text) {
                continue;
            }
            match member {
                Member::Child(_) => {
                    let style = node.child(&name).map_or(Style::Plain, |child| group_style(&child));
                    self.add(&name, "", style);
                }
                Member::Action(_) if wanted != Wanted::Nodes => self.add(&name, "*", group_style(node)),
                Member::Query(_) if wanted == Wanted::All => self.add(&name, "?", group_style(node)),
                Member::Property(_) | Member::Required(_) if wanted == Wanted::All => {
                    self.add(&name, "@", group_style(node));
                }
                Member::Value(_) if wanted == Wanted::All => self.add(&name, "", Style::Plain),
                _ => {}
            }
        }
    }
}

/// Colours of the words that mean something so far (row N-50).
pub(crate) fn highlight(state: &State, line: &str) -> Vec<(Range<usize>, Style)> {
    let (mut words, last) = split_for_completion(line);
    if last.end > last.start {
        words.push(last);
    }
    let mut spans = Vec::new();
    let place = state.place();
    let mut node = place.node.clone();
    for (i, word) in words.iter().enumerate() {
        let range = word.start..word.end;
        let is_command = commands::by_name(state, &word.text).is_some() || state.extension(&word.text).is_some();
        if i == 0 && is_command {
            spans.push((range, Style::Cyan));
            continue;
        }
        match place.step(&node, &word.text) {
            Some(Ok(next)) => {
                spans.push((range, visible(group_style(&next))));
                node = next;
            }
            Some(Err(_)) => return spans,
            None => {
                if let Some(Member::Action(_)) = node.class().member(&word.text) {
                    spans.push((range, visible(group_style(&node))));
                }
                return spans;
            }
        }
    }
    spans
}

/// A word that resolves looks different from one that does not, whatever the group.
fn visible(style: Style) -> Style {
    if style == Style::Plain { Style::Bold } else { style }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::shell::test_tree::tree;

    // rows: N-38 N-46
    #[test]
    fn options_are_completed_by_name_and_value() {
        let state = State::new(tree(), Vec::new(), Options::of_daemon());
        let offered = |line: &str| -> Vec<String> {
            complete(&state, line).candidates.into_iter().map(|candidate| candidate.text).collect()
        };
        assert_eq!(offered("set-option pa"), ["parallel-view", "parallel"]);
        assert_eq!(offered("set-option parallel-view "), ["tiled", "fold", "lines", "windows"]);
        assert_eq!(offered("set-option keep-panes-open o"), ["on", "off"]);
        for nothing in ["set-option keep-panes-open on ", "set-option no-such-option ", "show-options "] {
            assert_eq!(offered(nothing), Vec::<String>::new(), "{nothing}");
        }
    }
}
