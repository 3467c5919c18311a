//! What a command printed: text in every string use, with `stdout`, `stderr`, `status` and `signal`.

use std::sync::Arc;

use mlua::{Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::bytes;
use super::error::{signal, status, usage};
use super::foreign::text_of;
use super::prelude;
use crate::host::{ExitStatus, RunOutput};

/// The result of a run.
pub(super) struct LuaOutput(pub(super) Arc<RunOutput>);

impl UserData for LuaOutput {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "the output of a command");
        fields.add_meta_field_with(MetaMethod::Index, |lua| prelude::function(lua, "output_index"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |lua, this, ()| lua.create_string(&this.0.stdout));
        methods.add_meta_method(MetaMethod::Len, |_, this, ()| Ok(this.0.stdout.len()));
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            let mut text = part(lua, &left)?;
            text.extend(part(lua, &right)?);
            lua.create_string(text)
        });
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (Value, Value)| Ok(bytes(&left) == bytes(&right)));
        methods.add_meta_function(MetaMethod::Lt, |_, (left, right): (Value, Value)| Ok(bytes(&left) < bytes(&right)));
        methods.add_meta_function(MetaMethod::Le, |_, (left, right): (Value, Value)| Ok(bytes(&left) <= bytes(&right)));
    }
}

fn part(lua: &Lua, value: &Value) -> mlua::Result<Vec<u8>> {
    match value {
        Value::Nil | Value::Boolean(_) | Value::Table(_) | Value::Function(_) => {
            usage(format!("cannot put {} into text", super::convert::type_name(value)))
        }
        other => text_of(lua, other),
    }
}

/// What a result has beside the methods of text.
pub(super) const FIELDS: [&str; 6] = ["stdout", "stderr", "text", "status", "signal", "ok"];

/// A field of a result; nil when there is none of this name.
pub(super) fn field(lua: &Lua, (this, key): (mlua::AnyUserData, Value)) -> mlua::Result<Value> {
    let output = this.borrow::<LuaOutput>()?.0.clone();
    let Some(key) = key.as_string().map(|key| key.to_string_lossy()) else { return Ok(Value::Nil) };
    if !FIELDS.contains(&key.as_str()) {
        return Ok(Value::Nil);
    }
    match key.as_str() {
        "stdout" => lua.create_string(&output.stdout).map(Value::String),
        "stderr" => lua.create_string(&output.stderr).map(Value::String),
        "text" => lua.create_string(output.text()).map(Value::String),
        "status" => Ok(status(&output.status)),
        "signal" => signal(lua, &output.status),
        "ok" => Ok(Value::Boolean(output.status == ExitStatus::Code(0))),
        _ => Ok(Value::Nil),
    }
}
