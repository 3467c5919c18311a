//! The values of all cells of a parallel call, in host order (rows C-05, C-07).

use std::sync::Arc;

use mlua::{AnyUserData, IntoLua, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::{text, to_lua, type_name};
use super::env::LuaEnv;
use super::error::usage;
use super::host::LuaHost;
use super::prelude;
use super::run::LuaHosts;
use super::shared::{Held, Shared};
use crate::env::ParallelResult;

/// A parallel result as a Lua value.
pub(super) struct LuaParallel {
    result: Held<ParallelResult>,
    label: String,
    count: usize,
}

impl LuaParallel {
    pub(super) fn new(lua: &Lua, result: Arc<ParallelResult>) -> mlua::Result<LuaParallel> {
        let (label, count) = (result.to_string(), result.len());
        let result = Arc::unwrap_or_clone(result);
        Ok(LuaParallel { result: Shared::of(lua)?.hold(result), label, count })
    }

    pub(super) fn get(&self) -> mlua::Result<Arc<ParallelResult>> {
        match self.result.get() {
            Some(result) => Ok(result),
            None => usage("this parallel result belongs to a run that has ended"),
        }
    }
}

impl UserData for LuaParallel {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a parallel result");
        fields.add_meta_field_with(MetaMethod::Index, |lua| prelude::function(lua, "parallel_index"));
        fields.add_meta_field_with(MetaMethod::Pairs, |lua| prelude::function(lua, "parallel_items"));
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.label.clone()));
        methods.add_meta_method(MetaMethod::Len, |_, this, ()| Ok(this.count));
    }
}

/// The cell and the value with this number, from 1; nothing past the end.
pub(super) fn entry(lua: &Lua, (this, number): (AnyUserData, usize)) -> mlua::Result<(Value, Value)> {
    let result = this.borrow::<LuaParallel>()?.get()?;
    match number.checked_sub(1).and_then(|index| result.entries.get(index)) {
        Some((env, value)) => Ok((LuaEnv::new(lua, env.clone())?.into_lua(lua)?, to_lua(lua, value.clone())?)),
        None => Ok((Value::Nil, Value::Nil)),
    }
}

/// The value of a cell, found by number, Env, host or slug.
pub(super) fn value_of(lua: &Lua, (this, key): (AnyUserData, Value)) -> mlua::Result<Value> {
    let result = this.borrow::<LuaParallel>()?.get()?;
    let by_host = |wanted: &crate::node::HostDef| {
        result.entries.iter().find(|(env, _)| env.node().host() == Some(wanted)).map(|(_, value)| value)
    };
    let found = match &key {
        Value::Integer(number) => {
            let index = usize::try_from(*number).ok().and_then(|number| number.checked_sub(1));
            return index
                .and_then(|index| result.entries.get(index))
                .map_or(Ok(Value::Nil), |(_, value)| to_lua(lua, value.clone()));
        }
        Value::String(_) => result.by_label(&text(&key, "the slug of a cell")?),
        Value::UserData(userdata) => {
            if let Ok(env) = userdata.borrow::<LuaEnv>() {
                result.of(&env.env()?)
            } else if let Ok(host) = userdata.borrow::<LuaHost>() {
                by_host(&host.0)
            } else if let Ok(hosts) = userdata.borrow::<LuaHosts>()
                && let LuaHosts::One(host) = &*hosts
            {
                by_host(host.definition())
            } else {
                None
            }
        }
        other => return usage(format!("a result is found by number, slug, host or cell, not by {}", type_name(other))),
    };
    match found {
        Some(value) => to_lua(lua, value.clone()),
        None => {
            let labels: Vec<String> = result.cells().map(|cell| cell.node().cell_label()).collect();
            usage(format!("no result of '{}' (there are: {})", super::foreign::describe(lua, &key), labels.join(", ")))
        }
    }
}
