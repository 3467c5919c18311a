//! Hosts as a deployment writes them down: `SSHHost { slug = "web1" }`, and `web1 { slug = "web2" }` for another one
//! with the same settings otherwise.

mod proxy;

use std::sync::Arc;

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::{text, type_name};
use super::error::{Raised, usage};
use super::foreign::plain;
use super::frames;
use super::run::{flag, seconds};
use super::shared::Shared;
use super::suggest::suggest;
use crate::host::command::CommandHosts;
use crate::node::{HostDef, HostKeyPolicy, HostKind, HostSettings, Secret};

/// A host definition as a Lua value.
pub(super) struct LuaHost(pub(super) HostDef);

/// A kind of host that has no settings yet: `SSHHost`.
pub(super) struct LuaHostKind {
    name: String,
    kind: HostKind,
}

/// The settings there are (row F-61).
pub(super) const SETTINGS: [&str; 20] = [
    "slug",
    "address",
    "port",
    "username",
    "password",
    "key_filename",
    "key",
    "rsa_key",
    "key_password",
    "rsa_key_password",
    "timeout",
    "keepalive",
    "idle_timeout",
    "config_filename",
    "host_keys",
    "reject_unknown_hosts",
    "known_hosts",
    "proxy_jump",
    "proxy_command",
    "helper_shell",
];

impl UserData for LuaHost {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a host");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Call, |lua, this, settings: Value| {
            define(lua, this.0.kind().clone(), this.0.settings().clone(), &format!("host {}", this.0), &settings)
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("<host {}>", this.0)));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| read(lua, &this.0, &key));
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (Value, Value)| {
            let host = |value: &Value| Some(value.as_userdata()?.borrow::<LuaHost>().ok()?.0.clone());
            Ok(host(&left).is_some_and(|left| Some(left) == host(&right)))
        });
    }
}

impl UserData for LuaHostKind {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a kind of host without its settings");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Call, |lua, this, settings: Value| {
            define(lua, this.kind.clone(), HostSettings::default(), &this.name, &settings)
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(format!("<{}>", this.name)));
    }
}

/// Makes a host; what the table does not say stays as it was.
fn define(lua: &Lua, kind: HostKind, mut settings: HostSettings, of: &str, table: &Value) -> mlua::Result<LuaHost> {
    let Value::Table(table) = table else {
        return usage(format!("{of} is called with a table of settings, got {}", type_name(table)));
    };
    settings.position = frames::here(lua);
    proxy::only_one(table)?;
    for pair in table.pairs::<Value, Value>() {
        let (key, value) = pair?;
        let Value::String(_) = key else {
            let (key, value) = (super::foreign::describe(lua, &key), type_name(&value));
            return usage(format!("settings of {of} have names, as in `slug = \"web1\"`; entry {key} is {value}"));
        };
        let key = text(&key, "the name of a setting")?;
        set(lua, &kind, &mut settings, &key, &value)?;
    }
    if settings.slug.is_empty() {
        return usage(format!("{of} needs a slug: a short name that is unique within a role"));
    }
    if let HostKind::Custom(factory) = &kind
        && let Err(message) = factory.check(&settings)
    {
        return usage(message);
    }
    Shared::charge(lua, weight(&settings))?;
    Ok(LuaHost(HostDef::new(kind, settings)))
}

/// About how many bytes a host takes.
fn weight(settings: &HostSettings) -> usize {
    const HOST: usize = 1024;
    let texts = [&settings.address, &settings.username, &settings.key_filename, &settings.config_filename];
    let secrets = [&settings.password, &settings.key, &settings.key_password];
    let texts = texts.into_iter().flatten().map(String::len);
    let secrets = secrets.into_iter().flatten().map(|secret| secret.reveal().len());
    let files = settings.known_hosts.iter().flatten().map(String::len);
    let proxy = settings.proxy.as_ref().map_or(0, proxy::weight);
    HOST + settings.slug.len() + proxy + texts.chain(secrets).chain(files).sum::<usize>()
}

fn set(lua: &Lua, kind: &HostKind, settings: &mut HostSettings, key: &str, value: &Value) -> mlua::Result<()> {
    let words = || text(value, key).and_then(|text| printable(key, text));
    let secret = || text(value, key).map(Secret::new);
    match key {
        "slug" => settings.slug = words()?,
        "address" => settings.address = Some(words()?),
        "port" => settings.port = Some(port(value)?),
        "username" => settings.username = Some(words()?),
        "password" => settings.password = Some(secret()?),
        "key_filename" => settings.key_filename = Some(words()?),
        "key" | "rsa_key" => settings.key = Some(secret()?),
        "key_password" | "rsa_key_password" => settings.key_password = Some(secret()?),
        "timeout" => settings.timeout = Some(seconds(key, value)?),
        "keepalive" => settings.keepalive = Some(seconds(key, value)?),
        "idle_timeout" => settings.idle_timeout = Some(seconds(key, value)?),
        "config_filename" => settings.config_filename = Some(words()?),
        "host_keys" => settings.host_keys = Some(policy(&words()?)?),
        "reject_unknown_hosts" => settings.host_keys = reject_unknown(value)?,
        "known_hosts" => settings.known_hosts = Some(files(value)?),
        "proxy_jump" => settings.proxy = Some(proxy::jump(lua, value)?),
        "proxy_command" => settings.proxy = Some(proxy::command(words()?)),
        "helper_shell" => settings.helper_shell = Some(flag(key, value)?),
        _ if matches!(kind, HostKind::Custom(_)) => settings.extra.push((key.to_string(), plain(lua, value)?)),
        _ => return usage(format!("a host has no setting '{key}'{}", suggest(key, SETTINGS.into_iter()))),
    }
    Ok(())
}

/// Longest text of a setting that is no secret, in bytes.
const TEXT_MAX: usize = 4096;

/// Names of hosts, users and files are shown, logged, and written into commands.
pub(super) fn printable(key: &str, text: String) -> mlua::Result<String> {
    if text.len() > TEXT_MAX {
        return usage(format!("{key} is {} bytes long, more than {TEXT_MAX}", text.len()));
    }
    match text.chars().any(char::is_control) {
        true => usage(format!("{key} must not have control characters in it, got {text:?}")),
        false => Ok(text),
    }
}

fn port(value: &Value) -> mlua::Result<u16> {
    match value.as_i64().and_then(|number| u16::try_from(number).ok()) {
        Some(number) if number > 0 => Ok(number),
        _ => usage(format!("port must be a whole number from 1 to 65535, got {}", shown(value))),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        other => type_name(other),
    }
}

fn policy(word: &str) -> mlua::Result<HostKeyPolicy> {
    match word {
        "strict" => Ok(HostKeyPolicy::Strict),
        "accept-new" => Ok(HostKeyPolicy::AcceptNew),
        "ask" => Ok(HostKeyPolicy::Ask),
        other => usage(format!("host_keys must be \"strict\", \"accept-new\" or \"ask\", got \"{other}\"")),
    }
}

/// The original's word for a strict check; false leaves the default.
fn reject_unknown(value: &Value) -> mlua::Result<Option<HostKeyPolicy>> {
    match value {
        Value::Boolean(true) => Ok(Some(HostKeyPolicy::Strict)),
        Value::Boolean(false) => Ok(None),
        other => usage(format!("reject_unknown_hosts must be true or false, got {}", type_name(other))),
    }
}

fn files(value: &Value) -> mlua::Result<Vec<String>> {
    match value {
        Value::Table(list) => {
            list.sequence_values::<Value>().map(|file| text(&file?, "a file of known_hosts")).collect()
        }
        other => Ok(vec![text(other, "known_hosts")?]),
    }
}

/// What can be read of a host.
pub(super) const READABLE: [&str; 9] =
    ["slug", "address", "port", "username", "key_filename", "config_filename", "timeout", "keepalive", "idle_timeout"];

/// What can be read of a host; never a secret.
fn read(lua: &Lua, host: &HostDef, key: &Value) -> mlua::Result<Value> {
    let key = text(key, "the name of a setting")?;
    let settings = host.settings();
    match key.as_str() {
        "slug" => host.slug().into_lua(lua),
        "address" => host.address().into_lua(lua),
        "port" => settings.port.into_lua(lua),
        "username" => settings.username.as_deref().into_lua(lua),
        "key_filename" => settings.key_filename.as_deref().into_lua(lua),
        "config_filename" => settings.config_filename.as_deref().into_lua(lua),
        "timeout" => settings.timeout.map(|time| time.as_secs_f64()).into_lua(lua),
        "keepalive" => settings.keepalive.map(|time| time.as_secs_f64()).into_lua(lua),
        "idle_timeout" => settings.idle_timeout.map(|time| time.as_secs_f64()).into_lua(lua),
        "run" | "sudo" | "cd" | "env" | "prefix" => usage(format!(
            "{host} is a host as it was written down: commands run on the hosts of a node, as in `self.hosts:{key}(...)`"
        )),
        key => usage(format!("{host}: no setting '{key}' can be read{}", suggest(key, READABLE.into_iter()))),
    }
}

/// Puts the kinds of hosts into the module.
pub(super) fn install(module: &Table, custom: &[(String, HostKind)]) -> mlua::Result<()> {
    let local = HostSettings { slug: "localhost".to_string(), ..HostSettings::default() };
    module.raw_set("LocalHost", LuaHost(HostDef::new(HostKind::Local, local)))?;
    module.raw_set("SSHHost", LuaHostKind { name: "SSHHost".to_string(), kind: HostKind::Ssh })?;
    let command = HostKind::Custom(Arc::new(CommandHosts));
    module.raw_set("CommandHost", LuaHostKind { name: "CommandHost".to_string(), kind: command })?;
    for (name, kind) in custom {
        if module.raw_get::<Value>(name.as_str())? != Value::Nil {
            return Err(Raised::usage(format!("a kind of host cannot be called '{name}': the name is taken")).into());
        }
        module.raw_set(name.as_str(), LuaHostKind { name: name.clone(), kind: kind.clone() })?;
    }
    Ok(())
}
