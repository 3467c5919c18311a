//! What actions take and give: a small set of values that every front end (Lua, Rust, the shell) understands.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bstr::{BString, ByteSlice};

use crate::env::{Env, ParallelResult, Skipped};
use crate::host::RunOutput;
use crate::node::{Class, HostDef};

/// A value that crosses between a front end and the framework.
#[derive(Clone)]
pub enum Value {
    /// No value; the shell prints nothing for it (row N-19).
    Nil,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Text. Bytes, because hosts and Lua strings are bytes; nearly always UTF-8.
    Text(BString),
    /// Values in order.
    List(Vec<Value>),
    /// Key and value pairs in the order in which they were written.
    Map(Vec<(Value, Value)>),
    /// What a command printed; behaves as its stdout wherever text is wanted.
    Output(Arc<RunOutput>),
    /// The outcome of an action on every cell of a parallel node (rows C-05, C-07).
    Parallel(Arc<ParallelResult>),
    /// A node, ready to act; the shell opens a subshell on it (row N-24).
    Node(Env),
    /// A node class that is not placed in a tree.
    Class(Class),
    /// A host definition.
    Host(HostDef),
    /// A value only its own front end understands (a Lua function, a Lua table with a metatable).
    Foreign(Arc<dyn Foreign>),
}

/// A value that passes through the framework untouched and comes back as the same object (row A-39).
pub trait Foreign: Any + Send + Sync + fmt::Debug {
    /// How the value prints in the shell.
    fn describe(&self) -> String;
    /// For the owning front end, to find its own type again.
    fn as_any(&self) -> &dyn Any;
    /// The value as plain lists, maps, text and numbers, where it has such a form: what queries look into.
    fn plain(&self) -> Option<Value> {
        None
    }
}

impl Value {
    /// Text from anything that is text in Rust.
    pub fn text(text: impl Into<BString>) -> Value {
        Value::Text(text.into())
    }

    /// The bytes of the value where text is wanted: text itself, or the stdout of a command.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Text(text) => Some(text.as_bytes()),
            Value::Output(output) => Some(&output.stdout),
            _ => None,
        }
    }

    /// Whether the value counts as true; only nil and false do not, as in Lua.
    pub fn is_truthy(&self) -> bool {
        !matches!(self, Value::Nil | Value::Bool(false))
    }

    /// Whether this stands for the result of an action that the operator skipped (row E-15).
    pub fn is_skipped(&self) -> bool {
        matches!(self, Value::Foreign(value) if value.as_any().is::<Skipped>())
    }

    /// The name of the type, for messages: "expected text, got a number".
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Nil => "nil",
            Value::Bool(_) => "a boolean",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Output(_) => "the output of a command",
            Value::Parallel(_) => "a parallel result",
            Value::Node(_) => "a node",
            Value::Class(_) => "a node class",
            Value::Host(_) => "a host",
            Value::Foreign(_) => "a value of the script",
        }
    }
}

/// Text equals text, also when one of them is the output of a command; numbers equal numbers; nodes, classes, hosts and
/// values of a front end equal themselves.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Nil, Value::Nil) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Int(a), Value::Float(b)) | (Value::Float(b), Value::Int(a)) => *a as f64 == *b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            (Value::Parallel(a), Value::Parallel(b)) => Arc::ptr_eq(a, b) || a.entries == b.entries,
            (Value::Node(a), Value::Node(b)) => a == b,
            (Value::Class(a), Value::Class(b)) => a == b,
            (Value::Host(a), Value::Host(b)) => a == b,
            (Value::Foreign(a), Value::Foreign(b)) => Arc::ptr_eq(a, b),
            (a, b) => a.as_bytes().is_some_and(|a| Some(a) == b.as_bytes()),
        }
    }
}

/// The form the shell prints (row N-19).
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Nil => f.write_str("nil"),
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => write!(f, "{value:?}"),
            Value::Text(text) => write!(f, "{text}"),
            Value::List(values) => {
                f.write_str("[")?;
                for (i, value) in values.iter().enumerate() {
                    write!(f, "{}{value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Value::Map(pairs) => {
                f.write_str("{")?;
                for (i, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if i == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Value::Output(output) => write!(f, "{}", output.stdout.as_bstr()),
            Value::Parallel(result) => write!(f, "{result}"),
            Value::Node(env) => write!(f, "{env}"),
            Value::Class(class) => write!(f, "{class}"),
            Value::Host(host) => write!(f, "{host}"),
            Value::Foreign(value) => f.write_str(&value.describe()),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => write!(f, "{text:?}"),
            other => write!(f, "{other}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::text(text)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}
