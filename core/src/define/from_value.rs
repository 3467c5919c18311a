//! Values as parameters of a Rust closure.

use std::path::PathBuf;
use std::vec;

use crate::env::{ActionError, Env};
use crate::node::{Class, HostDef};
use crate::value::Value;

/// A type that an action can take as a parameter, or that an attribute can be read as.
///
/// Words typed in the shell arrive as text, so numbers and booleans are read from text as well. `Option` may be left
/// out; `Vec` takes all that is left, or one list.
pub trait FromValue: Sized + Send + 'static {
    /// The value as this type.
    ///
    /// # Errors
    /// What it should have been: `must be a whole number, got 'x'`.
    fn from_value(value: Value) -> Result<Self, String>;

    /// How the parameter is shown in help: `text`, `[number]`, `text...`.
    fn shown() -> String;

    /// Takes the next parameter of a call.
    ///
    /// # Errors
    /// When it is missing, or of another type.
    fn take(arguments: &mut Arguments) -> Result<Self, ActionError> {
        match arguments.next() {
            Some(value) => Self::from_value(value).map_err(|why| arguments.wrong(&why)),
            None => Err(arguments.missing(&Self::shown())),
        }
    }
}

/// The arguments of one call, on their way into parameters.
#[derive(Debug)]
pub struct Arguments {
    action: String,
    takes: Vec<String>,
    values: vec::IntoIter<Value>,
    taken: usize,
    given: usize,
}

impl Arguments {
    /// The arguments of a call of this action, which takes these parameters.
    pub(super) fn new(action: String, takes: Vec<String>, values: Vec<Value>) -> Arguments {
        Arguments { action, takes, taken: 0, given: values.len(), values: values.into_iter() }
    }

    fn next(&mut self) -> Option<Value> {
        self.taken += 1;
        self.values.next()
    }

    fn wrong(&self, why: &str) -> ActionError {
        ActionError::usage(format!("parameter {} of '{}' {why}", self.taken, self.action))
    }

    fn missing(&self, shown: &str) -> ActionError {
        let name = self.takes.get(self.taken - 1).map_or(shown, String::as_str);
        ActionError::usage(format!(
            "parameter {} of '{}' is missing: {name}; {}",
            self.taken,
            self.action,
            self.usage()
        ))
    }

    fn usage(&self) -> String {
        format!("it is called as `{} {}`", self.action, self.takes.join(" "))
    }

    /// Nothing may be left over.
    pub(super) fn finish(self) -> Result<(), ActionError> {
        if self.values.as_slice().is_empty() {
            return Ok(());
        }
        let (action, given) = (&self.action, self.given);
        Err(ActionError::usage(match self.takes.len() {
            0 => format!("'{action}' takes no parameters, got {given}"),
            1 => format!("'{action}' takes one parameter, got {given}; {}", self.usage()),
            takes => format!("'{action}' takes {takes} parameters at most, got {given}; {}", self.usage()),
        }))
    }
}

/// What a value is, for messages; text as it is.
fn got(wanted: &str, value: &Value) -> String {
    const SHOWN: usize = 60;
    let shown = match value.as_bytes() {
        Some(text) => {
            let text: String = String::from_utf8_lossy(text).chars().take(SHOWN).collect();
            format!("'{}'", text.trim_end_matches('\n'))
        }
        None => match value {
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => value.to_string(),
            other => other.type_name().to_string(),
        },
    };
    format!("must be {wanted}, got {shown}")
}

/// Text without the line end that a command's output has.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Output(output) => Some(output.text()),
        Value::Int(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        other => String::from_utf8(other.as_bytes()?.to_vec()).ok(),
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Result<String, String> {
        words(&value).ok_or_else(|| got("text", &value))
    }

    fn shown() -> String {
        "text".to_string()
    }
}

impl FromValue for PathBuf {
    fn from_value(value: Value) -> Result<PathBuf, String> {
        words(&value).map(PathBuf::from).ok_or_else(|| got("a path", &value))
    }

    fn shown() -> String {
        "path".to_string()
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<f64, String> {
        let number = match &value {
            Value::Float(number) => Some(*number),
            Value::Bool(_) => None,
            other => words(other).and_then(|text| text.trim().parse().ok()),
        };
        number.ok_or_else(|| got("a number", &value))
    }

    fn shown() -> String {
        "number".to_string()
    }
}

impl FromValue for i64 {
    fn from_value(value: Value) -> Result<i64, String> {
        /// Numbers beyond this are not all whole in a float.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let number = match &value {
            Value::Int(number) => Some(*number),
            Value::Float(number) if number.fract() == 0.0 && number.abs() <= EXACT => Some(*number as i64),
            Value::Float(_) | Value::Bool(_) => None,
            other => words(other).and_then(|text| text.trim().parse().ok()),
        };
        number.ok_or_else(|| got("a whole number", &value))
    }

    fn shown() -> String {
        "number".to_string()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {$(
        impl FromValue for $number {
            fn from_value(value: Value) -> Result<$number, String> {
                let (least, most) = (<$number>::MIN, <$number>::MAX);
                let number = i64::from_value(value)?;
                number.try_into().map_err(|_| format!("must be a whole number from {least} to {most}, got {number}"))
            }

            fn shown() -> String {
                "number".to_string()
            }
        }
    )*};
}

whole_numbers!(i32, u8, u16, u32, u64, usize);

impl FromValue for bool {
    fn from_value(value: Value) -> Result<bool, String> {
        let said = match &value {
            Value::Bool(value) => Some(*value),
            other => words(other).and_then(|text| match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "on" | "1" => Some(true),
                "false" | "no" | "n" | "off" | "0" => Some(false),
                _ => None,
            }),
        };
        said.ok_or_else(|| got("yes or no", &value))
    }

    fn shown() -> String {
        "yes|no".to_string()
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Value, String> {
        Ok(value)
    }

    fn shown() -> String {
        "value".to_string()
    }
}

macro_rules! of_kind {
    ($($kind:ty, $variant:ident, $wanted:literal, $shown:literal;)*) => {$(
        impl FromValue for $kind {
            fn from_value(value: Value) -> Result<$kind, String> {
                match value {
                    Value::$variant(value) => Ok(value),
                    other => Err(got($wanted, &other)),
                }
            }

            fn shown() -> String {
                $shown.to_string()
            }
        }
    )*};
}

of_kind! {
    Env, Node, "a node", "node";
    Class, Class, "a node class", "class";
    HostDef, Host, "a host", "host";
}

/// May be left out; nil is nothing, too.
impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Option<T>, String> {
        match value {
            Value::Nil => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }

    fn shown() -> String {
        format!("[{}]", T::shown())
    }

    fn take(arguments: &mut Arguments) -> Result<Option<T>, ActionError> {
        match arguments.next() {
            Some(value) => Option::from_value(value).map_err(|why| arguments.wrong(&why)),
            None => Ok(None),
        }
    }
}

/// All that is left, or one list.
impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Vec<T>, String> {
        let value = match value {
            Value::Foreign(foreign) => foreign.plain().unwrap_or(Value::Foreign(foreign)),
            value => value,
        };
        let Value::List(items) = value else { return Err(got("a list", &value)) };
        let numbered = items.into_iter().enumerate();
        numbered.map(|(i, item)| T::from_value(item).map_err(|why| format!("item {}: {why}", i + 1))).collect()
    }

    fn shown() -> String {
        format!("[{}...]", T::shown())
    }

    fn take(arguments: &mut Arguments) -> Result<Vec<T>, ActionError> {
        let is_list = |value: &Value| match value {
            Value::List(_) => true,
            Value::Foreign(foreign) => matches!(foreign.plain(), Some(Value::List(_))),
            _ => false,
        };
        if let [only] = arguments.values.as_slice()
            && is_list(only)
            && let Some(list) = arguments.next()
        {
            return Vec::from_value(list).map_err(|why| arguments.wrong(&why));
        }
        let mut items = Vec::new();
        while !arguments.values.as_slice().is_empty() {
            items.push(T::take(arguments)?);
        }
        Ok(items)
    }
}
