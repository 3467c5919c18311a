//! What a Lua value becomes when it is a member of a class, and the markers that say more than a plain value can.

use std::sync::Arc;

use mlua::{
    FromLuaMulti, Function, Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value,
};

use super::body::LuaBody;
use super::class::{LuaClass, LuaUnbound, NamedClass};
use super::convert::{from_lua, text, type_name};
use super::error::usage;
use super::frames;
use super::query::LuaQuery;
use super::roles::LuaMapping;
use super::shared::Shared;
use crate::node::{Action, ActionFlags, Member, Position};

/// A function with what was said about it: `suppress_action_result(function ... end)` and friends.
#[derive(Clone, Debug)]
pub(super) struct Marked {
    pub(super) function: Function,
    flags: ActionFlags,
    aliases: Vec<String>,
    property: bool,
}

/// `required_property "what for"`.
#[derive(Clone, Debug)]
pub(super) struct Required(pub(super) Option<String>);

/// The member that a value stands for. `line` is where its name was written, when that is known.
pub(super) fn member(
    lua: &Lua,
    name: &str,
    value: &Value,
    line: Option<&Position>,
) -> mlua::Result<(Member, Option<Position>)> {
    if let Value::Function(function) = value {
        if function.info().what == "C" {
            return usage(format!(
                "'{name}' is a function of deployer or of Lua itself, not one of this file: call it here"
            ));
        }
        return action(lua, &Marked::new(function.clone()), line);
    }
    if let Value::UserData(userdata) = value {
        if let Ok(marked) = userdata.borrow::<Marked>() {
            return action(lua, &marked, line);
        }
        if let Ok(class) = userdata.borrow::<LuaClass>() {
            return Ok((Member::Child(class.class.clone()), line.cloned()));
        }
        if let Ok(required) = userdata.borrow::<Required>() {
            return Ok((Member::Required(required.0.clone()), line.cloned()));
        }
        if let Ok(query) = userdata.borrow::<LuaQuery>() {
            return Ok((Member::Query(query.query()), line.cloned().or_else(|| query.position().cloned())));
        }
        if let Ok(unbound) = userdata.borrow::<LuaUnbound>() {
            return Ok((Member::Action(unbound.action.clone()), line.cloned()));
        }
        if userdata.is::<LuaMapping>() {
            return usage(format!("'{name}' is a role mapping: it belongs into `Hosts = map_roles(...)`"));
        }
        if userdata.is::<NamedClass>() {
            return usage(format!("'{name}' is a class without its table: write `Node \"Name\" {{ ... }}`"));
        }
    }
    Ok((Member::Value(from_lua(lua, value)?), line.cloned()))
}

fn action(lua: &Lua, marked: &Marked, line: Option<&Position>) -> mlua::Result<(Member, Option<Position>)> {
    let info = marked.function.info();
    let file = info.source.as_deref().and_then(|source| source.strip_prefix('@'));
    let written = info.line_defined.and_then(|line| u32::try_from(line).ok());
    let position = file.zip(written).map(|(file, line)| Position::new(file, line)).or_else(|| line.cloned());
    let source = file.and_then(|file| Shared::of(lua).ok()?.chunks().source(file));
    let doc = source.as_ref().and_then(|source| {
        let above = |position: &Position| source.doc_above(position.line);
        position.as_ref().and_then(above).or_else(|| line.and_then(above))
    });
    let parameters = source.zip(written).and_then(|(source, line)| {
        let count = usize::from(info.num_params);
        source.parameters(line, count, true)
    });
    let action = Action {
        body: Arc::new(LuaBody::new(lua, &marked.function, parameters, position.clone())?),
        flags: marked.flags,
        aliases: marked.aliases.clone(),
        doc,
        position: position.clone(),
    };
    let member = if marked.property { Member::Property(action) } else { Member::Action(action) };
    Ok((member, line.cloned().or(position)))
}

impl Marked {
    fn new(function: Function) -> Marked {
        Marked { function, flags: ActionFlags::default(), aliases: Vec::new(), property: false }
    }

    /// From a function, or from one that is marked already: markers may be stacked.
    fn of(value: &Value, word: &str) -> mlua::Result<Marked> {
        match value {
            Value::Function(function) => return Ok(Marked::new(function.clone())),
            Value::UserData(userdata) => {
                if let Ok(marked) = userdata.borrow::<Marked>() {
                    return Ok(marked.clone());
                }
            }
            _ => {}
        }
        usage(format!("{word} goes around a function, got {}", type_name(value)))
    }
}

impl UserData for Marked {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a marked function");
    }
}

impl UserData for Required {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a required property");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, _, ()| Ok("required_property()"));
    }
}

/// Puts the markers into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    marker(lua, module, "suppress_action_result", |marked| marked.flags.suppress_result = true)?;
    marker(lua, module, "dont_isolate_yet", |marked| marked.flags.dont_isolate_yet = true)?;
    marker(lua, module, "isolate_one_only", |marked| marked.flags.isolate_one_only = true)?;
    marker(lua, module, "property", |marked| marked.property = true)?;
    module.raw_set("alias", lua.create_function(alias)?)?;
    let required = lua.create_function(|lua, what_for: Value| match what_for {
        Value::Nil => Ok(Required(None)),
        other => {
            let what_for = text(&other, "what a required property is for")?;
            Shared::charge(lua, what_for.len())?;
            Ok(Required(Some(what_for)))
        }
    })?;
    module.raw_set("required_property", &required)?;
    module.raw_set("required", required)
}

fn marker(lua: &Lua, module: &Table, word: &'static str, mark: fn(&mut Marked)) -> mlua::Result<()> {
    let function = lua.create_function(move |_, value: Value| {
        let mut marked = Marked::of(&value, word)?;
        mark(&mut marked);
        Ok(marked)
    })?;
    module.raw_set(word, function)
}

/// `alias("name", function ... end)`, or `alias "name" (function ... end)`.
fn alias(lua: &Lua, (name, value): (Value, Value)) -> mlua::Result<MultiValue> {
    let name = text(&name, "the name of an alias")?;
    Shared::charge(lua, name.len())?;
    let wrap = move |value: &Value| -> mlua::Result<Marked> {
        let mut marked = Marked::of(value, "alias")?;
        marked.aliases.push(name.clone());
        Ok(marked)
    };
    let result = match value {
        Value::Nil => Value::Function(lua.create_function(move |_, value: Value| wrap(&value))?),
        value => Value::UserData(lua.create_userdata(wrap(&value)?)?),
    };
    MultiValue::from_lua_multi(MultiValue::from_iter([result]), lua)
}

/// Where the code that called is, and the comment above it.
pub(super) fn definition_site(lua: &Lua) -> (Option<Position>, Option<String>) {
    let at = frames::here(lua);
    let doc = at.as_ref().and_then(|at| Shared::of(lua).ok()?.chunks().source(&at.file)?.doc_above(at.line));
    (at, doc)
}
