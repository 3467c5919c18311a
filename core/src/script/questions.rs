//! Questions about hosts: `exists`, `getcwd`, `has_command`, `ifconfig` (rows F-40, F-41, F-43, F-78, F-79). The answer
//! is nil where a sandbox does not know it (design 8); for several hosts it is a list with one entry per appearance.

use mlua::{IntoLua, Lua, Table, Value};

use super::convert::text;
use super::error::{Raised, usage};
use super::network::LuaIfConfig;
use super::run::{LuaHosts, flag, hosts_of, option_table, unknown_option};
use crate::host::HostContainer;

/// A question that is ready to be asked.
enum Ask {
    Exists(String, bool),
    HasCommand(String, bool),
    Getcwd,
    Ifconfig,
}

impl Ask {
    async fn of(&self, lua: &Lua, host: &HostContainer) -> mlua::Result<Value> {
        match self {
            Ask::Exists(path, sudo) => host.exists(path, *sudo).await.map_err(Raised::from)?.into_lua(lua),
            Ask::HasCommand(name, sudo) => host.has_command(name, *sudo).await.map_err(Raised::from)?.into_lua(lua),
            Ask::Getcwd => host.getcwd().await.map_err(Raised::from)?.into_lua(lua),
            Ask::Ifconfig => host.ifconfig().await.map_err(Raised::from)?.map(LuaIfConfig).into_lua(lua),
        }
    }

    async fn of_all(self, lua: Lua, hosts: LuaHosts) -> mlua::Result<Value> {
        let hosts = match hosts {
            LuaHosts::One(host) => return self.of(&lua, &host).await,
            LuaHosts::Many(hosts) => hosts.each(),
        };
        let list = lua.create_table()?;
        for (index, host) in hosts.iter().enumerate() {
            list.raw_set(index + 1, self.of(&lua, host).await?)?;
        }
        Ok(Value::Table(list))
    }
}

/// What a method makes of its subject, options and name.
type Prepare = fn(Value, Value, &'static str) -> mlua::Result<Ask>;

/// Puts the questions among the natives of the prelude, as `exists` and so on.
pub(super) fn install(lua: &Lua, native: &Table) -> mlua::Result<()> {
    let questions: [(&str, Prepare); 4] = [
        ("exists", |path, options, word| {
            Ok(Ask::Exists(text(&path, "the path of exists")?, use_sudo(options, word, true)?))
        }),
        ("has_command", |name, options, word| {
            Ok(Ask::HasCommand(text(&name, "the name of a command")?, use_sudo(options, word, false)?))
        }),
        ("getcwd", |_, _, _| Ok(Ask::Getcwd)),
        ("ifconfig", |_, _, _| Ok(Ask::Ifconfig)),
    ];
    for (word, prepare) in questions {
        let function = lua.create_async_function(move |lua, (this, what, options): (Value, Value, Value)| {
            let prepared = hosts_of(&this, word).and_then(|hosts| match (word, hosts) {
                ("ifconfig", LuaHosts::Many(_)) => {
                    usage("ifconfig is asked of one host, as in `self.hosts[1]:ifconfig()`")
                }
                (_, hosts) => Ok((prepare(what, options, word)?, hosts)),
            });
            async move {
                let (ask, hosts) = prepared?;
                ask.of_all(lua, hosts).await
            }
        })?;
        native.raw_set(word, function)?;
    }
    Ok(())
}

fn use_sudo(options: Value, word: &str, default: bool) -> mlua::Result<bool> {
    let mut sudo = default;
    for (key, value) in option_table(options, word)? {
        match key.as_str() {
            "use_sudo" => sudo = flag(&key, &value)?,
            _ => return unknown_option(word, &key, &["use_sudo"]),
        }
    }
    Ok(sudo)
}
