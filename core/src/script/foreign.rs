//! Lua values that pass through the framework untouched, and how Lua values print.

use std::any::Any;
use std::fmt;
use std::time::Duration;

use mlua::{Lua, RegistryKey, Table, Value, WeakLua};

use super::convert::from_lua;
use super::query::LuaQuery;
use super::shared::Shared;
use crate::value::{self, Foreign};

/// Deepest nesting that is printed.
const DEPTH_MAX: usize = 6;

/// Most entries of one table that are printed.
const ENTRIES_MAX: usize = 200;

/// A script's `__tostring` may take this long.
const TOSTRING_MAX: Duration = Duration::from_secs(1);

/// A table, function or object of a script. It does not keep the script's state alive: a class holds such values and
/// is itself held by that state.
pub(super) struct LuaForeign {
    lua: WeakLua,
    key: RegistryKey,
}

/// Several values returned at once: they arrive as several again where the caller is a script.
#[derive(Debug)]
pub(super) struct Several(pub(super) Vec<value::Value>);

/// A value that keeps being the same object.
pub(super) fn value(lua: &Lua, value: &Value) -> mlua::Result<value::Value> {
    let foreign = LuaForeign { lua: lua.weak(), key: lua.create_registry_value(value.clone())? };
    Ok(value::Value::Foreign(std::sync::Arc::new(foreign)))
}

impl LuaForeign {
    /// The object, in the state it came from.
    pub(super) fn get(&self, lua: &Lua) -> mlua::Result<Value> {
        lua.registry_value(&self.key)
    }
}

impl Foreign for LuaForeign {
    fn describe(&self) -> String {
        let Some(lua) = self.lua.try_upgrade() else { return "a value of a script that is gone".to_string() };
        match self.get(&lua) {
            Ok(value) => describe(&lua, &value),
            Err(error) => error.to_string(),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn plain(&self) -> Option<value::Value> {
        let lua = self.lua.try_upgrade()?;
        let value = self.get(&lua).ok()?;
        plain(&lua, &value).ok()
    }
}

impl fmt::Debug for LuaForeign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl Foreign for Several {
    fn describe(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// How a Lua value prints in the shell: lists in brackets, other tables in braces.
pub(super) fn describe(lua: &Lua, value: &Value) -> String {
    String::from_utf8_lossy(&shown(lua, value, DEPTH_MAX)).into_owned()
}

/// The bytes of a Lua value where text is wanted, by its `__tostring` where it has one.
pub(super) fn text_of(lua: &Lua, value: &Value) -> mlua::Result<Vec<u8>> {
    match value {
        Value::String(text) => Ok(text.as_bytes().to_vec()),
        other => {
            let shared = Shared::of(lua)?;
            let text = shared.limited(TOSTRING_MAX, || other.to_string())?;
            Ok(text.into_bytes())
        }
    }
}

/// A value as plain lists and maps: what a query can look into. Tables deeper than what is printed, and all that is not
/// plain data, stay objects.
pub(super) fn plain(lua: &Lua, value: &Value) -> mlua::Result<value::Value> {
    plain_to(lua, value, DEPTH_MAX)
}

fn plain_to(lua: &Lua, value: &Value, depth: usize) -> mlua::Result<value::Value> {
    if let Some(query) = value.as_userdata().and_then(|userdata| userdata.borrow::<LuaQuery>().ok()) {
        return Ok(query.query().into());
    }
    let Value::Table(table) = value else { return from_lua(lua, value) };
    if depth == 0 || table.metatable().is_some() {
        return self::value(lua, value);
    }
    let length = table.raw_len();
    let mut pairs = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        pairs.push((plain_to(lua, &key, 0)?, plain_to(lua, &value, depth - 1)?));
    }
    if pairs.len() == length {
        let items = table.sequence_values::<Value>().map(|item| plain_to(lua, &item?, depth - 1));
        return Ok(value::Value::List(items.collect::<mlua::Result<_>>()?));
    }
    Ok(value::Value::Map(pairs))
}

fn shown(lua: &Lua, value: &Value, depth: usize) -> Vec<u8> {
    match value {
        Value::Table(table) if !has_tostring(table) => match depth {
            0 => b"...".to_vec(),
            _ => shown_table(lua, table, depth - 1),
        },
        Value::Function(_) => b"a function".to_vec(),
        Value::Number(number) => format!("{number:?}").into_bytes(),
        other => text_of(lua, other).unwrap_or_else(|error| error.to_string().into_bytes()),
    }
}

fn has_tostring(table: &Table) -> bool {
    table.metatable().is_some_and(|metatable| metatable.contains_key("__tostring").unwrap_or(false))
}

fn shown_table(lua: &Lua, table: &Table, depth: usize) -> Vec<u8> {
    let length = table.raw_len();
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for index in 1..=length.min(ENTRIES_MAX) {
        entries.push(shown(lua, &table.raw_get(index).unwrap_or(Value::Nil), depth));
    }
    let mut named: Vec<Vec<u8>> = Vec::new();
    for (key, value) in table.pairs::<Value, Value>().flatten().take(length + ENTRIES_MAX) {
        if !matches!(key, Value::Integer(i) if (1..=length as i64).contains(&i)) {
            let mut entry = shown(lua, &key, 0);
            entry.extend_from_slice(b": ");
            entry.extend(shown(lua, &value, depth));
            named.push(entry);
        }
    }
    named.sort();
    let is_list = named.is_empty();
    entries.extend(named);
    if entries.len() > ENTRIES_MAX || length > ENTRIES_MAX {
        entries.truncate(ENTRIES_MAX);
        entries.push(b"...".to_vec());
    }
    let (open, close) = if is_list { ("[", "]") } else { ("{", "}") };
    [open.as_bytes(), &entries.join(&b", "[..]), close.as_bytes()].concat()
}
