//! What `ifconfig` and `ip addr` print, for scripts (rows K-04..K-09, F-43).

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::{text, type_name};
use super::error::usage;
use super::methods;
use super::run::{flag, option_table, unknown_option};
use super::suggest::suggest;
use crate::network::{IfConfig, Keep, NetworkInterface, NoSuchInterface, parse_ifconfig_output};

/// The interfaces of a host as a Lua value.
pub(super) struct LuaIfConfig(pub(super) IfConfig);

/// One interface as a Lua value.
struct LuaInterface(NetworkInterface);

impl UserData for LuaIfConfig {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "interfaces of a host");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_method(MetaMethod::Len, |_, this, ()| Ok(this.0.interfaces.len()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| match &key {
            Value::String(name) if name.as_bytes() == b"interfaces" => {
                this.0.interfaces.iter().cloned().map(LuaInterface).collect::<Vec<_>>().into_lua(lua)
            }
            key => methods::find(lua, "ifconfig", "an IfConfig", &["interfaces"], key),
        });
    }
}

impl UserData for LuaInterface {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a network interface");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            let key = text(&key, "the name of a field")?;
            match key.as_str() {
                "name" => this.0.name.as_str().into_lua(lua),
                "ip" => this.0.ip.as_deref().into_lua(lua),
                _ => usage(format!("a network interface has no '{key}'{}", suggest(&key, ["name", "ip"].into_iter()))),
            }
        });
    }
}

type Look = fn(&IfConfig, &str) -> Result<NetworkInterface, NoSuchInterface>;

/// What can be asked of the interfaces of a host, by name.
pub(super) fn methods(lua: &Lua) -> mlua::Result<Table> {
    let looks: [(&'static str, &'static str, Look); 2] = [
        ("get_interface", "the name of an interface", |all, name| all.interface(name).cloned()),
        ("get_address", "an address", |all, ip| all.address(ip).cloned()),
    ];
    let table = lua.create_table()?;
    for (name, what, look) in looks {
        let function = lua.create_function(move |_, (this, wanted): (Value, Value)| {
            let Some(all) = this.as_userdata().and_then(|userdata| userdata.borrow::<LuaIfConfig>().ok()) else {
                return usage(format!("{name} needs an IfConfig in front, got {}", type_name(&this)));
            };
            look(&all.0, &text(&wanted, what)?).map(LuaInterface).or_else(|error| usage(error.to_string()))
        })?;
        table.raw_set(name, function)?;
    }
    Ok(table)
}

/// `parse_ifconfig_output(text, { only_active_interfaces = true })`.
fn parse(_: &Lua, (output, options): (Value, Value)) -> mlua::Result<LuaIfConfig> {
    let output = text(&output, "the output of ifconfig")?;
    let mut keep = Keep::Active;
    for (key, value) in option_table(options, "parse_ifconfig_output")? {
        match key.as_str() {
            "only_active_interfaces" => keep = if flag(&key, &value)? { Keep::Active } else { Keep::All },
            _ => return unknown_option("parse_ifconfig_output", &key, &["only_active_interfaces"]),
        }
    }
    Ok(LuaIfConfig(parse_ifconfig_output(&output, keep)))
}

/// Puts the parser into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    module.raw_set("parse_ifconfig_output", lua.create_function(parse)?)
}
