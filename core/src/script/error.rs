//! Errors on their way through Lua: raised by natives, caught by `pcall`, leaving an action with their cause intact.

use std::fmt;
use std::os::unix::ffi::OsStrExt;

use mlua::{AnyUserData, Error, Lua, MetaMethod, UserData, UserDataFields, UserDataMethods, Value};

use super::chunks::NoText;
use super::convert::{foreign, to_lua};
use super::frames;
use super::shared::{Held, Shared};
use crate::env::{ActionError, Cause, Outcome};
use crate::host::files::Problem;
use crate::host::{ExitStatus, HostError, HostOutcome, RunError};
use crate::node::{ClassError, NodeError, Position};

/// The limit is `load::MEMORY_MAX`.
pub(super) const TOO_MUCH_MEMORY: &str = "the script uses too much memory: more than 160 MB";

/// Lua's own words are "C stack overflow", and it does not say where.
pub(super) const TOO_DEEP: &str = "brackets or blocks nest too deep here: Lua reads 200 levels";

/// An error inside Lua, and where it was raised.
#[derive(Clone, Debug)]
pub(super) struct Raised {
    pub(super) error: ActionError,
    pub(super) at: Option<Position>,
}

impl Raised {
    pub(super) fn usage(message: impl Into<String>) -> Raised {
        ActionError::usage(message).into()
    }

    pub(super) fn interrupted() -> Raised {
        ActionError::new(Cause::Interrupted).into()
    }
}

impl From<ActionError> for Raised {
    fn from(error: ActionError) -> Raised {
        Raised { error, at: None }
    }
}

impl From<ClassError> for Raised {
    fn from(error: ClassError) -> Raised {
        Raised { at: error.position.clone(), error: ActionError::new(Cause::Class(error)) }
    }
}

impl From<RunError> for Raised {
    fn from(error: RunError) -> Raised {
        ActionError::from(error).into()
    }
}

impl From<NodeError> for Raised {
    fn from(error: NodeError) -> Raised {
        ActionError::from(error).into()
    }
}

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}

impl std::error::Error for Raised {}

impl From<Raised> for Error {
    fn from(raised: Raised) -> Error {
        Error::external(raised)
    }
}

impl From<NoText> for Raised {
    fn from(why: NoText) -> Raised {
        Raised { at: why.position, ..Raised::usage(why.message) }
    }
}

/// Wrong use of something, raised as a Lua error.
pub(super) fn usage<T>(message: impl Into<String>) -> mlua::Result<T> {
    Err(Raised::usage(message).into())
}

/// What a script sees of an error: `kind`, `message`, `host`, `command`, `status`, `outcomes`; text in text uses.
pub(super) struct LuaError {
    raised: Held<Raised>,
    text: String,
}

impl LuaError {
    fn new(lua: &Lua, raised: Raised) -> mlua::Result<LuaError> {
        let text = raised.to_string();
        Ok(LuaError { raised: Shared::of(lua)?.hold(raised), text })
    }
}

/// The message handler of every protected call: gives an error its position while the stack still stands.
///
/// Text and tables that a script raised stay what they are, Rust errors become [`LuaError`] objects.
pub(super) fn note(lua: &Lua, value: Value) -> mlua::Result<Value> {
    let Value::Error(error) = value else { return Ok(value) };
    let raised = from_lua_error(lua, &error);
    lua.create_userdata(LuaError::new(lua, raised)?).map(Value::UserData)
}

/// The message handler of an action: any error value becomes an error with its cause and position.
pub(super) fn on_error(lua: &Lua, value: Value) -> mlua::Result<AnyUserData> {
    let raised = raised_from(lua, &value)?;
    lua.create_userdata(LuaError::new(lua, raised)?)
}

/// The error behind any value that was raised.
pub(super) fn raised_from(lua: &Lua, value: &Value) -> mlua::Result<Raised> {
    if let Value::Error(error) = value {
        return Ok(from_lua_error(lua, error));
    }
    if let Value::UserData(userdata) = value
        && let Ok(error) = userdata.borrow::<LuaError>()
    {
        return Ok(match error.raised.get() {
            Some(raised) => Raised::clone(&raised),
            None => script_error(lua, &error.text, None),
        });
    }
    if let Value::String(text) = value {
        return Ok(script_error(lua, &text.to_string_lossy(), None));
    }
    let message = table_message(value).unwrap_or_else(|| foreign::describe(lua, value));
    Ok(script_error(lua, &message, Some(foreign::value(lua, value)?)))
}

fn table_message(value: &Value) -> Option<String> {
    let message: mlua::LuaString = value.as_table()?.raw_get("message").ok()?;
    Some(message.to_string_lossy())
}

fn script_error(lua: &Lua, message: &str, value: Option<crate::Value>) -> Raised {
    // What Lua itself says when the limit of the state is reached.
    let message = match message {
        "not enough memory" => TOO_MUCH_MEMORY,
        deep if deep.starts_with("C stack overflow\nstack traceback:") => TOO_DEEP,
        other => other,
    };
    let (at, mut message) = frames::split_position(lua, message);
    if message == "stack overflow" {
        message.push_str(": does a function call itself without end?");
    }
    let at = at.or_else(|| frames::here(lua));
    let message = at.as_ref().map(|at| format!("{at}: {message}")).unwrap_or(message);
    let traceback = lua.traceback(None, 1).ok().map(|text| frames::of_scripts(&text.to_string_lossy()));
    Raised { error: ActionError::new(Cause::Script { message, traceback, value }), at }
}

/// What a native, or mlua itself, raised.
fn from_lua_error(lua: &Lua, error: &Error) -> Raised {
    if let Some(raised) = error.downcast_ref::<Raised>() {
        let at = raised.at.clone().or_else(|| frames::here(lua));
        return Raised { error: raised.error.clone(), at };
    }
    let mut innermost = error;
    while let Error::CallbackError { cause, .. } | Error::WithContext { cause, .. } = innermost {
        innermost = cause;
    }
    match innermost {
        Error::RuntimeError(message) => script_error(lua, message, None),
        Error::SyntaxError { message, .. } => script_error(lua, message, None),
        Error::MemoryError(_) => script_error(lua, TOO_MUCH_MEMORY, None),
        other => Raised { error: ActionError::usage(other.to_string()), at: frames::here(lua) },
    }
}

impl UserData for LuaError {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "error");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.text.clone()));
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            let mut text = foreign::text_of(lua, &left)?;
            text.extend_from_slice(&foreign::text_of(lua, &right)?);
            lua.create_string(text)
        });
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| {
            let Some(key) = key.as_string().map(|key| key.to_string_lossy()) else { return Ok(Value::Nil) };
            match this.raised.get() {
                Some(raised) => field(lua, &raised, &key),
                None if key == "message" => text(lua, &this.text),
                None => Ok(Value::Nil),
            }
        });
    }
}

fn text(lua: &Lua, text: impl AsRef<[u8]>) -> mlua::Result<Value> {
    lua.create_string(text).map(Value::String)
}

/// What can be asked of an error; whether it is there depends on its kind.
pub(super) const FIELDS: [&str; 22] = [
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

fn field(lua: &Lua, raised: &Raised, key: &str) -> mlua::Result<Value> {
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
pub(super) fn status(status: &ExitStatus) -> Value {
    match status {
        ExitStatus::Code(code) => Value::Integer(i64::from(*code)),
        ExitStatus::CutOff { ended, .. } => self::status(ended),
        ExitStatus::Signal(_) | ExitStatus::Unknown(_) => Value::Nil,
    }
}

/// The signal's name without SIG, as text.
pub(super) fn signal(lua: &Lua, status: &ExitStatus) -> mlua::Result<Value> {
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
