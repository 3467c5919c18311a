//! A walk through a tree as a Lua value (section H).

use std::sync::{Mutex, PoisonError};

use mlua::{IntoLua, Lua, MetaMethod, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::type_name;
use super::env::{LuaEnv, cell_key, env_of};
use super::error::{Raised, usage};
use super::filter::filter_of;
use super::methods;
use super::shared::{Held, Shared};
use crate::env::Env;
use crate::inspect::Walk;

/// A walk as a Lua value: `for node in walk do`, `#walk`, `walk[1]`. Can be used any number of times (row H-19).
pub(super) struct LuaWalk {
    walk: Held<Walk<Env>>,
    /// The nodes, once somebody has asked for one.
    nodes: Mutex<Option<Held<Vec<Env>>>>,
}

impl LuaWalk {
    pub(super) fn new(lua: &Lua, walk: Walk<Env>) -> mlua::Result<LuaWalk> {
        Ok(LuaWalk { walk: Shared::of(lua)?.hold(walk), nodes: Mutex::default() })
    }

    fn walk(&self) -> mlua::Result<Walk<Env>> {
        match self.walk.get() {
            Some(walk) => Ok(Walk::clone(&walk)),
            None => usage("this walk belongs to a run that has ended"),
        }
    }

    fn nodes(&self, lua: &Lua) -> mlua::Result<std::sync::Arc<Vec<Env>>> {
        let mut known = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(nodes) = known.as_ref().and_then(Held::get) {
            return Ok(nodes);
        }
        let nodes = self.walk()?.iter().collect::<Result<Vec<Env>, _>>().map_err(Raised::from)?;
        let held = Shared::of(lua)?.hold(nodes);
        let nodes = held.get().unwrap_or_default();
        *known = Some(held);
        Ok(nodes)
    }
}

impl UserData for LuaWalk {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a walk");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::Len, |lua, this, ()| Ok(this.nodes(lua)?.len()));
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| match key {
            Value::Integer(number) => {
                let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
                let env = index.and_then(|index| this.nodes(lua).map(|nodes| nodes.get(index).cloned()).transpose());
                env.transpose()?.map(|env| LuaEnv::new(lua, env)).transpose()?.into_lua(lua)
            }
            key => methods::find(lua, "walk", "a walk", &[], &key),
        });
        // The generic `for`: called with the node that it gave last, first with nothing.
        methods.add_meta_method(MetaMethod::Call, |lua, this, (_, last): (Value, Value)| {
            let nodes = this.nodes(lua)?;
            let next = match last {
                Value::Nil => 0,
                last => {
                    let last = env_of(&last, "a walk")?;
                    nodes.iter().position(|env| *env == last).map_or(nodes.len(), |index| index + 1)
                }
            };
            nodes.get(next).map(|env| LuaEnv::new(lua, env.clone())).transpose()
        });
    }
}

fn walk_of(value: &Value, word: &str) -> mlua::Result<Walk<Env>> {
    match value.as_userdata().and_then(|userdata| userdata.borrow::<LuaWalk>().ok()) {
        Some(walk) => walk.walk(),
        None => usage(format!("{word} needs a walk in front, got {}", type_name(value))),
    }
}

/// What can be done with a walk, by name; `call_action` is in the prelude.
pub(super) fn walk_methods(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set(
        "filter",
        lua.create_function(|lua, (this, filter): (Value, Value)| {
            LuaWalk::new(lua, walk_of(&this, "filter")?.filter(filter_of(&filter)?))
        })?,
    )?;
    table.raw_set(
        "prefer_isolation",
        lua.create_function(|lua, (this, key): (Value, Value)| {
            LuaWalk::new(lua, walk_of(&this, "prefer_isolation")?.prefer_isolation(cell_key(&key, 0)?))
        })?,
    )?;
    Ok(table)
}

/// The cells of all nodes of a walk (row H-21).
pub(super) fn walk_cells(lua: &Lua, walk: Value) -> mlua::Result<Vec<LuaEnv>> {
    let mut cells = Vec::new();
    for env in &walk_of(&walk, "call_action")? {
        let env = env.map_err(Raised::from)?;
        for cell in env.cells() {
            cells.push(LuaEnv::new(lua, cell)?);
        }
    }
    Ok(cells)
}
