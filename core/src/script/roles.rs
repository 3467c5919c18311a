//! `Hosts = { web = { web1, web2 }, db = db }` and `map_roles { host = "web" }`.

use std::collections::{BTreeMap, BTreeSet};

use mlua::{Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::class::LuaClass;
use super::convert::{text, type_name};
use super::error::{Raised, usage};
use super::frames;
use super::host::{LuaHost, LuaHostKind};
use super::member::Marked;
use super::run::{LuaHosts, container_hosts};
use super::shared::Shared;
use crate::node::{HostDef, HostSource, MapFrom, Position, RoleMapping, Roles};

/// A role mapping as a Lua value.
pub(super) struct LuaMapping(RoleMapping);

/// The marker for all hosts of all roles of the parent.
struct AllHosts;

impl UserData for LuaMapping {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a role mapping");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        // The decorator of the original: a copy of the class with this mapping (rows D-11, D-12).
        methods.add_meta_method(MetaMethod::Call, |_, this, class: Value| {
            match class.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok()) {
                Some(class) => {
                    let mapped = class.class.with_hosts(HostSource::Mapped(this.0.clone()));
                    Ok(LuaClass::new(mapped.map_err(Raised::from)?))
                }
                None => usage(format!("map_roles applies to a node class, got {}", type_name(&class))),
            }
        });
    }
}

impl UserData for AllHosts {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "ALL_HOSTS");
    }
}

/// Names of a table's fields in the order in which they were written, each with its position where that is known.
///
/// Where the text does not tell (a table that code put together), functions, classes and hosts come in the order of
/// their lines, the rest follows by name.
pub(super) fn ordered_names(
    lua: &Lua,
    table: &Table,
    at: Option<&Position>,
    what: &str,
) -> mlua::Result<Vec<(String, Option<Position>)>> {
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Value::String(_) = &key else {
            let (key, value) = (super::foreign::describe(lua, &key), type_name(&value));
            return usage(format!("{what} have names, as in `name = value`; entry {key} is {value}"));
        };
        values.insert(text(&key, "a name")?, value);
    }
    let names: BTreeSet<&str> = values.keys().map(String::as_str).collect();
    let source = at.and_then(|at| Some((at, Shared::of(lua).ok()?.chunks().source(&at.file)?)));
    let written = source.and_then(|(at, source)| Some((at, source.fields(Some(at.line), &names)?)));
    if let Some((at, fields)) = written {
        let place = |line| Some(Position::new(at.file.clone(), line));
        return Ok(fields.into_iter().map(|field| (field.name, place(field.line))).collect());
    }
    let mut found: Vec<(Option<u32>, String)> =
        values.into_iter().map(|(name, value)| (line_of(&value), name)).collect();
    found.sort_by_key(|(line, name)| (line.unwrap_or(u32::MAX), name.clone()));
    Ok(found.into_iter().map(|(_, name)| (name, None)).collect())
}

/// The line on which a value was made.
fn line_of(value: &Value) -> Option<u32> {
    let of_function = |function: &mlua::Function| function.info().line_defined?.try_into().ok();
    match value {
        Value::Function(function) => of_function(function),
        Value::Table(list) => line_of(&list.raw_get(1).ok()?),
        Value::UserData(userdata) => {
            if let Ok(class) = userdata.borrow::<LuaClass>() {
                return class.class.position().map(|position| position.line);
            }
            if let Ok(host) = userdata.borrow::<LuaHost>() {
                return host.0.settings().position.as_ref().map(|position| position.line);
            }
            userdata.borrow::<Marked>().ok().and_then(|marked| of_function(&marked.function))
        }
        _ => None,
    }
}

/// Where a class takes its hosts from: the value of `Hosts` (rows ).
pub(super) fn hosts(lua: &Lua, value: &Value, at: Option<&Position>) -> mlua::Result<HostSource> {
    if let Value::UserData(userdata) = value {
        if let Ok(mapping) = userdata.borrow::<LuaMapping>() {
            return Ok(HostSource::Mapped(mapping.0.clone()));
        }
        if let Some(LuaHosts::Many(hosts)) = container_hosts(userdata) {
            let roles = hosts.roles().into_iter().map(|role| (role.to_string(), hosts.filter([role]).definitions()));
            return Ok(HostSource::Own(Roles(roles.collect())));
        }
    }
    let Value::Table(table) = value else {
        let got = type_name(value);
        return usage(format!(
            "Hosts must be a table of roles, `{{ web = {{ web1 }} }}`, or map_roles(...); got {got}"
        ));
    };
    let mut roles = Roles::default();
    for (role, _) in ordered_names(lua, table, at, "roles")? {
        let hosts = role_hosts(&role, &table.raw_get(role.as_str())?)?;
        roles.0.insert(role, hosts);
    }
    Ok(HostSource::Own(roles))
}

/// One host, a list of hosts, or the hosts of a node.
fn role_hosts(role: &str, value: &Value) -> mlua::Result<Vec<HostDef>> {
    match value {
        Value::Table(list) => {
            let count = list.pairs::<Value, Value>().count();
            if count != list.raw_len() {
                return usage(
                    match list.pairs::<Value, Value>().any(|pair| matches!(pair, Ok((Value::String(_), _)))) {
                        true => {
                            format!("role '{role}' must be a host or a list of hosts, got a table with names in it")
                        }
                        false => format!("role '{role}' has a gap in its list: one of the hosts is nil"),
                    },
                );
            }
            let hosts = list.sequence_values::<Value>().map(|entry| one_host(role, &entry?));
            hosts.collect()
        }
        Value::UserData(userdata) => match container_hosts(userdata) {
            Some(LuaHosts::Many(hosts)) => Ok(hosts.definitions()),
            _ => one_host(role, value).map(|host| vec![host]),
        },
        other => one_host(role, other).map(|host| vec![host]),
    }
}

fn one_host(role: &str, value: &Value) -> mlua::Result<HostDef> {
    if let Value::UserData(userdata) = value {
        if let Ok(host) = userdata.borrow::<LuaHost>() {
            return Ok(host.0.clone());
        }
        if let Some(LuaHosts::One(host)) = container_hosts(userdata) {
            return Ok(host.definition().clone());
        }
        if userdata.is::<LuaHostKind>() {
            return usage(format!("role '{role}': a kind of host is no host yet, write `SSHHost {{ slug = ... }}`"));
        }
    }
    usage(format!("role '{role}' must be a host or a list of hosts, got {}", type_name(value)))
}

/// `map_roles { host = "web", extra = { "a", "b" } }`, `map_roles("web", "db")`, or both (rows D-01, D-02).
fn map_roles(lua: &Lua, args: MultiValue) -> mlua::Result<LuaMapping> {
    let mut named = Vec::new();
    let mut positional: Vec<Value> = Vec::new();
    for (number, arg) in args.iter().enumerate() {
        match arg {
            Value::Table(table) if number + 1 == args.len() => {
                positional.extend(table.sequence_values::<Value>().collect::<mlua::Result<Vec<_>>>()?);
                named = named_roles(lua, table)?;
            }
            other => positional.push(other.clone()),
        }
    }
    let mut mapping = RoleMapping::default();
    if !positional.is_empty() {
        if named.iter().any(|(role, _)| role == Roles::HOST) {
            return usage("the role 'host' is mapped twice: by position and by name");
        }
        mapping.0.push((Roles::HOST.to_string(), sources(&positional)?));
    }
    mapping.0.extend(named);
    if mapping.0.is_empty() {
        return usage("map_roles needs roles of the parent, as in `map_roles { host = \"web\" }`");
    }
    Shared::charge(lua, mapping.weight())?;
    Ok(LuaMapping(mapping))
}

fn named_roles(lua: &Lua, table: &Table) -> mlua::Result<Vec<(String, MapFrom)>> {
    let only_names = lua.create_table()?;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if !matches!(key, Value::Integer(_)) {
            only_names.raw_set(key, value)?;
        }
    }
    let mut named = Vec::new();
    for (role, _) in ordered_names(lua, &only_names, frames::here(lua).as_ref(), "roles")? {
        let from = match table.raw_get(role.as_str())? {
            Value::Table(list) => sources(&list.sequence_values::<Value>().collect::<mlua::Result<Vec<_>>>()?)?,
            other => sources(&[other])?,
        };
        named.push((role, from));
    }
    Ok(named)
}

fn sources(values: &[Value]) -> mlua::Result<MapFrom> {
    let all = |value: &Value| value.as_userdata().is_some_and(|userdata| userdata.is::<AllHosts>());
    if values.iter().any(all) {
        return match values.len() {
            1 => Ok(MapFrom::All),
            _ => usage("ALL_HOSTS already has the hosts of every role: leave the others out"),
        };
    }
    let role = |value| text(value, "a role of the parent");
    Ok(MapFrom::Roles(values.iter().map(role).collect::<mlua::Result<_>>()?))
}

/// Puts role mapping into the module.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    module.raw_set("map_roles", lua.create_function(map_roles)?)?;
    module.raw_set("ALL_HOSTS", AllHosts)
}
