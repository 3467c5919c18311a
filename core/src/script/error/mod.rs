//! Errors on their way through Lua: raised by natives, caught by `pcall`, leaving an action with their cause intact.

mod fields;

use std::fmt;

use mlua::{AnyUserData, Error, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::chunks::NoText;
use super::convert::foreign;
use super::frames;
use super::shared::{Held, Shared};
use crate::env::{ActionError, Cause};
use crate::host::RunError;
use crate::node::{ClassError, NodeError, Position};

#[cfg(test)]
pub(super) use fields::FIELDS;
use fields::{field, text};
pub(super) use fields::{signal, status};

/// The limit is `load::MEMORY_MAX`.
pub(super) const TOO_MUCH_MEMORY: &str = "the script uses too much memory: more than 160 MB";

/// Lua's own words are "C stack overflow", and it does not say where.
pub(super) const TOO_DEEP: &str = "brackets or blocks nest too deep here: Lua reads 200 levels";

/// An error inside Lua, and where it was raised.
#[derive(Clone, Debug)]
pub(super) struct Raised {
    pub(super) error: ActionError,
    pub(super) at: Option<Position>,
}

impl Raised {
    pub(super) fn usage(message: impl Into<String>) -> Raised {
        ActionError::usage(message).into()
    }

    pub(super) fn interrupted() -> Raised {
        ActionError::new(Cause::Interrupted).into()
    }
}

impl From<ActionError> for Raised {
    fn from(error: ActionError) -> Raised {
        Raised { error, at: None }
    }
}

impl From<ClassError> for Raised {
    fn from(error: ClassError) -> Raised {
        Raised { at: error.position.clone(), error: ActionError::new(Cause::Class(error)) }
    }
}

impl From<RunError> for Raised {
    fn from(error: RunError) -> Raised {
        ActionError::from(error).into()
    }
}

impl From<NodeError> for Raised {
    fn from(error: NodeError) -> Raised {
        ActionError::from(error).into()
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for Raised {}

impl From<Raised> for Error {
    fn from(raised: Raised) -> Error {
        Error::external(raised)
    }
}

impl From<NoText> for Raised {
    fn from(why: NoText) -> Raised {
        Raised { at: why.position, ..Raised::usage(why.message) }
    }
}

/// Wrong use of something, raised as a Lua error.
pub(super) fn usage<T>(message: impl Into<String>) -> mlua::Result<T> {
    Err(Raised::usage(message).into())
}

/// What a script sees of an error: `kind`, `message`, `host`, `command`, `status`, `outcomes`; text in text uses.
pub(super) struct LuaError {
    raised: Held<Raised>,
    text: String,
}

impl LuaError {
    fn new(lua: &Lua, raised: Raised) -> mlua::Result<LuaError> {
        let text = raised.to_string();
        Ok(LuaError { raised: Shared::of(lua)?.hold(raised), text })
    }
}

/// The message handler of every protected call: gives an error its position while the stack still stands.
///
/// Text and tables that a script raised stay what they are, Rust errors become [`LuaError`] objects.
pub(super) fn note(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let Value::Error(error) = value else { return Ok(value) };
    let raised = from_lua_error(lua, &error);
    lua.create_userdata(LuaError::new(lua, raised)?).map(Value::UserData)
}

/// The message handler of an action: any error value becomes an error with its cause and position.
pub(super) fn on_error(lua: &Lua, value: Value) -> mlua::Result<AnyUserData> {
    let raised = raised_from(lua, &value)?;
    lua.create_userdata(LuaError::new(lua, raised)?)
}

/// The error behind any value that was raised.
pub(super) fn raised_from(lua: &Lua, value: &Value) -> mlua::Result<Raised> {
    if let Value::Error(error) = value {
        return Ok(from_lua_error(lua, error));
    }
    if let Value::UserData(userdata) = value
        && let Ok(error) = userdata.borrow::<LuaError>()
    {
        return Ok(match error.raised.get() {
            Some(raised) => Raised::clone(&raised),
            None => script_error(lua, &error.text, None),
        });
    }
    if let Value::String(text) = value {
        return Ok(script_error(lua, &text.to_string_lossy(), None));
    }
    let message = table_message(value).unwrap_or_else(|| foreign::describe(lua, value));
    Ok(script_error(lua, &message, Some(foreign::value(lua, value)?)))
}

fn table_message(value: &Value) -> Option<String> {
    let message: mlua::LuaString = value.as_table()?.raw_get("message").ok()?;
    Some(message.to_string_lossy())
}

fn script_error(lua: &Lua, message: &str, value: Option<crate::Value>) -> Raised {
    // What Lua itself says when the limit of the state is reached.
    let message = match message {
        "not enough memory" => TOO_MUCH_MEMORY,
        deep if deep.starts_with("C stack overflow\nstack traceback:") => TOO_DEEP,
        other => other,
    };
    let (at, mut message) = frames::split_position(lua, message);
    if message == "stack overflow" {
        message.push_str(": does a function call itself without end?");
    }
    let at = at.or_else(|| frames::here(lua));
    let message = at.as_ref().map(|at| format!("{at}: {message}")).unwrap_or(message);
    let traceback = lua.traceback(None, 1).ok().map(|text| frames::of_scripts(&text.to_string_lossy()));
    Raised { error: ActionError::new(Cause::Script { message, traceback, value }), at }
}

/// What a native, or mlua itself, raised.
fn from_lua_error(lua: &Lua, error: &Error) -> Raised {
    if let Some(raised) = error.downcast_ref::<Raised>() {
        let at = raised.at.clone().or_else(|| frames::here(lua));
        return Raised { error: raised.error.clone(), at };
    }
    let mut innermost = error;
    while let Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } = innermost {
        innermost = cause;
    }
    match innermost {
        Error::RuntimeError(message) => script_error(lua, message, None),
        Error::SyntaxError { message, .. } => script_error(lua, message, None),
        Error::MemoryError(_) => script_error(lua, TOO_MUCH_MEMORY, None),
        other => Raised { error: ActionError::usage(other.to_string()), at: frames::here(lua) },
    }
}

impl UserData for LuaError {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "error");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.text.clone()));
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            let mut text = foreign::text_of(lua, &left)?;
            text.extend_from_slice(&foreign::text_of(lua, &right)?);
            lua.create_string(text)
        });
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            let Some(key) = key.as_string().map(|key| key.to_string_lossy()) else { return Ok(Value::Nil) };
            match this.raised.get() {
                Some(raised) => field(lua, &raised, &key),
                None if key == "message" => text(lua, &this.text),
                None => Ok(Value::Nil),
            }
        });
    }
}
