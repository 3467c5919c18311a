//! Values on their way between Lua and the framework.

use std::sync::Arc;

use mlua::{IntoLua, Lua, MultiValue, Value};

use super::class::LuaClass;
use super::env::{LuaBound, LuaEnv, LuaSkipped};
use super::error::Raised;
use super::foreign::{LuaForeign, Several};
use super::host::LuaHost;
use super::output::LuaOutput;
use super::parallel::LuaParallel;
use super::shared::Shared;
use crate::env::{BoundAction, Skipped};
use crate::value::{self, Foreign};

pub(super) use super::foreign;

/// A value for a script.
pub(super) fn to_lua(lua: &Lua, value: value::Value) -> mlua::Result<Value> {
    match value {
        value::Value::Nil => Ok(Value::Nil),
        value::Value::Bool(value) => Ok(Value::Boolean(value)),
        value::Value::Int(value) => Ok(Value::Integer(value)),
        value::Value::Float(value) => Ok(Value::Number(value)),
        value::Value::Text(text) => lua.create_string(text).map(Value::String),
        value::Value::List(values) => {
            let values = values.into_iter().map(|value| to_lua(lua, value)).collect::<mlua::Result<Vec<_>>>()?;
            lua.create_sequence_from(values).map(Value::Table)
        }
        value::Value::Map(pairs) => {
            let table = lua.create_table()?;
            for (key, value) in pairs {
                table.raw_set(to_lua(lua, key)?, to_lua(lua, value)?)?;
            }
            Ok(Value::Table(table))
        }
        value::Value::Output(output) => LuaOutput(output).into_lua(lua),
        value::Value::Parallel(result) => LuaParallel::new(lua, result)?.into_lua(lua),
        value::Value::Node(env) => LuaEnv::new(lua, env)?.into_lua(lua),
        value::Value::Class(class) => LuaClass::new(class).into_lua(lua),
        value::Value::Host(host) => LuaHost(host).into_lua(lua),
        value::Value::Foreign(foreign) => foreign_to_lua(lua, &*foreign),
    }
}

fn foreign_to_lua(lua: &Lua, value: &dyn Foreign) -> mlua::Result<Value> {
    if let Some(own) = value.as_any().downcast_ref::<LuaForeign>()
        && let Ok(own) = own.get(lua)
    {
        return Ok(own);
    }
    if let Some(bound) = value.as_any().downcast_ref::<BoundAction>() {
        return LuaBound::new(lua, bound.clone())?.into_lua(lua);
    }
    if value.as_any().is::<Skipped>() {
        return LuaSkipped.into_lua(lua);
    }
    // A value of another state or front end: its text is what there is.
    lua.create_string(value.describe()).map(Value::String)
}

/// The values that an action gave, several when a script returned several.
pub(super) fn to_lua_multi(lua: &Lua, value: value::Value) -> mlua::Result<MultiValue> {
    if let value::Value::Foreign(foreign) = &value
        && let Some(several) = foreign.as_any().downcast_ref::<Several>()
    {
        return several.0.iter().map(|value| to_lua(lua, value.clone())).collect();
    }
    Ok(MultiValue::from_iter([to_lua(lua, value)?]))
}

/// A value of a script. Tables, functions and objects that the framework has no form for stay what they are.
pub(super) fn from_lua(lua: &Lua, value: &Value) -> mlua::Result<value::Value> {
    Ok(match value {
        Value::Nil => value::Value::Nil,
        Value::Boolean(value) => value::Value::Bool(*value),
        Value::Integer(value) => value::Value::Int(*value),
        Value::Number(value) => value::Value::Float(*value),
        Value::String(text) => {
            Shared::charge(lua, text.as_bytes().len())?;
            value::Value::text(text.as_bytes().to_vec())
        }
        Value::UserData(userdata) => {
            if let Ok(env) = userdata.borrow::<LuaEnv>() {
                value::Value::Node(env.env()?)
            } else if let Ok(output) = userdata.borrow::<LuaOutput>() {
                value::Value::Output(output.0.clone())
            } else if let Ok(result) = userdata.borrow::<LuaParallel>() {
                value::Value::Parallel(result.get()?)
            } else if let Ok(class) = userdata.borrow::<LuaClass>() {
                value::Value::Class(class.class.clone())
            } else if let Ok(host) = userdata.borrow::<LuaHost>() {
                value::Value::Host(host.0.clone())
            } else if let Ok(bound) = userdata.borrow::<LuaBound>() {
                value::Value::Foreign(Arc::new(BoundAction::clone(&*bound.bound()?)))
            } else if userdata.is::<LuaSkipped>() {
                value::Value::Foreign(Arc::new(Skipped))
            } else {
                foreign::value(lua, value)?
            }
        }
        Value::Error(error) => return Err(error.as_ref().clone()),
        other => foreign::value(lua, other)?,
    })
}

/// One value from what a function returned.
pub(super) fn from_lua_multi(lua: &Lua, values: MultiValue) -> mlua::Result<value::Value> {
    let mut values = values.iter().map(|value| from_lua(lua, value)).collect::<mlua::Result<Vec<_>>>()?;
    Ok(match values.len() {
        0 => value::Value::Nil,
        1 => values.swap_remove(0),
        _ => value::Value::Foreign(Arc::new(Several(values))),
    })
}

/// Text, or the output of a command where text is wanted.
pub(super) fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::UserData(userdata) => userdata.borrow::<LuaOutput>().ok().map(|output| output.0.stdout.to_vec()),
        _ => None,
    }
}

/// Text in UTF-8, for what the framework wants as text.
pub(super) fn text(value: &Value, what: &str) -> mlua::Result<String> {
    match bytes(value).map(String::from_utf8) {
        Some(Ok(text)) => Ok(text),
        Some(Err(_)) => Err(Raised::usage(format!("{what} is not UTF-8 text")).into()),
        None => Err(Raised::usage(format!("{what} must be text, got {}", type_name(value))).into()),
    }
}

/// The kind of a value, for messages.
pub(super) fn type_name(value: &Value) -> String {
    match value {
        Value::Nil => "nothing".to_string(),
        Value::Boolean(_) => "a boolean".to_string(),
        Value::Integer(_) | Value::Number(_) => "a number".to_string(),
        Value::String(_) => "text".to_string(),
        Value::Table(_) => "a table".to_string(),
        Value::Function(_) => "a function".to_string(),
        Value::UserData(userdata) => match userdata.type_name() {
            Ok(name) => name.to_string_lossy(),
            Err(_) => "an object".to_string(),
        },
        other => format!("a {}", other.type_name()),
    }
}
