//! What can be asked of an error in Lua.

use std::os::unix::ffi::OsStrExt;

use mlua::{Lua, Value};

use super::{LuaError, Raised};
use crate::env::{ActionError, Cause, Outcome};
use crate::host::files::Problem;
use crate::host::{ExitStatus, HostError, HostOutcome, RunError};
use crate::script::convert::to_lua;

pub(super) fn text(lua: &Lua, text: impl AsRef<[u8]>) -> mlua::Result<Value> {
    lua.create_string(text).map(Value::String)
}

/// What can be asked of an error; whether it is there depends on its kind.
pub(in crate::script) const FIELDS: [&str; 22] = [
    "kind",
    "message",
    "position",
    "traceback",
    "value",
    "name",
    "node",
    "query",
    "inner",
    "question",
    "outcomes",
    "host",
    "command",
    "use_sudo",
    "output",
    "stdout",
    "stderr",
    "status",
    "signal",
    "address",
    "reason",
    "path",
];

pub(super) fn field(lua: &Lua, raised: &Raised, key: &str) -> mlua::Result<Value> {
    let cause = &*raised.error.cause;
    if !FIELDS.contains(&key) {
        return Ok(Value::Nil);
    }
    match (key, cause) {
        ("kind", _) => text(lua, kind(cause)),
        ("message", _) => text(lua, raised.to_string()),
        ("position", _) => match &raised.at {
            Some(at) => text(lua, at.to_string()),
            None => Ok(Value::Nil),
        },
        ("traceback", Cause::Script { traceback: Some(lines), .. }) => text(lua, lines),
        ("value", Cause::Script { value: Some(value), .. }) => to_lua(lua, value.clone()),
        ("name", Cause::Required { name, .. }) => text(lua, name),
        ("node", Cause::Required { node, .. }) => text(lua, node),
        ("node", Cause::Unknown(error)) => text(lua, &error.path),
        ("query", Cause::Query { query, .. }) => text(lua, query),
        ("inner", Cause::Query { inner, .. }) => {
            lua.create_userdata(LuaError::new(lua, (**inner).clone().into())?).map(Value::UserData)
        }
        ("question", Cause::NoInput { question, .. }) => text(lua, question),
        ("outcomes", Cause::Parallel(_)) => outcomes(lua, cause),
        ("outcomes", Cause::Run(RunError::Several(outcomes))) => host_outcomes(lua, outcomes),
        (key, Cause::Run(error)) => run_field(lua, error, key),
        (key, Cause::Query { inner, .. }) => field(lua, &Raised::from((**inner).clone()), key),
        _ => Ok(Value::Nil),
    }
}

fn kind(cause: &Cause) -> &'static str {
    match cause {
        Cause::Run(RunError::Failed(_)) => "run",
        Cause::Run(RunError::Host(HostError::Connect(_))) => "connect",
        Cause::Run(RunError::Host(HostError::Refused { .. } | HostError::NoFiles { .. })) => "host",
        Cause::Run(RunError::File(error)) if error.fault.problem == Problem::Interrupted => "interrupted",
        Cause::Run(RunError::File(_)) => "file",
        Cause::Run(RunError::Host(HostError::Interrupted { .. }) | RunError::Interrupted { .. }) => "interrupted",
        Cause::Run(RunError::Usage { .. }) | Cause::Usage(_) => "usage",
        Cause::Run(RunError::Several(_)) | Cause::Parallel(_) => "parallel",
        Cause::Required { .. } => "required",
        Cause::Unknown(_) => "unknown",
        Cause::Class(_) => "class",
        Cause::Query { .. } => "query",
        Cause::Script { .. } => "script",
        Cause::NoInput { .. } => "no_input",
        Cause::Forbidden(_) | Cause::Run(RunError::Host(HostError::Forbidden { .. })) => "forbidden",
        Cause::Interrupted => "interrupted",
    }
}

fn run_field(lua: &Lua, error: &RunError, key: &str) -> mlua::Result<Value> {
    match (key, error) {
        ("host", RunError::Failed(failure)) => text(lua, &failure.host),
        ("host", RunError::Interrupted { host, .. } | RunError::Usage { host, .. }) => text(lua, host),
        ("host", RunError::Host(HostError::Connect(error))) => text(lua, &error.host),
        (
            "host",
            RunError::Host(
                HostError::Refused { host, .. }
                | HostError::NoFiles { host, .. }
                | HostError::Forbidden { host, .. }
                | HostError::Interrupted { host },
            ),
        ) => text(lua, host),
        ("host", RunError::File(error)) => text(lua, &error.host),
        ("path", RunError::File(error)) => text(lua, error.path.as_os_str().as_bytes()),
        ("reason", RunError::File(error)) => text(lua, &error.fault.said),
        ("command", RunError::Failed(failure)) => text(lua, &failure.command),
        ("command", RunError::Interrupted { command, .. }) => text(lua, command),
        ("use_sudo", RunError::Failed(failure)) => Ok(Value::Boolean(failure.use_sudo)),
        ("output", RunError::Failed(failure)) => to_lua(lua, crate::Value::Output(failure.output.clone())),
        ("stdout", RunError::Failed(failure)) => text(lua, &failure.output.stdout),
        ("stderr", RunError::Failed(failure)) => text(lua, &failure.output.stderr),
        ("status", RunError::Failed(failure)) => Ok(status(&failure.status)),
        ("signal", RunError::Failed(failure)) => signal(lua, &failure.status),
        ("address", RunError::Host(HostError::Connect(error))) => text(lua, &error.address),
        ("reason", RunError::Host(HostError::Connect(error))) => text(lua, &error.reason),
        _ => Ok(Value::Nil),
    }
}

/// The number a script sees; nil when a signal ended the command or its end is not known.
pub(in crate::script) fn status(status: &ExitStatus) -> Value {
    match status {
        ExitStatus::Code(code) => Value::Integer(i64::from(*code)),
        ExitStatus::CutOff { ended, .. } => self::status(ended),
        ExitStatus::Signal(_) | ExitStatus::Unknown(_) => Value::Nil,
    }
}

/// The signal's name without SIG, as text.
pub(in crate::script) fn signal(lua: &Lua, status: &ExitStatus) -> mlua::Result<Value> {
    match status {
        ExitStatus::Signal(name) => text(lua, name),
        ExitStatus::CutOff { ended, .. } => signal(lua, ended),
        ExitStatus::Code(_) | ExitStatus::Unknown(_) => Ok(Value::Nil),
    }
}

/// A list in host order: `label`, `outcome` (a word), and `value` or `error`.
fn outcomes(lua: &Lua, cause: &Cause) -> mlua::Result<Value> {
    let list = lua.create_table()?;
    let Cause::Parallel(outcomes) = cause else { return Ok(Value::Nil) };
    for outcome in outcomes {
        let entry = lua.create_table()?;
        entry.raw_set("label", outcome.label.as_str())?;
        entry.raw_set("outcome", outcome.outcome.word())?;
        entry.raw_set("seconds", outcome.elapsed.as_secs_f64())?;
        match &outcome.outcome {
            Outcome::Ok(value) => entry.raw_set("value", to_lua(lua, value.clone())?)?,
            Outcome::Failed(error) | Outcome::Interrupted(error) => {
                entry.raw_set("error", LuaError::new(lua, error.clone().into())?)?;
            }
            Outcome::Skipped | Outcome::NotStarted => {}
        }
        list.raw_push(entry)?;
    }
    Ok(Value::Table(list))
}

/// The same for a command on several hosts.
fn host_outcomes(lua: &Lua, outcomes: &[HostOutcome]) -> mlua::Result<Value> {
    let list = lua.create_table()?;
    for outcome in outcomes {
        let entry = lua.create_table()?;
        entry.raw_set("label", outcome.host.as_str())?;
        match &outcome.result {
            Ok(output) => {
                entry.raw_set("outcome", "ok")?;
                entry.raw_set("value", to_lua(lua, crate::Value::Output(output.clone()))?)?;
            }
            Err(error) => {
                let error = ActionError::from(error.clone());
                entry.raw_set("outcome", if error.is_interrupted() { "interrupted" } else { "failed" })?;
                entry.raw_set("error", LuaError::new(lua, error.into())?)?;
            }
        }
        list.raw_push(entry)?;
    }
    Ok(Value::Table(list))
}
