//! Questions about hosts: `exists`, `getcwd`, `has_command`, `ifconfig` (rows F-40 to F-43, F-78, F-79, F-86). The answer
//! is nil where a sandbox does not know it (design 8); for several hosts it is a list with one entry per appearance.

use mlua::{IntoLua, Lua, Table, Value};

use super::convert::text;
use super::error::{Raised, usage};
use super::network::LuaIfConfig;
use super::run::{LuaHosts, OF_ONE, flag, hosts_of, option_table, unknown_option};
use crate::host::HostContainer;

/// A question that is ready to be asked.
enum Ask {
    Exists(String, bool),
    HasCommand(String, bool),
    Getcwd,
    Ifconfig,
    IpAddress(String),
    Hostname,
    Is64Bit,
    InteractiveShell(Option<String>),
}

impl Ask {
    async fn of(&self, lua: &Lua, host: &HostContainer) -> mlua::Result<Value> {
        match self {
            Ask::Exists(path, sudo) => host.exists(path, *sudo).await.map_err(Raised::from)?.into_lua(lua),
            Ask::HasCommand(name, sudo) => host.has_command(name, *sudo).await.map_err(Raised::from)?.into_lua(lua),
            Ask::Getcwd => host.getcwd().await.map_err(Raised::from)?.into_lua(lua),
            Ask::Ifconfig => host.ifconfig().await.map_err(Raised::from)?.map(LuaIfConfig).into_lua(lua),
            Ask::IpAddress(name) => host.get_ip_address(name).await.map_err(Raised::from)?.into_lua(lua),
            Ask::Hostname => host.hostname().await.map_err(Raised::from)?.into_lua(lua),
            Ask::Is64Bit => host.is_64_bit().await.map_err(Raised::from)?.into_lua(lua),
            Ask::InteractiveShell(input) => {
                host.start_interactive_shell(input.as_deref()).await.map_err(Raised::from)?;
                Ok(Value::Nil)
            }
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
    let questions: [(&str, Prepare); 8] = [
        ("exists", |path, options, word| {
            Ok(Ask::Exists(text(&path, "the path of exists")?, use_sudo(options, word, true)?))
        }),
        ("has_command", |name, options, word| {
            Ok(Ask::HasCommand(text(&name, "the name of a command")?, use_sudo(options, word, false)?))
        }),
        ("getcwd", |_, _, _| Ok(Ask::Getcwd)),
        ("ifconfig", |_, _, _| Ok(Ask::Ifconfig)),
        ("get_ip_address", |name, _, _| {
            let name = if name.is_nil() { Ok("eth0".to_string()) } else { text(&name, "the name of an interface") };
            name.map(Ask::IpAddress)
        }),
        ("hostname", |_, _, _| Ok(Ask::Hostname)),
        ("is_64_bit", |_, _, _| Ok(Ask::Is64Bit)),
        ("start_interactive_shell", |options, _, word| {
            let mut input = None;
            for (key, value) in option_table(options, word)? {
                match key.as_str() {
                    "initial_input" => input = Some(text(&value, "initial_input")?),
                    _ => return unknown_option(word, &key, &["initial_input"]),
                }
            }
            Ok(Ask::InteractiveShell(input))
        }),
    ];
    for (word, prepare) in questions {
        let function = lua.create_async_function(move |lua, (this, what, options): (Value, Value, Value)| {
            let prepared = hosts_of(&this, word).and_then(|hosts| match (word, hosts) {
                (word, LuaHosts::Many(_)) if OF_ONE.contains(&word) => {
                    usage(format!("{word} is asked of one host, as in `self.hosts[1]:{word}()`"))
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
