//! `deployer.filters`: which nodes of a walk are wanted, combined with `&`, `|` and `~` (rows H-22..H-26).

use mlua::{Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::class::LuaClass;
use super::convert::{text, type_name};
use super::error::usage;
use super::groups::LuaGroup;
use crate::inspect::Filter;

/// A filter as a Lua value; prints as it was written.
struct LuaFilter(Filter);

impl UserData for LuaFilter {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a filter");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.0.to_string()));
        methods.add_meta_function(MetaMethod::BAnd, |_, (left, right): (Value, Value)| {
            Ok(LuaFilter(filter_of(&left)? & filter_of(&right)?))
        });
        methods.add_meta_function(MetaMethod::BOr, |_, (left, right): (Value, Value)| {
            Ok(LuaFilter(filter_of(&left)? | filter_of(&right)?))
        });
        methods.add_meta_method(MetaMethod::BNot, |_, this, _: MultiValue| Ok(LuaFilter(!this.0.clone())));
    }
}

/// The filter behind a value (row H-19: anything else is refused).
pub(super) fn filter_of(value: &Value) -> mlua::Result<Filter> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaFilter>().ok()) {
        Some(filter) => Ok(filter.0.clone()),
        None => usage(format!(
            "a filter was expected, as in `filters.HasAction(\"start\") & filters.PublicOnly`; got {}",
            type_name(value)
        )),
    }
}

/// Puts the filters into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    let filters = lua.create_table()?;
    filters.raw_set("PublicOnly", LuaFilter(Filter::public_only()))?;
    filters.raw_set("PrivateOnly", LuaFilter(Filter::private_only()))?;
    filters.raw_set(
        "HasAction",
        lua.create_function(|_, name: Value| {
            Ok(LuaFilter(Filter::has_action(&text(&name, "the name of an action")?)))
        })?,
    )?;
    filters.raw_set(
        "IsInstance",
        lua.create_function(|_, class: Value| {
            match class.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok()) {
                Some(class) => Ok(LuaFilter(Filter::is_instance(&class.class))),
                None => usage(format!("IsInstance takes a node class, got {}", type_name(&class))),
            }
        })?,
    )?;
    filters.raw_set(
        "InGroup",
        lua.create_function(|_, group: Value| {
            match group.as_userdata().and_then(|userdata| userdata.borrow::<LuaGroup>().ok()) {
                Some(group) => Ok(LuaFilter(Filter::in_group(&group.0))),
                None => usage(format!("InGroup takes a group, got {}", type_name(&group))),
            }
        })?,
    )?;
    super::module::complete(lua, &filters, "deployer.filters")?;
    module.raw_set("filters", filters)
}
