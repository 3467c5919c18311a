//! `console:select_node` and `console:select_node_isolation` (rows I-28, I-29).

use mlua::{IntoLua, Lua, Table, Value};

use super::console::{Asked, env_of_console, of_options, of_words};
use super::convert::text;
use super::env::{LuaEnv, env_of};
use super::error::{Raised, usage};
use super::filter::filter_of;
use super::run::{option_table, unknown_option};
use crate::env::Env;
use crate::inspect::Inspector;

/// Most nodes that are offered.
const NODES_MAX: usize = 2000;

/// Puts both among the methods of a console.
pub(super) fn install(lua: &Lua, methods: &Table) -> mlua::Result<()> {
    let node = lua.create_async_function(|lua, (this, root, prompt, options): (Value, Value, Value, Value)| {
        let prepared = select_node(&lua, &this, &root, prompt, options);
        async move {
            let (console, asked) = prepared?;
            let chosen = asked.answer(&lua).await?;
            let chosen = env_of(&chosen, "select_node")?;
            cell_of(&lua, console, chosen).await
        }
    })?;
    methods.raw_set("select_node", node)?;
    let cell = lua.create_async_function(|lua, (this, node): (Value, Value)| {
        let prepared = env_of_console(&this, "select_node_isolation")
            .and_then(|console| Ok((console, env_of(&node, "select_node_isolation")?)));
        async move {
            let (console, node) = prepared?;
            cell_of(&lua, console, node).await
        }
    })?;
    methods.raw_set("select_node_isolation", cell)
}

/// A node by its path from `root`, which Tab completes.
fn select_node(lua: &Lua, this: &Value, root: &Value, prompt: Value, options: Value) -> mlua::Result<(Env, Asked)> {
    let console = env_of_console(this, "select_node")?;
    let root = env_of(root, "select_node")?;
    let prompt = match prompt {
        Value::Nil => "Select a node".to_string(),
        prompt => text(&prompt, "the prompt of select_node")?,
    };
    let mut walk = Inspector::new(&root).walk();
    for (key, value) in option_table(options, "select_node")? {
        match key.as_str() {
            "filter" => walk = walk.filter(filter_of(&value)?),
            _ => return unknown_option("select_node", &key, &["filter"]),
        }
    }
    let above = root.node().path().len();
    let mut nodes = Vec::new();
    for env in walk.iter().take(NODES_MAX + 1) {
        let env = env.map_err(Raised::from)?;
        let path = env.node().path();
        let name = path.get(above..).unwrap_or_default().join(".");
        nodes.push((if name.is_empty() { ".".to_string() } else { name }, LuaEnv::new(lua, env)?.into_lua(lua)?));
    }
    if nodes.len() > NODES_MAX {
        return usage(format!(
            "there are more than {NODES_MAX} nodes to select from: begin further down, or give a filter"
        ));
    }
    Ok((console.clone(), of_words(console, prompt, nodes, None)?))
}

/// The cell of a node that is meant; without several of them nobody is asked.
async fn cell_of(lua: &Lua, console: Env, node: Env) -> mlua::Result<Value> {
    if !node.node().forks() {
        return LuaEnv::new(lua, node)?.into_lua(lua);
    }
    let cells = node.cells();
    if cells.is_empty() {
        return usage(format!("{} has no hosts: there is no cell to select", node.node()));
    }
    let mut options = Vec::new();
    for cell in cells {
        let address = cell.node().host().map(|host| host.address().to_string()).unwrap_or_default();
        let label = cell.node().cell_label();
        let name = if address.is_empty() || address == label { label } else { format!("{label}  {address}") };
        options.push((name, LuaEnv::new(lua, cell)?.into_lua(lua)?));
    }
    if let [(_, only)] = options.as_slice() {
        return Ok(only.clone());
    }
    of_options(console, format!("Which host of {}?", node.node()), options, None, true)?.answer(lua).await
}
