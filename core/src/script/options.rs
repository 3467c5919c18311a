//! `deployer.options { ... }`: what a deployment file wants of the sessions that use it.

use mlua::{Lua, Table, Value};

use super::convert::{text, type_name};
use super::error::usage;
use super::shared::Shared;

/// Adds the function to the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    module.raw_set("options", lua.create_function(options)?)
}

/// Names may be written with underscores, which need no quotes in a table.
fn options(lua: &Lua, wanted: Value) -> mlua::Result<()> {
    let shared = Shared::of(lua)?;
    if shared.env(lua).is_some() {
        return usage("deployer.options is for the file itself, not for actions; in the shell there is set-option");
    }
    let Value::Table(wanted) = wanted else {
        return usage(format!(
            "deployer.options needs a table such as {{ parallel = 10 }}, got {}",
            type_name(&wanted)
        ));
    };
    let mut settings = shared.settings();
    for pair in wanted.pairs::<Value, Value>() {
        let (name, value) = pair?;
        let name = match &name {
            Value::Integer(_) => return usage("deployer.options needs names: { parallel = 10 }"),
            name => text(name, "the name of an option")?.replace('_', "-"),
        };
        let value = match &value {
            Value::Boolean(true) => "on".to_string(),
            Value::Boolean(false) => "off".to_string(),
            Value::Integer(number) => number.to_string(),
            value => text(value, &format!("option {name}"))?,
        };
        if let Err(error) = settings.set(&name, &value) {
            return usage(error.to_string());
        }
    }
    Ok(())
}
