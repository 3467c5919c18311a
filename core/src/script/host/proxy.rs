//! The way to a host as a deployment writes it: `proxy_jump` and `proxy_command`.

use mlua::{Lua, Table, Value};

use super::{LuaHost, printable};
use crate::host::ssh::check_jump;
use crate::node::{HostKind, JumpHost, ProxySetting};
use crate::script::convert::{text, type_name};
use crate::script::error::usage;
use crate::script::foreign::describe;

/// Hops of one host; more would be refused when it is dialled.
const MAX_HOPS: usize = 16;

/// `"none"`, `"anna@bastion:2222,inner"`, a host, or a list of such.
pub(super) fn jump(lua: &Lua, value: &Value) -> mlua::Result<ProxySetting> {
    let mut hops = Vec::new();
    match value {
        Value::String(_) if text(value, "proxy_jump")?.eq_ignore_ascii_case("none") => return Ok(ProxySetting::Direct),
        Value::Table(list) => {
            for hop in list.sequence_values::<Value>() {
                add(lua, &hop?, &mut hops)?;
            }
        }
        one => add(lua, one, &mut hops)?,
    }
    match hops.len() {
        0 => usage("proxy_jump is an empty list; for no hops at all write proxy_jump = \"none\""),
        1..=MAX_HOPS => Ok(ProxySetting::Jump(hops)),
        many => usage(format!("proxy_jump has {many} hops, more than {MAX_HOPS}")),
    }
}

fn add(lua: &Lua, value: &Value, hops: &mut Vec<JumpHost>) -> mlua::Result<()> {
    if let Value::String(_) = value {
        let list = printable("proxy_jump", text(value, "proxy_jump")?)?;
        for hop in list.split(',').map(str::trim) {
            if let Err(why) = check_jump(hop) {
                return usage(format!("proxy_jump: {why}"));
            }
            hops.push(JumpHost::Named(hop.to_string()));
        }
        return Ok(());
    }
    let host = value.as_userdata().and_then(|value| value.borrow::<LuaHost>().ok().map(|host| host.0.clone()));
    match host {
        Some(host) if matches!(host.kind(), HostKind::Ssh) => hops.push(JumpHost::Host(host)),
        Some(host) => return usage(format!("proxy_jump: {host} is not reached over SSH, so it cannot be a hop")),
        None => {
            let got = if value.is_userdata() { describe(lua, value) } else { type_name(value) };
            return usage(format!("proxy_jump wants hosts or texts such as \"anna@bastion:2222\", got {got}"));
        }
    }
    Ok(())
}

/// `"none"`, or a command line.
pub(super) fn command(line: String) -> ProxySetting {
    if line.trim().eq_ignore_ascii_case("none") { ProxySetting::Direct } else { ProxySetting::Command(line) }
}

/// A host goes one way.
pub(super) fn only_one(settings: &Table) -> mlua::Result<()> {
    if settings.raw_get::<Value>("proxy_jump")?.is_nil() || settings.raw_get::<Value>("proxy_command")?.is_nil() {
        return Ok(());
    }
    usage("a host is reached by proxy_jump or by proxy_command, not by both")
}

/// About how many bytes it takes.
pub(super) fn weight(proxy: &ProxySetting) -> usize {
    match proxy {
        ProxySetting::Direct => 0,
        ProxySetting::Command(line) => line.len(),
        ProxySetting::Jump(hops) => hops
            .iter()
            .map(|hop| match hop {
                JumpHost::Named(text) => 64 + text.len(),
                // It was counted when it was made.
                JumpHost::Host(_) => 64,
            })
            .sum(),
    }
}
