//! The module that `require "deployer"` gives.

use mlua::{Lua, Table, Value};

use super::convert::{bytes, text, type_name};
use super::error::usage;
use super::shared::Shared;
use super::suggest::suggest;
use super::{Brought, class, filter, groups, host, inspect, member, network, options, query, roles};
use crate::node::Class;
use crate::text::{esc1, esc2, indent};

/// The module, with the kinds of hosts and the classes that a program brought along.
pub(super) fn module(lua: &Lua, brought: &Brought) -> mlua::Result<Table> {
    let module = lua.create_table()?;
    class::install(lua, &module)?;
    roles::install(lua, &module)?;
    member::install(lua, &module)?;
    groups::install(lua, &module)?;
    query::install(&module)?;
    inspect::install(lua, &module)?;
    filter::install(lua, &module)?;
    network::install(lua, &module)?;
    options::install(lua, &module)?;
    words(lua, &module)?;
    host::install(&module, &brought.kinds)?;
    module.raw_set("contrib", contrib(lua, &brought.classes)?)?;
    complete(lua, &module, "deployer")?;
    Ok(module)
}

/// Classes written in Rust.
fn contrib(lua: &Lua, classes: &[(String, Class)]) -> mlua::Result<Table> {
    let contrib = lua.create_table()?;
    for (name, class) in classes {
        contrib.raw_set(name.as_str(), class::LuaClass::new(class.clone()))?;
    }
    complete(lua, &contrib, "deployer.contrib")?;
    Ok(contrib)
}

/// What is not in the table now is a mistake of whoever asks for it.
pub(super) fn complete(lua: &Lua, table: &Table, shown: &'static str) -> mlua::Result<()> {
    let metatable = lua.create_table()?;
    let mut names: Vec<String> = table.pairs::<String, Value>().filter_map(|pair| Some(pair.ok()?.0)).collect();
    names.sort();
    metatable.raw_set(
        "__index",
        lua.create_function(move |_, (_, name): (Value, Value)| -> mlua::Result<Value> {
            let name = text(&name, "a name")?;
            if name == "SimpleNode" {
                return usage("deployer has no 'SimpleNode' any more: it is called ParallelNode");
            }
            usage(format!("{shown} has no '{name}'{}", suggest(&name, names.iter().map(String::as_str))))
        })?,
    )?;
    metatable.raw_set("__metatable", false)?;
    table.set_metatable(Some(metatable))
}

fn words(lua: &Lua, module: &Table) -> mlua::Result<()> {
    module.raw_set("esc1", lua.create_function(|_, value: Value| Ok(esc1(&word("esc1", &value)?)))?)?;
    module.raw_set("esc2", lua.create_function(|_, value: Value| Ok(esc2(&word("esc2", &value)?)))?)?;
    module.raw_set(
        "indent",
        lua.create_function(|_, (value, prefix): (Value, Option<String>)| {
            Ok(indent(&word("indent", &value)?, prefix.as_deref().unwrap_or("    ")))
        })?,
    )?;
    module.raw_set(
        "read_file",
        lua.create_function(|lua, name: Value| {
            let name = text(&name, "the name of a file")?;
            match Shared::of(lua)?.chunks().read_data(&name) {
                Ok(bytes) => lua.create_string(bytes),
                Err(why) => usage(why),
            }
        })?,
    )
}

/// Text, the output of a command, or a number.
fn word(what: &str, value: &Value) -> mlua::Result<String> {
    match (value, bytes(value)) {
        (Value::Integer(_) | Value::Number(_), _) => value.to_string(),
        (_, Some(bytes)) => match String::from_utf8(bytes) {
            Ok(text) => Ok(text),
            Err(_) => usage(format!("{what} needs UTF-8 text")),
        },
        (other, None) => usage(format!("{what} needs text, got {}", type_name(other))),
    }
}
