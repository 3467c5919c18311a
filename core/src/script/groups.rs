//! Groups: `groups.production(Class)`, `set_group(G)(Class)`, `Group { name = "g", color = "red" }` (section J).

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::class::LuaClass;
use super::convert::{text, type_name};
use super::error::usage;
use super::shared::Shared;
use super::suggest::suggest;
use crate::node::{Color, Group};

const BUILT_IN: [&str; 6] = ["production", "staging", "beta", "local", "other", "utility"];

const COLORS: [&str; 8] = ["grey", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/// A group as a Lua value; called with a class, it gives a copy of the class in this group.
#[derive(Clone)]
pub(super) struct LuaGroup(pub(super) Group);

impl UserData for LuaGroup {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a group");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Call, |_, this, class: Value| {
            match class.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok()) {
                Some(class) => Ok(LuaClass::new(class.class.with_group(this.0.clone()))),
                None => usage(format!("a group is given to a node class, got {}", type_name(&class))),
            }
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("<group {}>", this.0.name)));
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (Value, Value)| {
            let group = |value: &Value| Some(value.as_userdata()?.borrow::<LuaGroup>().ok()?.0.clone());
            Ok(group(&left).is_some_and(|left| Some(left) == group(&right)))
        });
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            match text(&key, "the name of a setting of a group")?.as_str() {
                "name" => this.0.name.as_str().into_lua(lua),
                "color" => this.0.color.map(name_of).into_lua(lua),
                other => usage(format!("a group has no '{other}': it has name and color")),
            }
        });
    }
}

fn group(lua: &Lua, table: Value) -> mlua::Result<LuaGroup> {
    let Value::Table(table) = table else {
        return usage(format!(
            "a group is made with `Group {{ name = \"...\", color = \"...\" }}`, got {}",
            type_name(&table)
        ));
    };
    let (mut name, mut color) = (None, None);
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        match text(&key, "the name of a setting of a group")?.as_str() {
            "name" => name = Some(text(&value, "the name of a group")?),
            "color" | "colour" => color = Some(color_named(&text(&value, "the color of a group")?)?),
            other => return usage(format!("a group has no '{other}': it has name and color")),
        }
    }
    match name {
        Some(name) => {
            Shared::charge(lua, name.len())?;
            Ok(LuaGroup(Group { name, color }))
        }
        None => usage("a group needs a name"),
    }
}

fn color_named(word: &str) -> mlua::Result<Color> {
    match Color::from_name(word) {
        Some(color) => Ok(color),
        None => usage(format!("no color '{word}'{}", suggest(word, COLORS.into_iter()))),
    }
}

fn name_of(color: Color) -> Option<&'static str> {
    COLORS.into_iter().find(|name| Color::from_name(name) == Some(color))
}

fn set_group(_: &Lua, group: Value) -> mlua::Result<LuaGroup> {
    match group.as_userdata().and_then(|userdata| userdata.borrow::<LuaGroup>().ok()) {
        Some(group) => Ok(group.clone()),
        None => usage(format!(
            "set_group takes a group, as in `set_group(Group {{ ... }})(Class)`; got {}",
            type_name(&group)
        )),
    }
}

/// Puts groups into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    let groups = lua.create_table()?;
    for name in BUILT_IN {
        if let Some(group) = Group::built_in(name) {
            groups.raw_set(name, LuaGroup(group))?;
        }
    }
    let metatable = lua.create_table()?;
    metatable.raw_set(
        "__index",
        lua.create_function(|_, (_, name): (Value, Value)| -> mlua::Result<Value> {
            let name = text(&name, "the name of a group")?;
            usage(format!("no group '{name}'{}", suggest(&name, BUILT_IN.into_iter())))
        })?,
    )?;
    groups.set_metatable(Some(metatable))?;
    module.raw_set("groups", groups)?;
    module.raw_set("Group", lua.create_function(group)?)?;
    module.raw_set("set_group", lua.create_function(set_group)?)
}
