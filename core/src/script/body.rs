//! Code of an action or property that is a Lua function.

use std::fmt;
use std::future::Future;

use futures_util::future::BoxFuture;
use mlua::{Function, IntoLua, Lua, MultiValue, RegistryKey, Value, WeakLua};

use super::convert::{from_lua_multi, to_lua};
use super::env::LuaEnv;
use super::error::{Raised, TOO_MUCH_MEMORY, raised_from};
use super::prelude;
use super::shared::Shared;
use crate::env::{ActionError, Cause, Env};
use crate::node::{Body, Position};
use crate::value;

/// A Lua function in a class. It does not keep the Lua state alive: the state holds the class.
pub(super) struct LuaBody {
    lua: WeakLua,
    function: RegistryKey,
    parameters: Option<Vec<String>>,
    position: Option<Position>,
}

impl LuaBody {
    pub(super) fn new(
        lua: &Lua,
        function: &Function,
        parameters: Option<Vec<String>>,
        position: Option<Position>,
    ) -> mlua::Result<LuaBody> {
        Ok(LuaBody { lua: lua.weak(), function: lua.create_registry_value(function)?, parameters, position })
    }

    /// A parameter that the file declares as needed (`---@param name`) must be given.
    fn check(&self, given: usize) -> Result<(), ActionError> {
        let parameters = self.parameters.as_deref().unwrap_or_default();
        let missing = parameters.iter().skip(given).find(|name| !name.starts_with(['[', '.']));
        match missing {
            Some(name) => {
                Err(ActionError::usage(format!("parameter '{name}' is missing (parameters: {})", parameters.join(" "))))
            }
            None => Ok(()),
        }
    }

    /// Prepares the call; what it gives runs it.
    fn start(
        &self,
        env: Env,
        args: Vec<value::Value>,
    ) -> Result<impl Future<Output = Result<value::Value, ActionError>> + Send + use<>, ActionError> {
        let Some(lua) = self.lua.try_upgrade() else {
            return Err(ActionError::usage("the deployment file of this action is no longer loaded"));
        };
        self.check(args.len())?;
        let shared = Shared::of(&lua).map_err(|error| into_action_error(&lua, error))?;
        let guard = shared.begin(env.clone());
        let name = format!("{}.{}", env.node(), env.running().unwrap_or("?"));
        let prepared = || -> mlua::Result<_> {
            let function: Function = lua.registry_value(&self.function)?;
            let mut values = MultiValue::from_iter([
                Value::Integer(i64::try_from(guard.number).unwrap_or(i64::MAX)),
                Value::Function(function),
                LuaEnv::new(&lua, env)?.into_lua(&lua)?,
            ]);
            for arg in args {
                values.push_back(to_lua(&lua, arg)?);
            }
            Ok((prelude::function(&lua, "invoke")?, values))
        };
        let (invoke, values) = prepared().map_err(|error| into_action_error(&lua, error))?;
        Ok(async move {
            // Dropped in reverse order: the coroutine first, with its blocks undone, then the call, then the state.
            let lua = lua;
            let guard = guard;
            let results = invoke.call_async::<MultiValue>(values).await;
            let result = results.and_then(|results| returned(&lua, results));
            let result = result.unwrap_or_else(|error| Err(into_action_error(&lua, error)));
            drop(guard);
            result.map_err(|error| explained(error, &name))
        })
    }
}

/// Who runs out of memory is not told by Lua: the stack is gone by then.
fn explained(error: ActionError, action: &str) -> ActionError {
    match &*error.cause {
        Cause::Script { message, traceback, .. } if message.ends_with(TOO_MUCH_MEMORY) => {
            let message = format!(
                "{message}, while {action} ran; keep less at a time: let commands print less, or write to files"
            );
            let cause = Cause::Script { message, traceback: traceback.clone(), value: None };
            ActionError { cause: cause.into(), ..error }
        }
        _ => error,
    }
}

/// What a protected call gave: true and values, or false and an error.
pub(super) fn returned(lua: &Lua, mut results: MultiValue) -> mlua::Result<Result<value::Value, ActionError>> {
    match results.pop_front() {
        Some(Value::Boolean(true)) => from_lua_multi(lua, results).map(Ok),
        _ => {
            let error = results.pop_front().unwrap_or(Value::Nil);
            Ok(Err(action_error(raised_from(lua, &error)?)))
        }
    }
}

/// The error with its position on board, for the frame of the action that it leaves.
fn action_error(raised: Raised) -> ActionError {
    raised.error.raised_at(raised.at)
}

fn into_action_error(lua: &Lua, error: mlua::Error) -> ActionError {
    match raised_from(lua, &Value::Error(Box::new(error))) {
        Ok(raised) => action_error(raised),
        Err(error) => ActionError::usage(error.to_string()),
    }
}

impl Body for LuaBody {
    fn call(&self, env: Env, args: Vec<value::Value>) -> BoxFuture<'static, Result<value::Value, ActionError>> {
        match self.start(env, args) {
            Ok(call) => Box::pin(call),
            Err(error) => Box::pin(std::future::ready(Err(error))),
        }
    }

    fn parameters(&self) -> Option<Vec<String>> {
        self.parameters.clone()
    }

    /// A Lua state is one piece of memory: who runs in it keeps all others out.
    fn by_turns(&self) -> bool {
        true
    }
}

impl fmt::Debug for LuaBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.position {
            Some(position) => write!(f, "Lua function at {position}"),
            None => f.write_str("Lua function"),
        }
    }
}
