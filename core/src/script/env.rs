//! `self` in an action: a node that can act, and its actions ready to be called.

use std::sync::Arc;

use mlua::{AnyUserData, IntoLua, Lua, MetaMethod, MultiValue, UserData, UserDataFields, UserDataMethods, Value};

use super::class::{LuaClass, LuaUnbound};
use super::console::LuaConsole;
use super::convert::{from_lua, text, to_lua, to_lua_multi, type_name};
use super::error::{Raised, usage};
use super::frames;
use super::host::LuaHost;
use super::prelude;
use super::run::LuaHosts;
use super::shared::{Held, Shared};
use super::suggest::suggest;
use crate::env::{Attribute, BoundAction, Env};
use crate::node::{CellKey, NodeError};
use crate::value;

/// An Env as a Lua value.
pub(super) struct LuaEnv {
    env: Held<Env>,
    label: String,
}

/// `self.action`: an action bound to an Env. Called with a dot or a colon, both work.
pub(super) struct LuaBound {
    bound: Held<BoundAction>,
    label: String,
}

/// What an action gives that the operator skipped: reading anything of it is an error (row E-15).
pub(super) struct LuaSkipped;

impl LuaEnv {
    pub(super) fn new(lua: &Lua, env: Env) -> mlua::Result<LuaEnv> {
        let label = env.to_string();
        Ok(LuaEnv { env: Shared::of(lua)?.hold(env), label })
    }

    /// The Env, while the run it belongs to goes on.
    pub(super) fn env(&self) -> mlua::Result<Env> {
        match self.env.get() {
            Some(env) => Ok(Env::clone(&env)),
            None => usage(format!("{} belongs to a run that has ended", self.label)),
        }
    }
}

impl LuaBound {
    pub(super) fn new(lua: &Lua, bound: BoundAction) -> mlua::Result<LuaBound> {
        let label = bound.to_string();
        Ok(LuaBound { bound: Shared::of(lua)?.hold(bound), label })
    }

    pub(super) fn bound(&self) -> mlua::Result<Arc<BoundAction>> {
        match self.bound.get() {
            Some(bound) => Ok(bound),
            None => usage(format!("{} belongs to a run that has ended", self.label)),
        }
    }
}

impl UserData for LuaEnv {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a node");
        fields.add_meta_field_with(MetaMethod::Index, |lua| prelude::function(lua, "env_index"));
        fields.add_meta_field_with(MetaMethod::Call, |lua| prelude::function(lua, "call_node"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_function(MetaMethod::Eq, |_, (left, right): (Value, Value)| {
            let env = |value: &Value| value.as_userdata()?.borrow::<LuaEnv>().ok()?.env().ok();
            Ok(env(&left).is_some_and(|left| Some(left) == env(&right)))
        });
        methods.add_meta_method(MetaMethod::NewIndex, |lua, this, (key, _): (Value, Value)| -> mlua::Result<()> {
            let key = super::foreign::describe(lua, &key);
            usage(format!("{} is read-only: '{key}' cannot be set; use a local variable", this.label))
        });
    }
}

impl UserData for LuaBound {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "an action");
        fields.add_meta_field_with(MetaMethod::Call, |lua| prelude::function(lua, "call_bound"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
    }
}

impl UserData for LuaSkipped {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a skipped action");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, _, ()| Ok("skipped"));
        methods.add_meta_method(MetaMethod::Index, |_, _, _: Value| -> mlua::Result<Value> {
            usage("the operator skipped this action: it has no result to read")
        });
    }
}

/// `self[key]`: true and the value, or false when it has to be awaited.
pub(super) fn look_up(lua: &Lua, (this, key): (AnyUserData, Value)) -> mlua::Result<MultiValue> {
    let env = this.borrow::<LuaEnv>()?.env()?;
    let found = match &key {
        Value::String(name) => attribute(lua, &env, &text(&Value::String(name.clone()), "the name of an attribute")?)?,
        other => Some(cell(lua, &env, other)?),
    };
    Ok(match found {
        Some(value) => MultiValue::from_iter([Value::Boolean(true), value]),
        None => MultiValue::from_iter([Value::Boolean(false)]),
    })
}

/// `None`: has to be awaited.
fn attribute(lua: &Lua, env: &Env, name: &str) -> mlua::Result<Option<Value>> {
    match env.attribute(name).map_err(Raised::from)? {
        Some(Attribute::Value(value)) => to_lua(lua, value).map(Some),
        Some(Attribute::Child(child)) => {
            remember_line(lua)?;
            LuaEnv::new(lua, child)?.into_lua(lua).map(Some)
        }
        Some(Attribute::Action(bound)) => {
            remember_line(lua)?;
            LuaBound::new(lua, bound)?.into_lua(lua).map(Some)
        }
        Some(Attribute::Computed | Attribute::Required(_)) => Ok(None),
        None => built_in(lua, env, name),
    }
}

/// A tail call makes Lua forget its line; this is where it can still be known.
pub(super) fn remember_line(lua: &Lua) -> mlua::Result<()> {
    if let Some(position) = frames::here(lua) {
        Shared::of(lua)?.passed(lua, position);
    }
    Ok(())
}

/// What every node has beside its members; a single host comes as `host`.
pub(super) const BUILT_IN: [&str; 5] = ["hosts", "parent", "console", "cells", "initialize_node"];

fn built_in(lua: &Lua, env: &Env, name: &str) -> mlua::Result<Option<Value>> {
    match name {
        "hosts" => LuaHosts::Many(env.hosts().clone()).into_lua(lua).map(Some),
        "host" => match env.host() {
            Some(host) => LuaHosts::One(host).into_lua(lua).map(Some),
            None if env.node().forks() => Ok(None),
            None => Err(unknown(
                env,
                "no 'host': only a cell of a parallel node, or a JustOne node, has one host; \
                                      this node has 'hosts'",
            )),
        },
        "console" => LuaConsole::new(lua, env.clone())?.into_lua(lua).map(Some),
        "parent" => env.parent().map_or(Ok(Value::Nil), |env| LuaEnv::new(lua, env)?.into_lua(lua)).map(Some),
        "cells" | "initialize_node" => prelude::function(lua, name).map(|f| Some(Value::Function(f))),
        name => match env.isolate(&CellKey::Slug(name.to_string())) {
            Ok(cell) => LuaEnv::new(lua, cell)?.into_lua(lua).map(Some),
            Err(_) => {
                let members: Vec<String> = env.node().class().members().into_iter().map(|(name, _)| name).collect();
                let names = members.iter().map(String::as_str).chain(BUILT_IN);
                Err(unknown(env, &format!("no attribute '{name}'{}", suggest(name, names))))
            }
        },
    }
}

fn unknown(env: &Env, message: &str) -> mlua::Error {
    Raised::from(NodeError { path: env.node().to_string(), message: message.to_string() }).into()
}

fn cell(lua: &Lua, env: &Env, key: &Value) -> mlua::Result<Value> {
    let key = cell_key(key, 0)?;
    let cell = env.isolate(&key).map_err(Raised::from)?;
    LuaEnv::new(lua, cell)?.into_lua(lua)
}

/// Numbers count from 1 here, as everything in Lua.
pub(super) fn cell_key(key: &Value, depth: usize) -> mlua::Result<CellKey> {
    match key {
        Value::Integer(number) => match usize::try_from(*number) {
            Ok(number) if number >= 1 => Ok(CellKey::Index(number - 1)),
            _ => usage(format!("cells are counted from 1, got {number}")),
        },
        Value::String(_) => Ok(CellKey::Slug(text(key, "the slug of a cell")?)),
        Value::Table(keys) if depth == 0 => {
            let keys = keys.sequence_values::<Value>();
            Ok(CellKey::Tuple(keys.map(|key| cell_key(&key?, depth + 1)).collect::<mlua::Result<_>>()?))
        }
        Value::UserData(userdata) => {
            if let Ok(host) = userdata.borrow::<LuaHost>() {
                return Ok(CellKey::Host(host.0.clone()));
            }
            if let Ok(hosts) = userdata.borrow::<LuaHosts>()
                && let LuaHosts::One(host) = &*hosts
            {
                return Ok(CellKey::Host(host.definition().clone()));
            }
            usage(format!("a cell is found by number, slug or host, not by {}", type_name(key)))
        }
        other => usage(format!("a cell is found by number, slug or host, not by {}", type_name(other))),
    }
}

/// All cells, as a table.
pub(super) fn cell_list(lua: &Lua, this: Value) -> mlua::Result<Value> {
    let cells = env_of(&this, "cells")?.cells();
    let cells = cells.into_iter().map(|env| LuaEnv::new(lua, env)).collect::<mlua::Result<Vec<_>>>()?;
    lua.create_sequence_from(cells).map(Value::Table)
}

/// `self:initialize_node(Class)` (row E-06).
pub(super) fn initialize_node(lua: &Lua, (this, class): (Value, Value)) -> mlua::Result<LuaEnv> {
    let env = env_of(&this, "initialize_node")?;
    match class.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok()) {
        Some(class) => LuaEnv::new(lua, env.initialize_node(&class.class).map_err(Raised::from)?),
        None => usage(format!("initialize_node needs a node class, got {}", type_name(&class))),
    }
}

/// The Env behind a value.
pub(super) fn env_of(value: &Value, word: &str) -> mlua::Result<Env> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaEnv>().ok()) {
        Some(env) => env.env(),
        None => usage(format!("{word} needs a node in front, got {}", type_name(value))),
    }
}

/// What an asynchronous native is about to do; prepared while the caller's stack stands.
pub(super) type Prepared<T> = mlua::Result<(T, Vec<value::Value>)>;

/// The arguments of `self.action(...)` and `self:action(...)`.
pub(super) fn prepare_bound(lua: &Lua, mut args: MultiValue) -> Prepared<Arc<BoundAction>> {
    let this = args.pop_front().unwrap_or(Value::Nil);
    let Some(bound) = this.as_userdata().and_then(|userdata| userdata.borrow::<LuaBound>().ok()) else {
        return usage(format!("an action is called on a node, got {}", type_name(&this)));
    };
    let bound = bound.bound()?;
    let colon = args.front().and_then(Value::as_userdata).and_then(|first| first.borrow::<LuaEnv>().ok());
    if colon.is_some_and(|first| first.env().is_ok_and(|env| env == bound.env)) {
        args.pop_front();
    }
    Ok((bound, arguments(lua, &args)?))
}

/// The arguments of `Base.action(self, ...)` (row A-17).
pub(super) fn prepare_unbound(lua: &Lua, mut args: MultiValue) -> Prepared<(Env, String, crate::node::Action)> {
    let this = args.pop_front().unwrap_or(Value::Nil);
    let Some(unbound) = this.as_userdata().and_then(|userdata| userdata.borrow::<LuaUnbound>().ok()) else {
        return usage(format!("an action of a class was expected, got {}", type_name(&this)));
    };
    let first = args.pop_front().unwrap_or(Value::Nil);
    let Some(env) = first.as_userdata().and_then(|userdata| userdata.borrow::<LuaEnv>().ok()) else {
        let name = &unbound.name;
        let got = if first.as_userdata().is_some_and(|first| first.is::<LuaClass>()) {
            "a node class: actions run on nodes".to_string()
        } else {
            type_name(&first)
        };
        return usage(format!("{name} of a class needs a node first, as in `Base.{name}(self)`; got {got}"));
    };
    Ok(((env.env()?, unbound.name.clone(), unbound.action.clone()), arguments(lua, &args)?))
}

/// The arguments of `node(...)` (row A-23).
pub(super) fn prepare_node(lua: &Lua, mut args: MultiValue) -> Prepared<Env> {
    let this = args.pop_front().unwrap_or(Value::Nil);
    let env = env_of(&this, "a call")?;
    // `self:child(x)` passes the node that the child was read from.
    let first = args.front().and_then(|first| first.as_userdata()?.borrow::<LuaEnv>().ok()?.env().ok());
    let parent = env.node().parent();
    if first.zip(parent).is_some_and(|(first, parent)| parent.same_place(first.node())) {
        args.pop_front();
    }
    Ok((env, arguments(lua, &args)?))
}

pub(super) fn arguments(lua: &Lua, args: &MultiValue) -> mlua::Result<Vec<value::Value>> {
    args.iter().map(|arg| from_lua(lua, arg)).collect()
}

/// The outcome of an awaited call, for Lua.
pub(super) fn finished(lua: &Lua, result: Result<value::Value, crate::env::ActionError>) -> mlua::Result<MultiValue> {
    to_lua_multi(lua, result.map_err(Raised::from)?)
}
