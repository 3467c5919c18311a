//! An action, property or query that an inspector found: not evaluated, ready to be called (rows E-25, E-26, H-08).

use mlua::{IntoLua, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::text;
use super::env::LuaEnv;
use super::error::usage;
use super::groups::LuaGroup;
use super::prelude;
use super::shared::{Held, Shared};
use super::suggest::suggest;
use crate::env::Env;
use crate::inspect::{Entry, EntryKind};

/// What an inspector found, as a Lua value.
pub(super) struct LuaEntry {
    entry: Held<Entry<Env>>,
    name: String,
    label: String,
}

/// What is known about it.
pub(super) const FIELDS: [&str; 9] =
    ["name", "kind", "node", "doc", "parameters", "suppress_result", "required", "group", "position"];

impl LuaEntry {
    pub(super) fn new(lua: &Lua, entry: Entry<Env>) -> mlua::Result<LuaEntry> {
        let (name, node) = (entry.name().to_string(), entry.owner().node());
        let label = match entry.kind() {
            EntryKind::Property => format!("<Env.Property {node}.{name}>"),
            EntryKind::Query => format!("<Env.Query {node}.{name}>"),
            EntryKind::Action | EntryKind::Value => format!("<Env.Action {node}.{name}>"),
        };
        Ok(LuaEntry { name, label, entry: Shared::of(lua)?.hold(entry) })
    }

    pub(super) fn entry(&self) -> mlua::Result<Entry<Env>> {
        match self.entry.get() {
            Some(entry) => Ok(Entry::clone(&entry)),
            None => usage(format!("{} belongs to a run that has ended", self.label)),
        }
    }
}

impl UserData for LuaEntry {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a member of a node");
        fields.add_meta_field_with(MetaMethod::Call, |lua| prelude::function(lua, "call_entry"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            let key = text(&key, "the name of a field")?;
            if key == "name" {
                return this.name.as_str().into_lua(lua);
            }
            field(lua, &this.entry()?, &key)
        });
    }
}

fn field(lua: &Lua, entry: &Entry<Env>, key: &str) -> mlua::Result<Value> {
    match key {
        "kind" => match entry.kind() {
            EntryKind::Action => "action",
            EntryKind::Property => "property",
            EntryKind::Query => "query",
            EntryKind::Value => "value",
        }
        .into_lua(lua),
        "node" => LuaEnv::new(lua, entry.owner().clone())?.into_lua(lua),
        "doc" => entry.doc().into_lua(lua),
        "parameters" => entry.parameters().into_lua(lua),
        "suppress_result" => entry.suppress_result().into_lua(lua),
        "required" => entry.is_required().into_lua(lua),
        "group" => entry.group().map(LuaGroup).into_lua(lua),
        "position" => entry.position().map(ToString::to_string).into_lua(lua),
        _ => usage(format!("a member of a node has no '{key}'{}", suggest(key, FIELDS.into_iter()))),
    }
}
