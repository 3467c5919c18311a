//! The natives that the prelude builds on, and the functions it gives back.

use std::collections::HashMap;
use std::pin::Pin;

use mlua::chunk::ChunkMode;
use mlua::{AppDataRef, Function, Lua, MultiValue, Table, Value};

use super::chunks::Chunk;
use super::convert::to_lua;
use super::env::{cell_list, env_of, finished, initialize_node, look_up, prepare_bound, prepare_node, prepare_unbound};
use super::error::{Raised, note, on_error, raised_from, usage};
use super::foreign::text_of;
use super::frames::PRELUDE;
use super::shared::Shared;
use super::suggest::nearest;
use super::{convert, files, inspect, listing, methods, output, parallel, query, questions, run, walk};

const TEXT: &str = include_str!("prelude.lua");

/// A future whose memory is given back when it has ended. What Lua awaits is garbage of Lua afterwards, whose collector
/// knows nothing of its size: a loop of commands would keep kilobytes of each until the next collection.
fn released<F: Future>(work: F) -> Pin<Box<F>> {
    Box::pin(work)
}

/// What the prelude gives back. Kept on this side: the way through Lua's registry makes strings each time, and every
/// command looks for a few of these.
struct Exports {
    functions: HashMap<String, Function>,
    methods: HashMap<String, Table>,
}

fn exports(lua: &Lua) -> mlua::Result<AppDataRef<'_, Exports>> {
    lua.app_data_ref().ok_or_else(|| Raised::usage("this Lua state has no prelude").into())
}

/// A function of the prelude.
pub(super) fn function(lua: &Lua, name: &str) -> mlua::Result<Function> {
    let function = exports(lua)?.functions.get(name).cloned();
    function.ok_or_else(|| Raised::usage(format!("the prelude has no function '{name}'")).into())
}

/// The methods of a kind of object.
pub(super) fn methods(lua: &Lua, kind: &str) -> mlua::Result<Table> {
    let methods = exports(lua)?.methods.get(kind).cloned();
    methods.ok_or_else(|| Raised::usage(format!("the prelude has no methods of '{kind}'")).into())
}

/// Runs the prelude: from here on the state is what scripts see.
pub(super) fn install(lua: &Lua, module: &Table) -> mlua::Result<()> {
    let native = lua.create_table()?;
    calls(lua, &native)?;
    hosts(lua, &native)?;
    results(lua, &native)?;
    looking(lua, &native)?;
    questions::install(lua, &native)?;
    files::install(lua, &native)?;
    language(lua, &native, module)?;
    let exports: Table = lua.load(TEXT).set_name(PRELUDE).call(native)?;
    let methods = exports.raw_get::<Table>("methods")?.pairs().collect::<mlua::Result<_>>()?;
    let functions = exports.pairs::<String, Value>().filter_map(|pair| match pair {
        Ok((name, Value::Function(function))) => Some(Ok((name, function))),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    lua.set_app_data(Exports { functions: functions.collect::<mlua::Result<_>>()?, methods });
    Ok(())
}

fn calls(lua: &Lua, native: &Table) -> mlua::Result<()> {
    native.raw_set(
        "enter",
        lua.create_function(|lua, number: u64| {
            Shared::of(lua)?.enter(lua, number);
            Ok(())
        })?,
    )?;
    native.raw_set("on_error", lua.create_function(on_error)?)?;
    native.raw_set("note", lua.create_function(note)?)?;
    native.raw_set("look_up", lua.create_function(look_up)?)?;
    native.raw_set("cell_list", lua.create_function(cell_list)?)?;
    native.raw_set("initialize_node", lua.create_function(initialize_node)?)?;
    native.raw_set(
        "get",
        lua.create_async_function(|lua, (this, name): (Value, Value)| {
            let prepared = env_of(&this, "an attribute").and_then(|env| Ok((env, convert::text(&name, "a name")?)));
            async move {
                let (env, name) = prepared?;
                to_lua(&lua, released(env.get(&name)).await.map_err(Raised::from)?)
            }
        })?,
    )?;
    native.raw_set(
        "call_bound",
        lua.create_async_function(|lua, args: MultiValue| {
            let prepared = prepare_bound(&lua, args);
            async move {
                let (bound, args) = prepared?;
                finished(&lua, released(bound.call(args)).await)
            }
        })?,
    )?;
    native.raw_set(
        "call_unbound",
        lua.create_async_function(|lua, args: MultiValue| {
            let prepared = prepare_unbound(&lua, args);
            async move {
                let ((env, name, action), args) = prepared?;
                finished(&lua, released(env.call_action(&name, &action, args)).await)
            }
        })?,
    )?;
    native.raw_set(
        "call_node",
        lua.create_async_function(|lua, args: MultiValue| {
            let prepared = prepare_node(&lua, args);
            async move {
                let (env, args) = prepared?;
                finished(&lua, released(env.invoke(args)).await)
            }
        })?,
    )
}

fn hosts(lua: &Lua, native: &Table) -> mlua::Result<()> {
    for (name, use_sudo) in [("run", false), ("sudo", true)] {
        native.raw_set(
            name,
            lua.create_async_function(move |lua, args: (Value, Value, Value)| {
                let prepared = run::prepare_run(args, use_sudo);
                async move { released(prepared?.finish(&lua)).await }
            })?,
        )?;
    }
    native.raw_set("filter", lua.create_function(run::filter)?)?;
    native.raw_set("get_hosts", lua.create_function(run::get_hosts)?)?;
    native.raw_set("open_cd", lua.create_function(run::open_cd)?)?;
    native.raw_set("open_env", lua.create_function(run::open_env)?)?;
    native.raw_set("open_prefix", lua.create_function(run::open_prefix)?)?;
    native.raw_set("check_block", lua.create_function(run::check_block)?)
}

fn results(lua: &Lua, native: &Table) -> mlua::Result<()> {
    native.raw_set("output_field", lua.create_function(output::field)?)?;
    native.raw_set("parallel_entry", lua.create_function(parallel::entry)?)?;
    native.raw_set("parallel_value", lua.create_function(parallel::value_of)?)?;
    native.raw_set("is_query", lua.create_function(query::is_query)?)?;
    native.raw_set("query", lua.create_function(query::literal)?)
}

fn looking(lua: &Lua, native: &Table) -> mlua::Result<()> {
    native.raw_set("methods", methods::natives(lua)?)?;
    listing::natives(lua, native)?;
    native.raw_set("walk_cells", lua.create_function(walk::walk_cells)?)?;
    native.raw_set(
        "call_entry",
        lua.create_async_function(|lua, args: MultiValue| {
            let prepared = inspect::prepare_entry(&lua, args);
            async move {
                let (entry, args) = prepared?;
                finished(&lua, released(entry.call(args)).await)
            }
        })?,
    )
}

fn language(lua: &Lua, native: &Table, module: &Table) -> mlua::Result<()> {
    native.raw_set(
        "check_running",
        lua.create_function(|lua, ()| match Shared::of(lua)?.must_stop(lua) {
            Some(raised) => Err(raised.into()),
            None => Ok(()),
        })?,
    )?;
    native.raw_set("is_stopping", lua.create_function(|lua, ()| Ok(Shared::of(lua)?.must_stop(lua).is_some()))?)?;
    native.raw_set("fail", lua.create_function(|_, message: String| usage::<()>(message))?)?;
    native.raw_set("text", lua.create_function(|lua, value: Value| lua.create_string(text_of(lua, &value)?))?)?;
    native.raw_set("print", lua.create_async_function(print)?)?;
    let loaded = lua.create_table()?;
    loaded.raw_set("deployer", module)?;
    native.raw_set("require", lua.create_function(move |lua, name: Value| require(lua, &loaded, &name))?)?;
    let module = module.clone();
    native.raw_set("unknown_name", lua.create_function(move |lua, name: Value| unknown_name(lua, &module, &name))?)
}

/// In an action: on its terminal, that of the cell in a cell. While the file is loaded: into the log.
fn print(lua: Lua, text: mlua::LuaString) -> impl Future<Output = mlua::Result<()>> + Send {
    let text = text.to_string_lossy();
    let env = Shared::of(&lua).map(|shared| shared.env(&lua));
    async move {
        match env? {
            Some(env) => match env.context().terminal.print(&text).await {
                Ok(()) => Ok(()),
                Err(error) => usage(format!("cannot print: {error}")),
            },
            None => {
                tracing::info!(target: "deployment", "{}", text.trim_end());
                Ok(())
            }
        }
    }
}

/// `require "name"`: the module, or a neighbour of the deployment file, run once.
fn require(lua: &Lua, loaded: &Table, name: &Value) -> mlua::Result<Value> {
    let name = convert::text(name, "the name of a module")?;
    match loaded.raw_get(name.as_str())? {
        Value::Nil => {}
        // Marked while it is being loaded.
        Value::LightUserData(_) => return usage(format!("'{name}' requires itself, directly or by way of others")),
        module => return Ok(module),
    }
    let chunk = Shared::of(lua)?.chunks().load_module(&name);
    let chunk = chunk.map_err(Raised::from)?;
    loaded.raw_set(name.as_str(), Value::NULL)?;
    let module = run_module(lua, chunk);
    let kept = match &module {
        Ok(Value::Nil) => Value::Boolean(true),
        Ok(module) => module.clone(),
        Err(_) => Value::Nil,
    };
    loaded.raw_set(name.as_str(), kept)?;
    module
}

fn run_module(lua: &Lua, chunk: Chunk) -> mlua::Result<Value> {
    let main = lua.load(chunk.text).set_name(format!("@{}", chunk.name)).set_mode(ChunkMode::Text).into_function()?;
    let (ok, value): (bool, Value) = function(lua, "protect")?.call(main)?;
    if ok { Ok(value) } else { Err(raised_from(lua, &value)?.into()) }
}

/// A global that does not exist is a mistake, not nil.
fn unknown_name(lua: &Lua, module: &Table, name: &Value) -> mlua::Result<Value> {
    let name = convert::text(name, "a global name")?;
    match name.as_str() {
        "deployer" => {
            return usage("unknown name 'deployer': begin the file with `local deployer = require \"deployer\"`");
        }
        "io" | "dofile" | "loadfile" => {
            return usage(format!(
                "unknown name '{name}': a deployment file reads its neighbours with require and deployer.read_file, \
                 everything else is done by commands on hosts"
            ));
        }
        _ => {}
    }
    if module.raw_get::<Value>(name.as_str())? != Value::Nil {
        return usage(format!("unknown name '{name}': write `local {name} = deployer.{name}` first"));
    }
    let key = |pair: mlua::Result<(String, Value)>| pair.ok().map(|(key, _)| key);
    let globals: Vec<String> = lua.globals().pairs::<String, Value>().filter_map(key).collect();
    let exported: Vec<String> = module.pairs::<String, Value>().filter_map(key).collect();
    let names = globals.iter().chain(&exported).map(String::as_str);
    match nearest(&name, names) {
        Some(near) => usage(format!("unknown name '{name}'; did you mean '{near}'?")),
        None => usage(format!("unknown name '{name}'")),
    }
}
