//! Methods of objects: one table of functions for each kind of object, made once for each state. What is not in it is a
//! mistake of whoever asks for it, not nil.

use mlua::{Function, Lua, Table, Value};

use super::convert::text;
use super::env::remember_line;
use super::error::usage;
use super::prelude;
use super::suggest::suggest;
use super::{console, files, inspect, listing, network, walk};

/// The tables with the methods that are written in Rust; the prelude adds its own.
pub(super) fn natives(lua: &Lua) -> mlua::Result<Table> {
    let methods = lua.create_table()?;
    methods.raw_set("inspector", inspect::inspector_methods(lua)?)?;
    methods.raw_set("walk", walk::walk_methods(lua)?)?;
    methods.raw_set("console", console::methods(lua)?)?;
    methods.raw_set("progress", listing::methods(lua)?)?;
    methods.raw_set("ifconfig", network::methods(lua)?)?;
    methods.raw_set("file", files::methods(lua)?)?;
    Ok(methods)
}

/// The method `key` of an object of this kind.
///
/// # Errors
/// Names what there is instead; `fields` are what the object has beside methods.
pub(super) fn find(lua: &Lua, kind: &str, shown: &str, fields: &[&str], key: &Value) -> mlua::Result<Value> {
    let name = text(key, &format!("the name of a method of {shown}"))?;
    let methods = prelude::methods(lua, kind)?;
    if let Value::Function(method) = methods.raw_get(name.as_str())? {
        // `return object:method()` is a tail call.
        remember_line(lua)?;
        return Ok(Value::Function(method));
    }
    let mut names: Vec<String> = fields.iter().map(ToString::to_string).collect();
    let mut methods: Vec<String> = methods.pairs::<String, Function>().filter_map(|pair| Some(pair.ok()?.0)).collect();
    methods.sort();
    names.extend(methods);
    usage(format!("{shown} has no '{name}'{}", suggest(&name, names.iter().map(String::as_str))))
}
