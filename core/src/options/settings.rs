//! Values that were given for options, checked: those of a file, of flags, of a session.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::kind::OptionValue;
use super::table::{self, Definition};
use crate::script::suggest::suggest;

/// Longest name or value that a message repeats, in characters.
const SHOWN: usize = 60;

/// Values given for some options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<&'static str, OptionValue>);

/// Why an option cannot be set so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// There is none of this name.
    #[error("no option '{}'{}", shown(.0), instead(.0))]
    Unknown(String),
    /// It cannot have this value.
    #[error("{name} cannot be '{}': {alternatives}", shown(.value))]
    Value {
        /// Name of the option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it can be.
        alternatives: String,
    },
    /// `run -s` has no daemon that could obey it.
    #[error("{0} is for sessions of a daemon: this shell has none (run without -s)")]
    NeedsDaemon(String),
    /// Not `NAME=VALUE`.
    #[error("'{}' is no NAME=VALUE; show-options in the shell lists the names", shown(.0))]
    Form(String),
}

impl Settings {
    /// Gives an option a value, written as people write it.
    ///
    /// # Errors
    /// When there is no such option, or it cannot have this value.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        let definition = table::definition(name).ok_or_else(|| OptionError::Unknown(name.to_string()))?;
        let parsed = definition.kind.parse(value);
        let wrong = |alternatives| OptionError::Value { name: definition.name, value: value.to_string(), alternatives };
        self.0.insert(definition.name, parsed.map_err(wrong)?);
        Ok(())
    }

    /// The value given for an option.
    pub fn get(&self, name: &str) -> Option<OptionValue> {
        self.0.get(name).copied()
    }

    /// Names and values, as they would be typed.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.0.iter().map(|(name, value)| (*name, value.to_string()))
    }

    /// These values on top of those.
    pub fn take_over(&mut self, other: &Settings) {
        self.0.extend(other.0.iter().map(|(name, value)| (*name, *value)));
    }

    pub(super) fn needs_daemon(&self) -> bool {
        self.0.keys().filter_map(|name| table::definition(name)).any(|definition| definition.needs_daemon)
    }
}

impl FromStr for Settings {
    type Err = OptionError;

    /// One setting, `NAME=VALUE`: the form of flags.
    fn from_str(text: &str) -> Result<Settings, OptionError> {
        let (name, value) = text.split_once('=').ok_or_else(|| OptionError::Form(text.to_string()))?;
        let mut settings = Settings::default();
        settings.set(name.trim(), value.trim())?;
        Ok(settings)
    }
}

/// A text of somebody else's, short and harmless.
fn shown(text: &str) -> impl fmt::Display {
    let short: String = text.chars().take(SHOWN).collect();
    short.escape_debug().to_string()
}

fn instead(name: &str) -> String {
    suggest(name, table::TABLE.iter().map(|definition: &Definition| definition.name))
}
