//! Node classes in Lua: `Base { ... }` makes a subclass, `function A:action() end` adds a member.
//!
//! Lua tables have no order, but definition order counts (design 8). It is read from the file's text: the table with
//! exactly these names is looked up there ([`super::source`]). For tables that are put together by code, functions and
//! classes come in the order of their lines, then the rest by name.

use mlua::{Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::{text, to_lua, type_name};
use super::error::{Raised, usage};
use super::member::{Required, definition_site, member};
use super::prelude;
use super::query::LuaQuery;
use super::roles::{hosts, ordered_names};
use super::shared::Shared;
use super::suggest::suggest;
use crate::node::{Action, Class, ClassBuilder, ClassError, HostSource, Member, Position};

/// About how many bytes a class and each of its members take.
const CLASS: usize = 1024;
const MEMBER: usize = 256;

/// A class as a Lua value.
pub(super) struct LuaClass {
    pub(super) class: Class,
}

/// `Node "Name"`, waiting for its table.
pub(super) struct NamedClass {
    base: Class,
    name: String,
}

/// `Base.action`: an action without an Env.
pub(super) struct LuaUnbound {
    pub(super) name: String,
    pub(super) action: Action,
}

impl LuaClass {
    pub(super) fn new(class: Class) -> LuaClass {
        LuaClass { class }
    }
}

impl UserData for LuaClass {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a node class");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Call, |lua, this, args: MultiValue| extend(lua, &this.class, &args));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, &this.class, &key));
        methods.add_meta_method(MetaMethod::NewIndex, |lua, this, (key, value): (Value, Value)| {
            define(lua, &this.class, &key, &value)
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.class.to_string()));
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (Value, Value)| {
            let class = |value: &Value| Some(value.as_userdata()?.borrow::<LuaClass>().ok()?.class.clone());
            Ok(class(&left).is_some_and(|left| Some(left) == class(&right)))
        });
    }
}

impl UserData for NamedClass {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "the name of a node class without its table");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Call, |lua, this, table: Value| match table {
            Value::Table(table) => build(lua, &this.base, &this.name, &table).map(LuaClass::new),
            other => usage(format!("a class is made with a table of members, got {}", type_name(&other))),
        });
    }
}

impl UserData for LuaUnbound {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "an action without a node");
        fields.add_meta_field_with(MetaMethod::Call, |lua| prelude::function(lua, "call_unbound"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("<Unbound Action {}>", this.name)));
    }
}

fn extend(lua: &Lua, base: &Class, args: &MultiValue) -> mlua::Result<Value> {
    match args.front() {
        Some(Value::Table(table)) if args.len() == 1 => {
            lua.create_userdata(LuaClass::new(build(lua, base, "", table)?)).map(Value::UserData)
        }
        Some(Value::String(name)) if args.len() == 1 => {
            let name = text(&Value::String(name.clone()), "the name of a class")?;
            Shared::charge(lua, name.len())?;
            lua.create_userdata(NamedClass { base: base.clone(), name }).map(Value::UserData)
        }
        Some(Value::UserData(userdata)) if userdata.is::<LuaClass>() => {
            usage("a class extends exactly one class: write `local A = B { ... }`")
        }
        other => {
            let got = match (other, args.len()) {
                (None, _) => "nothing".to_string(),
                (Some(value), 1) => type_name(value),
                (_, count) => format!("{count} values"),
            };
            usage(format!("calling a class makes a subclass: it takes one table of members, got {got}"))
        }
    }
}

fn build(lua: &Lua, base: &Class, name: &str, table: &Table) -> mlua::Result<Class> {
    let (at, doc) = definition_site(lua);
    let mut builder = base.extend(name).position(at.clone());
    if let Some(doc) = doc {
        builder = builder.doc(&doc);
    }
    Shared::charge(lua, CLASS + name.len())?;
    for (name, line) in ordered_names(lua, table, at.as_ref(), "members")? {
        Shared::charge(lua, MEMBER + name.len())?;
        let value: Value = table.raw_get(name.as_str())?;
        builder = add(lua, builder, &name, &value, line.or(at.clone()))?;
    }
    builder.build().map_err(|error| placed(error, at.as_ref()).into())
}

fn add(
    lua: &Lua,
    builder: ClassBuilder,
    name: &str,
    value: &Value,
    at: Option<Position>,
) -> mlua::Result<ClassBuilder> {
    if name == "Hosts" {
        return Ok(builder.hosts_at(charged_hosts(lua, value, at.as_ref())?, at));
    }
    if let Some(path) = name.strip_suffix("__Hosts").filter(|path| !path.is_empty() && !path.starts_with("__")) {
        let path: Vec<&str> = path.split("__").collect();
        return Ok(builder.child_hosts(&path, charged_hosts(lua, value, at.as_ref())?, at));
    }
    let (member, position) = member(lua, name, value, at.as_ref())?;
    match &member {
        Member::Query(query) => Shared::charge(lua, query.expression.weight())?,
        Member::Required(what_for) => Shared::charge(lua, what_for.as_ref().map_or(0, String::len))?,
        _ => {}
    }
    Ok(builder.member(name, member, position))
}

fn charged_hosts(lua: &Lua, value: &Value, at: Option<&Position>) -> mlua::Result<HostSource> {
    let source = hosts(lua, value, at)?;
    Shared::charge(lua, source.weight())?;
    Ok(source)
}

fn define(lua: &Lua, class: &Class, key: &Value, value: &Value) -> mlua::Result<()> {
    let name = text(key, "the name of a member")?;
    if name == "Hosts" || name.ends_with("__Hosts") {
        return usage(format!("hosts belong into the class's table: `{name} = ...` between its braces"));
    }
    let at = super::frames::here(lua);
    let (member, position) = member(lua, &name, value, at.as_ref())?;
    let defined = class.define(&name, member, position);
    defined.map_err(|error| placed(error, at.as_ref()).into())
}

fn index(lua: &Lua, class: &Class, key: &Value) -> mlua::Result<Value> {
    let name = text(key, "the name of a member")?;
    let derived = match name.as_str() {
        "Array" => Some(class.array()),
        "JustOne" => Some(class.just_one()),
        _ => None,
    };
    if let Some(derived) = derived {
        let derived = derived.map_err(|error| placed(error, super::frames::here(lua).as_ref()))?;
        return lua.create_userdata(LuaClass::new(derived)).map(Value::UserData);
    }
    match class.member(&name) {
        Some(member) => member_value(lua, &name, member),
        None => {
            let names: Vec<String> = class.members().into_iter().map(|(name, _)| name).collect();
            usage(format!("{class} has no '{name}'{}", suggest(&name, names.iter().map(String::as_str))))
        }
    }
}

/// A member read from its class (rows, G-15).
fn member_value(lua: &Lua, name: &str, member: Member) -> mlua::Result<Value> {
    match member {
        Member::Value(value) => to_lua(lua, value),
        Member::Child(class) => lua.create_userdata(LuaClass::new(class)).map(Value::UserData),
        Member::Required(what_for) => lua.create_userdata(Required(what_for)).map(Value::UserData),
        Member::Query(query) => lua.create_userdata(LuaQuery::from_query(query)).map(Value::UserData),
        Member::Action(action) | Member::Property(action) => {
            let unbound = LuaUnbound { name: name.to_string(), action };
            lua.create_userdata(unbound).map(Value::UserData)
        }
    }
}

/// A class error with a position, when it has none of its own.
fn placed(error: ClassError, at: Option<&Position>) -> Raised {
    let position = error.position.clone().or_else(|| at.cloned());
    Raised::from(ClassError { position, ..error })
}

/// Puts `Node` and `ParallelNode` into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    // Fails early and once when the state was not set up.
    Shared::of(lua)?;
    module.raw_set("Node", LuaClass::new(Class::node()))?;
    module.raw_set("ParallelNode", LuaClass::new(Class::parallel_node()))
}
