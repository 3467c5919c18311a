//! Just enough of Lua's grammar to read a deployment file as text: names, strings, punctuation, doc comments.

use std::collections::BTreeMap;

/// A piece of source text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    /// Line, counted from 1.
    pub(super) line: u32,
}

/// What a piece is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or keyword.
    Name(String),
    /// A string literal, without quotes and with its escapes as written.
    Text(String),
    /// Anything else, one character at a time; numbers are `0`.
    Mark(char),
}

impl Token {
    pub(super) fn is(&self, mark: char) -> bool {
        self.kind == TokenKind::Mark(mark)
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, TokenKind::Name(name) if name == word)
    }
}

/// Tokens, and the text of each `---` comment that stands alone on its line.
pub(super) struct Lexed {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: BTreeMap<u32, String>,
}

/// Reads source text. Never fails: what Lua itself would refuse is skipped over.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { rest: text, line: 1, fresh_line: true };
    let mut lexed = Lexed { tokens: Vec::new(), comments: BTreeMap::new() };
    if lexer.rest.starts_with('#') {
        lexer.take_while(|c| c != '\n');
    }
    while lexer.step(&mut lexed) {}
    lexed
}

struct Lexer<'a> {
    rest: &'a str,
    line: u32,
    /// Nothing but white space so far on this line.
    fresh_line: bool,
}

impl<'a> Lexer<'a> {
    fn step(&mut self, out: &mut Lexed) -> bool {
        let Some(c) = self.rest.chars().next() else { return false };
        let line = self.line;
        let fresh_line = self.fresh_line;
        if c.is_whitespace() {
            self.advance(c.len_utf8());
            return true;
        }
        self.fresh_line = false;
        if self.rest.starts_with("--") {
            self.advance(2);
            match self.long_bracket() {
                Some(_) => {}
                None => {
                    let comment = self.take_while(|c| c != '\n');
                    if let (true, Some(doc)) = (fresh_line, comment.strip_prefix('-')) {
                        out.comments.insert(line, doc.trim_end().to_string());
                    }
                }
            }
            return true;
        }
        let kind = self.token(c);
        out.tokens.push(Token { kind, line });
        true
    }

    fn token(&mut self, c: char) -> TokenKind {
        if c.is_ascii_alphabetic() || c == '_' {
            return TokenKind::Name(self.take_while(|c| c.is_ascii_alphanumeric() || c == '_').to_string());
        }
        if c.is_ascii_digit() {
            self.take_while(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_');
            return TokenKind::Mark('0');
        }
        if c == '"' || c == '\'' {
            return TokenKind::Text(self.quoted(c));
        }
        if let Some(text) = self.long_bracket() {
            return TokenKind::Text(text);
        }
        self.advance(c.len_utf8());
        TokenKind::Mark(c)
    }

    fn quoted(&mut self, quote: char) -> String {
        self.advance(1);
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if c == '\n' && !text.ends_with('\\') {
                break;
            }
            self.advance(c.len_utf8());
            match c {
                '\\' => {
                    text.push(c);
                    if let Some(escaped) = self.rest.chars().next() {
                        text.push(escaped);
                        self.advance(escaped.len_utf8());
                    }
                }
                c if c == quote => break,
                c => text.push(c),
            }
        }
        text
    }

    /// `[[ ... ]]` and `[==[ ... ]==]`.
    fn long_bracket(&mut self) -> Option<String> {
        let inner = self.rest.strip_prefix('[')?;
        let level = inner.len() - inner.trim_start_matches('=').len();
        let body = inner[level..].strip_prefix('[')?;
        let close = format!("]{}]", "=".repeat(level));
        let end = body.find(&close).unwrap_or(body.len());
        let text = body[..end].to_string();
        self.advance((level + 2 + end + close.len()).min(self.rest.len()));
        Some(text)
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !keep(c)).unwrap_or(self.rest.len());
        let taken = &self.rest[..end];
        self.advance(end);
        taken
    }

    fn advance(&mut self, bytes: usize) {
        let (passed, rest) = self.rest.split_at(bytes);
        let lines = passed.bytes().filter(|b| *b == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.fresh_line = (self.fresh_line && passed.trim().is_empty()) || passed.ends_with('\n');
        self.rest = rest;
    }
}
