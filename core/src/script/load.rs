//! From a file to the root of a tree.

use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlua::chunk::ChunkMode;
use mlua::debug::DebugEvent;
use mlua::{HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Value, VmState};

use super::chunks::{Chunk, Chunks, NoText};
use super::class::LuaClass;
use super::convert::type_name;
use super::error::{Raised, TOO_DEEP, TOO_MUCH_MEMORY, raised_from};
use super::frames;
use super::shared::Shared;
use super::source::deepest_line;
use super::{Brought, LoadError, module, prelude};
use crate::env::Cause;
use crate::node::{Class, Member, Node, Position};
use crate::options::Settings;
use crate::value::{self, Foreign};

/// Longest time that a file may take to load.
const LOAD_MAX: Duration = Duration::from_secs(5);

/// Longest time for finding out where a file ran out of memory.
const SECOND_LOOK_MAX: Duration = Duration::from_secs(1);

/// Most memory one state may use; with the rest of the process that is less than 256 MB.
pub(super) const MEMORY_MAX: usize = 160 * 1024 * 1024;

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
    let started = Instant::now();
    let first = Loading::begin(path, brought)?;
    let shared = Shared::of(&first.lua).map_err(|error| plain(error.to_string()))?;
    match first.finish(path, limit) {
        // Lua does not tell where it ran out of memory: the stack is gone by then. A second look shows the line, or at
        // least the one that ran when the clock was looked at last.
        Err(error) if error.position.is_none() && error.message == TOO_MUCH_MEMORY => {
            let left = limit.saturating_sub(started.elapsed()).min(SECOND_LOOK_MAX);
            let again = Loading::begin(path, brought).ok().and_then(|again| again.last_line(left));
            Err(LoadError { position: again.or(shared.last_loaded()), ..error })
        }
        result => result,
    }
}

/// A file and a fresh state for it.
struct Loading {
    chunk: Chunk,
    lua: Lua,
}

impl Loading {
    fn begin(path: &Path, brought: &Brought) -> Result<Loading, LoadError> {
        let mut chunks = Chunks::new(path);
        let chunk = chunks.load(path).map_err(missing)?;
        let lua = state(chunks, brought).map_err(|error| plain(error.to_string()))?;
        Ok(Loading { chunk, lua })
    }

    /// Runs the file.
    fn run(&self, limit: Duration) -> mlua::Result<MultiValue> {
        Shared::of(&self.lua)?.limited(limit, || {
            let main = self.lua.load(self.chunk.text.as_str()).set_name(format!("@{}", self.chunk.name));
            let main = main.set_mode(ChunkMode::Text).into_function()?;
            prelude::function(&self.lua, "protect")?.call::<MultiValue>(main)
        })
    }

    fn finish(self, path: &Path, limit: Duration) -> Result<Node, LoadError> {
        let raised = |value: Value| match raised_from(&self.lua, &value) {
            Ok(raised) => load_error(raised, &self.chunk),
            Err(error) => plain(error.to_string()),
        };
        let mut results = self.run(limit).map_err(|error| raised(Value::Error(Box::new(error))))?;
        let ok = results.pop_front();
        let value = results.pop_front().unwrap_or(Value::Nil);
        if ok != Some(Value::Boolean(true)) {
            return Err(raised(value));
        }
        let class = returned_class(&self.chunk, &value)?;
        drop(value);
        // Whoever opened the session may stay at its prompt for days: what was only needed to load, up to a third of the
        // state, is given back. The second time for what the first one finalized.
        for _ in 0..2 {
            self.lua.gc_collect().map_err(|error| plain(error.to_string()))?;
        }
        root(path, class, self.lua)
    }

    /// Runs the file once more, with an eye on every line; the last one when it fails.
    fn last_line(self, limit: Duration) -> Option<Position> {
        let seen: Arc<Mutex<Option<Position>>> = Arc::default();
        let last = Arc::clone(&seen);
        let triggers = HookTriggers::new().every_line().every_nth_instruction(HOOK_EVERY);
        let watched = self.lua.set_global_hook(triggers, move |lua, debug| {
            if debug.event() == DebugEvent::Line {
                *last.lock().unwrap_or_else(PoisonError::into_inner) = frames::here(lua);
            }
            Shared::of(lua)?.must_stop(lua).map_or(Ok(VmState::Continue), |raised| Err(raised.into()))
        });
        watched.ok()?;
        let out_of_memory = self.run(limit).is_ok_and(|mut results| {
            let failed = results.pop_front() != Some(Value::Boolean(true));
            let error = results.pop_front().and_then(|error| raised_from(&self.lua, &error).ok());
            failed && error.is_some_and(|raised| raised.at.is_none())
        });
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
        seen.filter(|_| out_of_memory)
    }
}

/// A state with the module and nothing that could block or end the process.
pub(super) fn state(chunks: Chunks, brought: &Brought) -> mlua::Result<Lua> {
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

fn returned_class(file: &Chunk, value: &Value) -> Result<Class, LoadError> {
    let class = value.as_userdata().and_then(|userdata| userdata.borrow::<LuaClass>().ok());
    if let Some(class) = class.filter(|class| class.class.base().is_some()) {
        return Ok(class.class.clone());
    }
    let got = match value {
        Value::Nil => "nothing".to_string(),
        Value::UserData(userdata) if userdata.is::<LuaClass>() => "a base class without a table".to_string(),
        other => type_name(other),
    };
    // What is returned is written at the end.
    let line = file.text.trim_end().lines().count().max(1);
    let position = Some(Position::new(file.name.as_str(), u32::try_from(line).unwrap_or(u32::MAX)));
    let message = format!(
        "the file must return a node class, it returned {got}; the shortest file that works:\n  \
         local deployer = require \"deployer\"\n  \
         local Node, LocalHost = deployer.Node, deployer.LocalHost\n  \
         return Node {{ Hosts = {{ host = LocalHost }}, hello = function(self) return self.hosts:run(\"hostname\") end }}"
    );
    Err(LoadError { position, message })
}

/// Keeps the state alive. A value of the class that the tree is made of, which the state itself never sees: what is
/// inside the state only refers to it weakly.
struct Keeper(Lua);

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
    let class =
        builder.build().map_err(|error| LoadError { position: error.position.clone(), message: error.message })?;
    let root = Node::root_named(class, &name).map_err(|error| LoadError { position, message: error.to_string() })?;
    for finding in crate::check::unknown_roles(&root) {
        tracing::warn!(target: "deployment", "{finding}");
    }
    Ok(root)
}

/// What the file of this tree says about options; nothing where the tree came from no file.
pub(super) fn settings(root: &Node) -> Settings {
    let Some(Member::Value(value::Value::Foreign(keeper))) = root.class().member(KEEPER) else {
        return Settings::default();
    };
    let shared = keeper.as_any().downcast_ref::<Keeper>().and_then(|Keeper(lua)| Shared::of(lua).ok());
    shared.map(|shared| shared.settings().clone()).unwrap_or_default()
}

fn missing(why: NoText) -> LoadError {
    LoadError { position: why.position, message: why.message }
}

fn plain(message: String) -> LoadError {
    LoadError { position: None, message }
}

/// The same error, its position once and in front.
fn load_error(raised: Raised, file: &Chunk) -> LoadError {
    let position: Option<Position> = raised.at.clone();
    let message = match &*raised.error.cause {
        Cause::Class(error) => error.message.clone(),
        _ => raised.error.to_string(),
    };
    let message = match &position {
        Some(position) => message.strip_prefix(&format!("{position}: ")).map_or(message.clone(), str::to_string),
        None => message,
    };
    if position.is_none() && message == TOO_DEEP {
        let position = Some(Position::new(file.name.as_str(), deepest_line(&file.text)));
        return LoadError { position, message };
    }
    LoadError { position, message }
}
