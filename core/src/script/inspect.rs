//! `deployer.Inspector(node)`: looking at a tree without acting (section H).
//!
//! Nodes are those of the run that asks, and so is what an inspector gives. Order is that of definition.

use mlua::{
    FromLuaMulti, IntoLua, Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value,
};

use super::class::LuaClass;
use super::convert::{text, to_lua, type_name};
use super::entry::LuaEntry;
use super::env::{LuaEnv, arguments, cell_key};
use super::error::{Raised, usage};
use super::filter::filter_of;
use super::groups::LuaGroup;
use super::methods;
use super::run::{flag, option_table, unknown_option};
use super::shared::{Held, Shared};
use super::walk::LuaWalk;
use crate::env::Env;
use crate::inspect::{Entry, Inspector, KeyStyle, Scope};
use crate::node::CellKey;
use crate::value;

/// An inspector as a Lua value.
pub(super) struct LuaInspector {
    env: Held<Env>,
    label: String,
}

type InspectorOf = Inspector<Env>;

impl LuaInspector {
    fn new(lua: &Lua, env: Env) -> mlua::Result<LuaInspector> {
        let label = Inspector::new(&env).to_string();
        Ok(LuaInspector { env: Shared::of(lua)?.hold(env), label })
    }

    fn inspector(&self) -> mlua::Result<InspectorOf> {
        match self.env.get() {
            Some(env) => Ok(Inspector::new(&*env)),
            None => usage(format!("{} belongs to a run that has ended", self.label)),
        }
    }
}

impl UserData for LuaInspector {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "an inspector");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_function(MetaMethod::Index, |lua, (_, key): (Value, Value)| {
            methods::find(lua, "inspector", "an inspector", &[], &key)
        });
    }
}

/// `deployer.Inspector(node)` (row H-01).
fn make(lua: &Lua, node: Value) -> mlua::Result<LuaInspector> {
    if let Some(userdata) = node.as_userdata() {
        if let Ok(env) = userdata.borrow::<LuaEnv>() {
            return LuaInspector::new(lua, env.env()?);
        }
        if userdata.is::<LuaClass>() {
            return usage(
                "an inspector looks at a node, got a node class: place it first, as in `self:initialize_node(Class)`",
            );
        }
    }
    usage(format!("an inspector looks at a node, got {}", type_name(&node)))
}

fn inspector_of(value: &Value, word: &str) -> mlua::Result<InspectorOf> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaInspector>().ok()) {
        Some(inspector) => inspector.inspector(),
        None => usage(format!(
            "{word} needs an inspector in front, as in `Inspector(node):{word}(...)`; got {}",
            type_name(value)
        )),
    }
}

/// What an inspector can tell, by name.
pub(super) fn inspector_methods(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    where_it_is(lua, &table)?;
    children(lua, &table)?;
    members(lua, &table)?;
    cells(lua, &table)?;
    method(lua, &table, "walk", |lua, inspector, filter: Value| {
        let walk = match filter {
            Value::Nil => inspector.walk(),
            filter => inspector.walk().filter(filter_of(&filter)?),
        };
        LuaWalk::new(lua, walk)
    })?;
    table.raw_set("trace_query", lua.create_async_function(trace_query)?)?;
    Ok(table)
}

/// One function of an inspector.
fn method<A: FromLuaMulti, R: IntoLua>(
    lua: &Lua,
    table: &Table,
    name: &'static str,
    tell: impl Fn(&Lua, &InspectorOf, A) -> mlua::Result<R> + Send + Sync + 'static,
) -> mlua::Result<()> {
    let function = lua.create_function(move |lua, mut args: MultiValue| {
        let inspector = inspector_of(&args.pop_front().unwrap_or(Value::Nil), name)?;
        tell(lua, &inspector, A::from_lua_multi(args, lua)?)
    })?;
    table.raw_set(name, function)
}

fn where_it_is(lua: &Lua, table: &Table) -> mlua::Result<()> {
    method(lua, table, "get_name", |_, inspector, ()| Ok(inspector.name().to_string()))?;
    method(lua, table, "get_path", get_path)?;
    method(lua, table, "get_root", |lua, inspector, ()| LuaEnv::new(lua, inspector.root()))?;
    method(lua, table, "get_parent", |lua, inspector, ()| {
        inspector.parent().map(|env| LuaEnv::new(lua, env)).transpose()
    })?;
    method(lua, table, "get_group", |_, inspector, ()| Ok(inspector.group().map(LuaGroup)))
}

/// `:get_path { style = "names" }` (row H-10).
fn get_path(lua: &Lua, inspector: &InspectorOf, options: Value) -> mlua::Result<Value> {
    let mut style = "names".to_string();
    for (key, value) in option_table(options, "get_path")? {
        match key.as_str() {
            "style" => style = text(&value, "style")?,
            _ => return unknown_option("get_path", &key, &["style"]),
        }
    }
    let nodes = || inspector.path_nodes().into_iter().zip(inspector.path());
    match style.as_str() {
        "names" => inspector.path().into_lua(lua),
        "nodes" => nodes().map(|(env, _)| LuaEnv::new(lua, env)).collect::<mlua::Result<Vec<_>>>()?.into_lua(lua),
        "both" => {
            let list = lua.create_table()?;
            for (env, name) in nodes() {
                let pair = lua.create_table()?;
                pair.raw_set("node", LuaEnv::new(lua, env)?)?;
                pair.raw_set("name", name)?;
                list.raw_push(pair)?;
            }
            Ok(Value::Table(list))
        }
        other => usage(format!("style must be \"names\", \"nodes\" or \"both\", got \"{other}\"")),
    }
}

fn children(lua: &Lua, table: &Table) -> mlua::Result<()> {
    method(lua, table, "get_childnodes", |lua, inspector, options: Value| {
        let nodes = inspector.child_nodes(scope(options, "get_childnodes")?).map_err(Raised::from)?;
        nodes.into_iter().map(|env| LuaEnv::new(lua, env)).collect::<mlua::Result<Vec<_>>>()
    })?;
    method(lua, table, "get_childnode", |lua, inspector, name: Value| {
        LuaEnv::new(lua, inspector.child_node(&text(&name, "the name of a child")?).map_err(Raised::from)?)
    })?;
    method(lua, table, "has_childnode", |_, inspector, name: Value| {
        Ok(inspector.has_child_node(&text(&name, "the name of a child")?))
    })
}

/// Members are given and asked for in the same three ways, whatever their kind.
fn members(lua: &Lua, table: &Table) -> mlua::Result<()> {
    type All = fn(&InspectorOf, Scope) -> Vec<Entry<Env>>;
    type One = fn(&InspectorOf, &str) -> Result<Entry<Env>, crate::node::NodeError>;
    type Has = fn(&InspectorOf, &str) -> bool;
    let kinds: [([&'static str; 3], All, One, Has); 3] = [
        (["get_actions", "get_action", "has_action"], Inspector::actions, Inspector::action, Inspector::has_action),
        (
            ["get_properties", "get_property", "has_property"],
            Inspector::properties,
            Inspector::property,
            Inspector::has_property,
        ),
        (["get_queries", "get_query", "has_query"], Inspector::queries, Inspector::query, Inspector::has_query),
    ];
    for ([all_name, one_name, has_name], all, one, has) in kinds {
        method(lua, table, all_name, move |lua, inspector, options: Value| {
            let entries = all(inspector, scope(options, all_name)?);
            entries.into_iter().map(|entry| LuaEntry::new(lua, entry)).collect::<mlua::Result<Vec<_>>>()
        })?;
        method(lua, table, one_name, move |lua, inspector, name: Value| {
            LuaEntry::new(lua, one(inspector, &text(&name, "a name")?).map_err(Raised::from)?)
        })?;
        method(lua, table, has_name, move |_, inspector, name: Value| Ok(has(inspector, &text(&name, "a name")?)))?;
    }
    method(lua, table, "suppress_result_for_action", |_, inspector, name: Value| {
        Ok(inspector.suppress_result_for_action(&text(&name, "the name of an action")?).map_err(Raised::from)?)
    })?;
    method(lua, table, "is_callable", |_, inspector, ()| Ok(inspector.is_callable()))
}

fn cells(lua: &Lua, table: &Table) -> mlua::Result<()> {
    method(lua, table, "is_isolated", |_, inspector, ()| Ok(inspector.is_isolated()))?;
    method(lua, table, "get_isolations", |lua, inspector, options: Value| {
        let list = lua.create_table()?;
        for (key, env) in inspector.isolations(key_style(options, "get_isolations")?) {
            let pair = lua.create_table()?;
            pair.raw_set("key", keys(lua, key)?)?;
            pair.raw_set("node", LuaEnv::new(lua, env)?)?;
            list.raw_push(pair)?;
        }
        Ok(list)
    })?;
    method(lua, table, "get_isolation", |lua, inspector, key: Value| {
        LuaEnv::new(lua, inspector.subject().isolate(&cell_key(&key, 0)?).map_err(Raised::from)?)
    })?;
    method(lua, table, "get_isolation_identifier", |lua, inspector, options: Value| {
        keys(lua, inspector.isolation_identifier(key_style(options, "get_isolation_identifier")?))
    })
}

/// One part per dimension; numbers count from 1.
fn keys(lua: &Lua, parts: Vec<CellKey>) -> mlua::Result<Table> {
    let list = lua.create_table()?;
    for part in parts {
        match part {
            CellKey::Index(index) => list.raw_push(index + 1)?,
            CellKey::Slug(slug) => list.raw_push(slug)?,
            CellKey::Host(host) => list.raw_push(to_lua(lua, value::Value::Host(host))?)?,
            CellKey::Tuple(parts) => list.raw_push(keys(lua, parts)?)?,
        }
    }
    Ok(list)
}

fn key_style(options: Value, word: &str) -> mlua::Result<KeyStyle> {
    let mut style = KeyStyle::Slug;
    for (key, value) in option_table(options, word)? {
        style = match (key.as_str(), text(&value, "style")?.as_str()) {
            ("style", "slug") => KeyStyle::Slug,
            ("style", "index") => KeyStyle::Index,
            ("style", "host") => KeyStyle::Host,
            ("style", other) => {
                return usage(format!("style must be \"slug\", \"index\" or \"host\", got \"{other}\""));
            }
            _ => return unknown_option(word, &key, &["style"]),
        };
    }
    Ok(style)
}

/// `{ include_private = false }`.
fn scope(options: Value, word: &str) -> mlua::Result<Scope> {
    let mut scope = Scope::All;
    for (key, value) in option_table(options, word)? {
        match key.as_str() {
            "include_private" => scope = if flag(&key, &value)? { Scope::All } else { Scope::Public },
            _ => return unknown_option(word, &key, &["include_private"]),
        }
    }
    Ok(scope)
}

/// `:trace_query(name)`: the value of every part, the whole last (row H-27).
fn trace_query(lua: Lua, (this, name): (Value, Value)) -> impl Future<Output = mlua::Result<Table>> + Send {
    let prepared = inspector_of(&this, "trace_query").and_then(|i| Ok((i, text(&name, "the name of a query")?)));
    async move {
        let (inspector, name) = prepared?;
        let list = lua.create_table()?;
        for part in inspector.trace_query(&name).await.map_err(Raised::from)? {
            let entry = lua.create_table()?;
            entry.raw_set("query", part.expression)?;
            entry.raw_set("value", to_lua(&lua, part.value)?)?;
            list.raw_push(entry)?;
        }
        Ok(list)
    }
}

/// Puts `Inspector` into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    module.raw_set("Inspector", lua.create_function(make)?)
}

/// The arguments of `entry(...)`, prepared while the caller's stack stands.
pub(super) fn prepare_entry(lua: &Lua, mut args: MultiValue) -> super::env::Prepared<Entry<Env>> {
    let this = args.pop_front().unwrap_or(Value::Nil);
    let Some(entry) = this.as_userdata().and_then(|userdata| userdata.borrow::<LuaEntry>().ok()) else {
        return usage(format!("what an inspector found was expected, got {}", type_name(&this)));
    };
    Ok((entry.entry()?, arguments(lua, &args)?))
}
