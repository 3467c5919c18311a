//! What values options can have (row T-04).

use std::fmt;

use super::key::ControlKey;

/// What values an option can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `on` or `off`.
    OnOff,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number from 1 on, or `all`.
    Count,
    /// A control key, or `none`.
    Key,
}

/// A value of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionValue {
    /// Of [`Kind::OnOff`].
    OnOff(bool),
    /// Of [`Kind::Choice`]: the word.
    Choice(&'static str),
    /// Of [`Kind::Count`]; `None`: all.
    Count(Option<usize>),
    /// Of [`Kind::Key`]; `None`: no key.
    Key(Option<ControlKey>),
}

impl Kind {
    /// A value from text.
    ///
    /// # Errors
    /// What it can be instead.
    pub(super) fn parse(self, text: &str) -> Result<OptionValue, String> {
        let value = match (self, text) {
            (Kind::OnOff, "on" | "true") => OptionValue::OnOff(true),
            (Kind::OnOff, "off" | "false") => OptionValue::OnOff(false),
            (Kind::Count, "all") => OptionValue::Count(None),
            (Kind::Key, "none") => OptionValue::Key(None),
            (Kind::Choice(words), text) => match words.iter().find(|word| **word == text) {
                Some(word) => OptionValue::Choice(word),
                None => return Err(self.alternatives()),
            },
            (Kind::Count, text) => match text.parse() {
                Ok(count @ 1..) => OptionValue::Count(Some(count)),
                _ => return Err(self.alternatives()),
            },
            (Kind::Key, text) => OptionValue::Key(Some(text.parse()?)),
            (Kind::OnOff, _) => return Err(self.alternatives()),
        };
        Ok(value)
    }

    /// What it can be, a sentence.
    pub fn alternatives(self) -> String {
        match self {
            Kind::OnOff => "use on or off".to_string(),
            Kind::Choice(words) => match words.split_last() {
                Some((last, rest)) if !rest.is_empty() => format!("use {} or {last}", rest.join(", ")),
                _ => format!("use {}", words.concat()),
            },
            Kind::Count => "use a number from 1 on, or all".to_string(),
            Kind::Key => "use a key such as ctrl-b, or none".to_string(),
        }
    }

    /// The words that completion offers.
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Kind::OnOff => &["on", "off"],
            Kind::Choice(words) => words,
            Kind::Count => &["all"],
            Kind::Key => &["none"],
        }
    }
}

impl fmt::Display for OptionValue {
    /// As it would be typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionValue::OnOff(true) => f.write_str("on"),
            OptionValue::OnOff(false) => f.write_str("off"),
            OptionValue::Choice(word) => f.write_str(word),
            OptionValue::Count(Some(count)) => count.fmt(f),
            OptionValue::Count(None) => f.write_str("all"),
            OptionValue::Key(Some(key)) => write!(f, "ctrl-{}", key.letter()),
            OptionValue::Key(None) => f.write_str("none"),
        }
    }
}
