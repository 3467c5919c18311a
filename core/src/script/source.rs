//! A loaded file as text: what Lua forgets. The order in which a table's fields were written, the `---` comments above
//! a definition, the names of a function's parameters.

use std::collections::{BTreeMap, BTreeSet};

use super::lexer::{Lexed, Token, TokenKind, lex};

/// The text of one file, read once.
#[derive(Debug)]
pub(super) struct Source {
    comments: BTreeMap<u32, String>,
    constructors: Vec<Constructor>,
    functions: Vec<FunctionText>,
}

/// A `{ ... }` with named fields.
#[derive(Debug)]
struct Constructor {
    line: u32,
    fields: Vec<Field>,
}

/// One named field of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    /// Line of the name, counted from 1.
    pub(super) line: u32,
}

#[derive(Debug)]
struct FunctionText {
    line: u32,
    /// Written with a colon: `self` is not among the parameters.
    method: bool,
    parameters: Vec<String>,
}

impl Source {
    pub(super) fn new(text: &str) -> Source {
        let Lexed { tokens, comments } = lex(text);
        Source { comments, constructors: constructors(&tokens), functions: functions(&tokens) }
    }

    /// The named fields of the table with exactly these names, as written. The one on `line` when there are several;
    /// `None` when no table in the file has these names, or several with different orders.
    pub(super) fn fields(&self, line: Option<u32>, names: &BTreeSet<&str>) -> Option<Vec<Field>> {
        let has = |f: &Field| names.contains(f.name.as_str());
        let same_names = |c: &&Constructor| c.fields.len() == names.len() && c.fields.iter().all(has);
        if let Some(here) = line.and_then(|line| on_line(&self.constructors, line, |c| c.line).iter().find(same_names))
        {
            return Some(here.fields.clone());
        }
        let mut candidates = self.constructors.iter().filter(same_names);
        let first = candidates.next()?;
        let order = |c: &Constructor| c.fields.iter().map(|f| f.name.clone()).collect::<Vec<_>>();
        candidates.all(|c| order(c) == order(first)).then(|| first.fields.clone())
    }

    /// The `---` comment lines directly above a line; annotations for editors (`---@...`) left out.
    pub(super) fn doc_above(&self, line: u32) -> Option<String> {
        let lines: Vec<&str> = self
            .block_above(line)
            .into_iter()
            .filter(|text| !text.starts_with('@') && !text.starts_with('-'))
            .map(|text| text.strip_prefix(' ').unwrap_or(text))
            .collect();
        let text = lines.join("\n").trim().to_string();
        (!text.is_empty()).then_some(text)
    }

    /// The parameters of the function that starts on this line, without `self`: `name` when a `---@param name` above
    /// says that it is needed, else `[name]`, because a Lua function may be called with fewer.
    pub(super) fn parameters(&self, line: u32, expected: usize, takes_self: bool) -> Option<Vec<String>> {
        let count =
            |f: &&FunctionText| f.parameters.iter().filter(|p| *p != "...").count() + usize::from(f.method) == expected;
        let function = on_line(&self.functions, line, |f| f.line).iter().find(count)?;
        let skip = usize::from(takes_self && !function.method);
        let needed = self.needed_parameters(line);
        let show = |name: &String| match name.as_str() {
            "..." => "...".to_string(),
            name if needed.contains(name) => name.to_string(),
            name => format!("[{name}]"),
        };
        Some(function.parameters.iter().skip(skip).map(show).collect())
    }

    fn needed_parameters(&self, line: u32) -> BTreeSet<&str> {
        self.block_above(line)
            .into_iter()
            .filter_map(|text| text.strip_prefix("@param ")?.split_whitespace().next())
            .filter(|name| !name.ends_with('?'))
            .collect()
    }

    fn block_above(&self, line: u32) -> Vec<&str> {
        let mut first = line;
        while first > 1 && self.comments.contains_key(&(first - 1)) {
            first -= 1;
        }
        self.comments.range(first..line).map(|(_, text)| text.as_str()).collect()
    }
}

/// The entries of one line, in a list that is sorted by line.
fn on_line<T>(sorted: &[T], line: u32, line_of: impl Fn(&T) -> u32) -> &[T] {
    let start = sorted.partition_point(|entry| line_of(entry) < line);
    let end = sorted.partition_point(|entry| line_of(entry) <= line);
    &sorted[start..end]
}

/// How deep inside brackets and blocks the text is, seen from a table's own level.
#[derive(Default)]
struct Nesting {
    brackets: usize,
    blocks: usize,
}

impl Nesting {
    fn is_flat(&self) -> bool {
        self.brackets == 0 && self.blocks == 0
    }

    fn step(&mut self, token: &Token) {
        match &token.kind {
            TokenKind::Mark('(' | '[' | '{') => self.brackets += 1,
            TokenKind::Mark(')' | ']' | '}') => self.brackets = self.brackets.saturating_sub(1),
            TokenKind::Name(word) => match word.as_str() {
                // `for` and `while` have their `do`.
                "function" | "if" | "do" | "repeat" => self.blocks += 1,
                "end" | "until" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            },
            _ => {}
        }
    }
}

/// The first line on which the text is as deep inside brackets and blocks as it gets.
pub(super) fn deepest_line(text: &str) -> u32 {
    let (mut nesting, mut deepest) = (Nesting::default(), (0, 1));
    for token in &lex(text).tokens {
        nesting.step(token);
        let depth = nesting.brackets + nesting.blocks;
        if depth > deepest.0 {
            deepest = (depth, token.line);
        }
    }
    deepest.1
}

/// Every table constructor with named fields. Functions inside a table are stepped over: their commas and
/// assignments are not fields.
fn constructors(tokens: &[Token]) -> Vec<Constructor> {
    let mut done = Vec::new();
    let mut open: Vec<(Constructor, Nesting)> = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        if token.is('}') {
            done.extend(open.pop().map(|(constructor, _)| constructor));
        }
        if let Some((constructor, nesting)) = open.last_mut() {
            let starts_field = i > 0 && ['{', ',', ';'].iter().any(|mark| tokens[i - 1].is(*mark));
            if nesting.is_flat() && starts_field {
                constructor.add(field(&tokens[i..]));
            }
            nesting.step(token);
        }
        if token.is('{') {
            open.push((Constructor { line: token.line, fields: Vec::new() }, Nesting::default()));
        }
    }
    done.retain(|c| !c.fields.is_empty());
    done.sort_by_key(|c| c.line);
    done
}

impl Constructor {
    /// A name that is written twice keeps its first place.
    fn add(&mut self, field: Option<Field>) {
        if let Some(field) = field
            && !self.fields.iter().any(|f| f.name == field.name)
        {
            self.fields.push(field);
        }
    }
}

/// `name = ...` or `["name"] = ...`.
fn field(tokens: &[Token]) -> Option<Field> {
    let kind = |at: usize| tokens.get(at).map(|token| &token.kind);
    let is = |at: usize, mark: char| tokens.get(at).is_some_and(|token| token.is(mark));
    let (name, equals) = match (kind(0)?, kind(1)) {
        (TokenKind::Name(name), _) => (name, 1),
        (TokenKind::Mark('['), Some(TokenKind::Text(name))) if is(2, ']') => (name, 3),
        _ => return None,
    };
    let assigned = is(equals, '=') && !is(equals + 1, '=');
    assigned.then(|| Field { name: name.clone(), line: tokens[0].line })
}

/// Every function with its parameter names.
fn functions(tokens: &[Token]) -> Vec<FunctionText> {
    let starts = tokens.iter().enumerate().filter(|(_, token)| token.is_word("function"));
    starts.filter_map(|(i, token)| function(token.line, &tokens[i + 1..])).collect()
}

fn function(line: u32, tokens: &[Token]) -> Option<FunctionText> {
    let open = tokens.iter().position(|token| token.is('('))?;
    let inner = &tokens[open + 1..];
    let close = inner.iter().position(|token| token.is(')'))?;
    let mut parameters: Vec<String> = Vec::new();
    for token in &inner[..close] {
        match &token.kind {
            TokenKind::Name(name) => parameters.push(name.clone()),
            TokenKind::Mark('.') if parameters.last().is_none_or(|last| last != "...") => parameters.push("...".into()),
            _ => {}
        }
    }
    Some(FunctionText { line, method: tokens[..open].iter().any(|token| token.is(':')), parameters })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = r##"#!/usr/bin/env deployer
local deployer = require "deployer" -- not a doc
--- A service.
--- Has a name.
---@class Service
local Service = Node {
  name = "x", ["odd-name"] = { 1, 2, z = 3 }, --[[ comment = 1, ]]
  start = function(self, a, ...)
    local b, c = 1, 2
    local t = { inner = 1, other = 2 }
    for i = 1, 2 do if i == 1 then b = 2 end end
    return a, "} { = ,"
  end,
  text = [[
    fake = 1,
  ]], last = 4;
}
---- A rule, not a doc.
---@param commit string
---@param force? boolean
--- Check out.
function Service:checkout(commit, force) end
local H = { web = 1, db = 2 }
local I = { db = 1, web = 2 }
local J = { web = 1, db = 2 } local K = { cache = 1, app = 2 }
"##;

    fn names(source: &Source, line: Option<u32>, wanted: &[&str]) -> Option<String> {
        let fields = source.fields(line, &wanted.iter().copied().collect())?;
        Some(fields.iter().map(|f| format!("{}:{}", f.name, f.line)).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn fields_come_in_the_order_in_which_they_were_written() {
        let source = Source::new(FILE);
        let members = ["last", "text", "start", "name", "odd-name"];
        assert_eq!(names(&source, Some(6), &members).unwrap(), "name:7 odd-name:7 start:8 text:14 last:16");
        assert_eq!(names(&source, None, &["other", "inner"]).unwrap(), "inner:10 other:10");
        assert_eq!(names(&source, Some(23), &["db", "web"]).unwrap(), "web:23 db:23");
        assert_eq!(names(&source, Some(24), &["db", "web"]).unwrap(), "db:24 web:24");
        assert_eq!(names(&source, None, &["db", "web"]), None, "two orders and no line: not known");
        assert_eq!(names(&source, None, &["app", "cache"]).unwrap(), "cache:25 app:25", "the only one of its kind");
        assert_eq!(names(&source, None, &["app"]), None);
    }

    #[test]
    fn documentation_is_the_block_directly_above() {
        let source = Source::new(FILE);
        assert_eq!(
            source.doc_above(6).unwrap(),
            "A service.
Has a name."
        );
        assert_eq!(source.doc_above(22).unwrap(), "Check out.");
        assert_eq!(source.doc_above(3), None);
        assert_eq!(source.doc_above(23), None);
    }

    #[test]
    fn parameters_are_optional_unless_annotated() {
        let source = Source::new(FILE);
        assert_eq!(source.parameters(8, 2, true).unwrap(), ["[a]", "..."]);
        assert_eq!(source.parameters(22, 3, true).unwrap(), ["commit", "[force]"]);
        assert_eq!(source.parameters(9, 1, true), None);
    }

    #[test]
    fn any_text_can_be_read() {
        for text in
            ["", "{", "}", "\"", "[[", "--[==[", "function(", "'\\", "{ a =", "#", "é = { ü = 1 }", "{ a == b }"]
        {
            Source::new(text);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[-a-z{}()\\[\\]=\"'\\\\\n ,.é#]{0,80}") {
            Source::new(&text);
        }
    }
}
