//! From a file to the root of a tree.

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::{HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Value, VmState};

use super::chunks::Chunks;
use super::class::LuaClass;
use super::convert::type_name;
use super::error::{Raised, raised_from};
use super::shared::Shared;
use super::{Brought, LoadError, module, prelude};
use crate::env::Cause;
use crate::node::{Class, Member, Node, Position};
use crate::value::{self, Foreign};

/// Longest time that a file may take to load.
const LOAD_MAX: Duration = Duration::from_secs(5);

/// Most memory one state may use.
const MEMORY_MAX: usize = 256 * 1024 * 1024;

/// Instructions between two looks at the clock and the cancel flag: under a millisecond.
const HOOK_EVERY: u32 = 100_000;

/// Member of the root's class that keeps the state alive as long as the tree; no name of a script's looks like it.
const KEEPER: &str = "__script";

/// Loads a file into a state of its own.
pub(super) fn load(path: &Path, brought: &Brought) -> Result<Node, LoadError> {
    load_within(path, brought, LOAD_MAX)
}

/// The same with another limit.
pub(super) fn load_within(path: &Path, brought: &Brought, limit: Duration) -> Result<Node, LoadError> {
    let mut chunks = Chunks::new(path);
    let chunk = chunks.load(path).map_err(|why| missing(path, why))?;
    let failed = |error: mlua::Error| plain(error.to_string());
    let lua = state(chunks, brought).map_err(failed)?;
    let shared = Shared::of(&lua).map_err(failed)?;
    let results = shared.limited(limit, || {
        let main = lua.load(chunk.text).set_name(format!("@{}", chunk.name)).set_mode(ChunkMode::Text);
        prelude::function(&lua, "protect")?.call::<MultiValue>(main.into_function()?)
    });
    let raised = |value: Value| match raised_from(&lua, &value) {
        Ok(raised) => load_error(raised),
        Err(error) => plain(error.to_string()),
    };
    let mut results = results.map_err(|error| raised(Value::Error(Box::new(error))))?;
    let ok = results.pop_front();
    let value = results.pop_front().unwrap_or(Value::Nil);
    if ok != Some(Value::Boolean(true)) {
        return Err(raised(value));
    }
    let class = returned_class(&chunk.name, &value)?;
    drop(value);
    root(path, class, lua)
}

/// A state with the module and nothing that could block or end the process.
fn state(chunks: Chunks, brought: &Brought) -> mlua::Result<Lua> {
    let libraries = StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH | StdLib::OS | StdLib::COROUTINE;
    let lua = Lua::new_with(libraries, LuaOptions::default())?;
    lua.set_memory_limit(MEMORY_MAX)?;
    lua.set_app_data(Shared::new(chunks));
    let triggers = HookTriggers::new().every_nth_instruction(HOOK_EVERY);
    lua.set_global_hook(triggers, |lua, _| match Shared::of(lua)?.must_stop(lua) {
        Some(raised) => Err(raised.into()),
        // Other actions of this state get their turn; where a coroutine cannot yield this goes on.
        None => Ok(VmState::Yield),
    })?;
    let module = module::module(&lua, brought)?;
    prelude::install(&lua, &module)?;
    Ok(lua)
}

fn returned_class(file: &str, value: &Value) -> Result<Class, LoadError> {
    let class = value.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok());
    if let Some(class) = class.filter(|class| class.class.base().is_some()) {
        return Ok(class.class.clone());
    }
    let got = match value {
        Value::Nil => "nothing".to_string(),
        Value::UserData(userdata) if userdata.is::<LuaClass>() => "a base class without a table".to_string(),
        other => type_name(other),
    };
    Err(plain(format!(
        "{file} must return a node class, it returned {got}; the shortest file that works:\n  \
         local deployer = require \"deployer\"\n  \
         local Node, LocalHost = deployer.Node, deployer.LocalHost\n  \
         return Node {{ Hosts = {{ host = LocalHost }}, hello = function(self) return self.hosts:run(\"hostname\") end }}"
    )))
}

/// Keeps the state alive. A value of the class that the tree is made of, which the state itself never sees: what is
/// inside the state only refers to it weakly.
struct Keeper(#[expect(dead_code, reason = "owned, not used")] Lua);

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

impl Foreign for Keeper {
    fn describe(&self) -> String {
        "the deployment file".to_string()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn root(path: &Path, class: Class, lua: Lua) -> Result<Node, LoadError> {
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let name = if class.name().is_empty() { stem } else { class.name().to_string() };
    let position = class.position().cloned();
    let builder = class.extend(class.name()).position(position.clone()).member(
        KEEPER,
        Member::Value(value::Value::Foreign(Arc::new(Keeper(lua)))),
        None,
    );
    let class = builder.build().map_err(|error| load_error(Raised::from(error)))?;
    let root = Node::root_named(class, &name).map_err(|error| LoadError { position, message: error.to_string() })?;
    for finding in crate::check::unknown_roles(&root) {
        tracing::warn!(target: "deployment", "{finding}");
    }
    Ok(root)
}

fn missing(path: &Path, why: String) -> LoadError {
    let looked = match (path.is_absolute(), std::env::current_dir()) {
        (false, Ok(folder)) => format!(" (looked in {})", folder.display()),
        _ => String::new(),
    };
    plain(format!("{why}{looked}"))
}

fn plain(message: String) -> LoadError {
    LoadError { position: None, message }
}

/// The same error, its position once and in front.
fn load_error(raised: Raised) -> LoadError {
    let position: Option<Position> = raised.at.clone();
    let message = match &*raised.error.cause {
        Cause::Class(error) => error.message.clone(),
        _ => raised.error.to_string(),
    };
    let message = match &position {
        Some(position) => message.strip_prefix(&format!("{position}: ")).map_or(message.clone(), str::to_string),
        None => message,
    };
    LoadError { position, message }
}
