//! Hosts of a node in an action: `self.hosts` and `self.host`, running commands, directories and variables in blocks.

use std::time::Duration;

use mlua::{
    AnyUserData, IntoLua, Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value,
};

use super::convert::{text, type_name};
use super::env::remember_line;
use super::error::{Raised, usage};
use super::host::LuaHost;
use super::output::LuaOutput;
use super::prelude;
use super::suggest::suggest;
use crate::host::{ContextGuard, HostContainer, HostsContainer, RunOptions};

/// Longest time limit that can be asked for: a year, in seconds.
const TIMEOUT_MAX: f64 = 366.0 * 86400.0;

/// Many hosts, or exactly one.
#[derive(Clone)]
pub(super) enum LuaHosts {
    Many(HostsContainer),
    One(HostContainer),
}

/// An open `cd`, `env` or `prefix`; undone when it is closed.
pub(super) struct LuaGuard(Option<ContextGuard>);

/// Methods written in the prelude; the same for one host and for many.
pub(super) const METHODS: [&str; 8] = ["run", "sudo", "cd", "env", "prefix", "exists", "getcwd", "has_command"];

/// What only many hosts have.
pub(super) const OF_MANY: [&str; 4] = ["roles", "filter", "each", "get_hosts"];

/// What only one host has.
pub(super) const OF_ONE: [&str; 17] = [
    "ifconfig",
    "open",
    "put_file",
    "get_file",
    "stat",
    "lstat",
    "listdir",
    "listdir_stat",
    "expand_path",
    "get_home_directory",
    "get_ip_address",
    "hostname",
    "is_64_bit",
    "start_interactive_shell",
    "slug",
    "address",
    "definition",
];

impl UserData for LuaHosts {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "hosts");
        fields.add_meta_field_with(MetaMethod::Pairs, |lua| prelude::function(lua, "hosts_pairs"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label()));
        methods.add_meta_method(MetaMethod::Len, |_, this, ()| Ok(this.len()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, this, &key));
        methods.add_meta_function(MetaMethod::Eq, |_, _: (Value, Value)| -> mlua::Result<bool> {
            usage("hosts of nodes cannot be compared: compare their slugs")
        });
    }
}

impl UserData for LuaGuard {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "an open block");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method_mut(MetaMethod::Close, |_, this, _: MultiValue| {
            drop(this.0.take());
            Ok(())
        });
    }
}

impl LuaHosts {
    fn len(&self) -> usize {
        match self {
            LuaHosts::Many(hosts) => hosts.len(),
            LuaHosts::One(_) => 1,
        }
    }

    fn label(&self) -> String {
        match self {
            LuaHosts::Many(hosts) => {
                let slugs: Vec<String> = hosts.definitions().iter().map(ToString::to_string).collect();
                format!("<hosts {}>", slugs.join(", "))
            }
            LuaHosts::One(host) => format!("<host {}>", host.slug()),
        }
    }

    fn number(&self, number: i64) -> Option<HostContainer> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        match self {
            LuaHosts::Many(hosts) => hosts.each().into_iter().nth(index),
            LuaHosts::One(host) => (index == 0).then(|| host.clone()),
        }
    }
}

fn index(lua: &Lua, this: &LuaHosts, key: &Value) -> mlua::Result<Value> {
    if let Value::Integer(number) = key {
        if *number < 1 {
            return usage(format!("hosts are numbered from 1, there is no self.hosts[{number}]"));
        }
        // Past the end there is nothing, as in any list: that is how a loop ends.
        return this.number(*number).map_or(Ok(Value::Nil), |host| LuaHosts::One(host).into_lua(lua));
    }
    let name = text(key, "the name of a method of hosts")?;
    if METHODS.contains(&name.as_str()) {
        remember_line(lua)?;
        return prelude::function(lua, &format!("hosts_{name}")).map(Value::Function);
    }
    let only: &[&str] = match (this, name.as_str()) {
        (LuaHosts::Many(hosts), "roles") => return hosts.roles().into_lua(lua),
        (LuaHosts::Many(_), "filter" | "each" | "get_hosts") => {
            return prelude::function(lua, &format!("hosts_{name}")).map(Value::Function);
        }
        (LuaHosts::One(host), "slug") => return host.slug().into_lua(lua),
        (LuaHosts::One(host), "address") => return host.definition().address().into_lua(lua),
        (LuaHosts::One(host), "definition") => return LuaHost(host.definition().clone()).into_lua(lua),
        (LuaHosts::One(_), method) if OF_ONE.contains(&method) => {
            remember_line(lua)?;
            return prelude::function(lua, &format!("hosts_{method}")).map(Value::Function);
        }
        // Row F-81.
        (LuaHosts::Many(_), method) if OF_ONE.contains(&method) => {
            return usage(format!("'{method}' is for one host, as in `self.hosts[1]:{method}(...)`"));
        }
        (LuaHosts::Many(_), _) => &OF_MANY,
        (LuaHosts::One(_), _) => &OF_ONE,
    };
    let what = match this {
        LuaHosts::Many(_) => "hosts have",
        LuaHosts::One(_) => "a host has",
    };
    usage(format!("{what} no '{name}'{}", suggest(&name, METHODS.iter().chain(only).copied())))
}

pub(super) fn hosts_of(value: &Value, word: &str) -> mlua::Result<LuaHosts> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaHosts>().ok()) {
        Some(hosts) => Ok(hosts.clone()),
        None => usage(format!("{word} needs hosts in front, as in `self.hosts:{word}(...)`; got {}", type_name(value))),
    }
}

/// `hosts:filter("role", ...)` (row F-72).
pub(super) fn filter(_: &Lua, mut args: MultiValue) -> mlua::Result<LuaHosts> {
    let hosts = hosts_of(&args.pop_front().unwrap_or(Value::Nil), "filter")?;
    let LuaHosts::Many(hosts) = hosts else { return usage("one host has no roles to filter by") };
    let roles = args.iter().map(|role| text(role, "a role")).collect::<mlua::Result<Vec<String>>>()?;
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    Ok(LuaHosts::Many(hosts.filter(&roles)))
}

/// `hosts:get_hosts()`: the distinct definitions (row F-71).
pub(super) fn get_hosts(_: &Lua, this: Value) -> mlua::Result<Vec<LuaHost>> {
    match hosts_of(&this, "get_hosts")? {
        LuaHosts::Many(hosts) => Ok(hosts.definitions().into_iter().map(LuaHost).collect()),
        LuaHosts::One(host) => Ok(vec![LuaHost(host.definition().clone())]),
    }
}

/// A run, ready to start.
pub(super) struct Run {
    hosts: LuaHosts,
    command: String,
    options: RunOptions,
}

/// The arguments of `hosts:run(command, { ... })` and `hosts:sudo`.
pub(super) fn prepare_run((this, command, options): (Value, Value, Value), use_sudo: bool) -> mlua::Result<Run> {
    let word = if use_sudo { "sudo" } else { "run" };
    let hosts = hosts_of(&this, word)?;
    let command = text(&command, &format!("the command of {word}"))?;
    let mut parsed = RunOptions { use_sudo, ..RunOptions::default() };
    for (key, value) in option_table(options, word)? {
        run_option(&mut parsed, word, &key, &value)?;
    }
    Ok(Run { hosts, command, options: parsed })
}

impl Run {
    /// Runs it: one result on one host, a list of them on many.
    pub(super) async fn finish(self, lua: &Lua) -> mlua::Result<Value> {
        match self.hosts {
            LuaHosts::One(host) => {
                let output = host.run_with(&self.command, &self.options).await.map_err(Raised::from)?;
                LuaOutput(output).into_lua(lua)
            }
            LuaHosts::Many(hosts) => {
                let outputs = hosts.run_with(&self.command, &self.options).await.map_err(Raised::from)?;
                outputs.into_iter().map(LuaOutput).collect::<Vec<_>>().into_lua(lua)
            }
        }
    }
}

pub(super) const RUN_OPTIONS: [&str; 8] =
    ["interactive", "ignore_exit_status", "use_sudo", "user", "silent", "sandbox", "initial_input", "timeout"];

fn run_option(options: &mut RunOptions, word: &str, key: &str, value: &Value) -> mlua::Result<()> {
    match key {
        "interactive" => options.interactive = flag(key, value)?,
        "ignore_exit_status" => options.ignore_exit_status = flag(key, value)?,
        "use_sudo" => options.use_sudo = flag(key, value)?,
        "user" => options.user = Some(text(value, "user")?),
        "silent" => options.silent = flag(key, value)?,
        "sandbox" => options.sandbox = Some(flag(key, value)?),
        "initial_input" => options.initial_input = Some(text(value, "initial_input")?),
        "timeout" => options.timeout = Some(seconds(key, value)?),
        _ => return unknown_option(word, key, &RUN_OPTIONS),
    }
    Ok(())
}

pub(super) fn unknown_option<T>(word: &str, key: &str, known: &[&str]) -> mlua::Result<T> {
    usage(format!("{word} has no option '{key}'{}", suggest(key, known.iter().copied())))
}

pub(super) fn flag(key: &str, value: &Value) -> mlua::Result<bool> {
    match value {
        Value::Boolean(value) => Ok(*value),
        other => usage(format!("{key} must be true or false, got {}", type_name(other))),
    }
}

/// A time in seconds, fractions allowed.
pub(super) fn seconds(key: &str, value: &Value) -> mlua::Result<Duration> {
    match value.as_f64().or_else(|| value.as_i64().map(|number| number as f64)) {
        Some(number) if number > 0.0 && number <= TIMEOUT_MAX => Ok(Duration::from_secs_f64(number)),
        Some(number) => usage(format!("{key} must be a number of seconds above 0, got {number}")),
        None => usage(format!("{key} must be a number of seconds, got {}", type_name(value))),
    }
}

/// The options of a call: name and value, in no particular order.
pub(super) fn option_table(value: Value, word: &str) -> mlua::Result<Vec<(String, Value)>> {
    let table: Table = match value {
        Value::Nil => return Ok(Vec::new()),
        Value::Table(table) => table,
        other => return usage(format!("the options of {word} are a table, got {}", type_name(&other))),
    };
    let mut options = Vec::new();
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        options.push((text(&key, &format!("the name of an option of {word}"))?, value));
    }
    Ok(options)
}

/// Opens `cd(path, { expand, glob })` (row F-05).
pub(super) fn open_cd(_: &Lua, (this, path, options): (Value, Value, Value)) -> mlua::Result<LuaGuard> {
    let hosts = hosts_of(&this, "cd")?;
    let path = text(&path, "the path of cd")?;
    let (mut expand, mut glob) = (false, false);
    for (key, value) in option_table(options, "cd")? {
        match key.as_str() {
            "expand" => expand = flag(&key, &value)?,
            "glob" => glob = flag(&key, &value)?,
            _ => return unknown_option("cd", &key, &["expand", "glob"]),
        }
    }
    Ok(LuaGuard(Some(match hosts {
        LuaHosts::Many(hosts) => hosts.cd(&path, expand, glob),
        LuaHosts::One(host) => host.cd(&path, expand, glob),
    })))
}

/// Opens `env(name, value, { escape })` (row F-07).
pub(super) fn open_env(_: &Lua, args: (Value, Value, Value, Value)) -> mlua::Result<LuaGuard> {
    let (this, name, value, options) = args;
    let hosts = hosts_of(&this, "env")?;
    let name = text(&name, "the name of a variable")?;
    let mut escape = true;
    for (key, value) in option_table(options, "env")? {
        match key.as_str() {
            "escape" => escape = flag(&key, &value)?,
            _ => return unknown_option("env", &key, &["escape"]),
        }
    }
    let value = match &value {
        Value::Nil => String::new(),
        Value::Integer(_) | Value::Number(_) if !escape => value.to_string()?,
        other => text(other, &format!("the value of {name}"))?,
    };
    Ok(LuaGuard(Some(match hosts {
        LuaHosts::Many(hosts) => hosts.env(&name, &value, escape),
        LuaHosts::One(host) => host.env(&name, &value, escape),
    })))
}

/// Opens `prefix(command)` (row F-09).
pub(super) fn open_prefix(_: &Lua, (this, command): (Value, Value)) -> mlua::Result<LuaGuard> {
    let hosts = hosts_of(&this, "prefix")?;
    let command = text(&command, "the command of prefix")?;
    Ok(LuaGuard(Some(match hosts {
        LuaHosts::Many(hosts) => hosts.prefix(&command),
        LuaHosts::One(host) => host.prefix(&command),
    })))
}

/// A function must be what a block runs, before the block is opened.
pub(super) fn check_block(_: &Lua, (word, block): (String, Value)) -> mlua::Result<()> {
    match block {
        Value::Nil | Value::Function(_) => Ok(()),
        other => usage(format!("what {word} runs must be a function, got {}", type_name(&other))),
    }
}

/// The hosts of a container, for roles made of them (row A-05).
pub(super) fn container_hosts(userdata: &AnyUserData) -> Option<LuaHosts> {
    userdata.borrow::<LuaHosts>().ok().map(|hosts| hosts.clone())
}
