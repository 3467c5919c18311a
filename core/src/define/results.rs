//! What Rust code gives back, as a value.

use std::path::PathBuf;
use std::sync::Arc;

use crate::env::{ActionError, Env, ParallelResult};
use crate::host::RunOutput;
use crate::node::{Class, HostDef};
use crate::value::Value;

/// A type that an action can end with: whatever becomes a [`Value`], or a `Result` of such with [`ActionError`].
///
/// One type of error, so that `Ok(())` at the end of an action needs no annotation; `?` turns what fails on the way into
/// it.
pub trait IntoValue {
    /// The value, or why there is none.
    ///
    /// # Errors
    /// The error it already was.
    fn into_value(self) -> Result<Value, ActionError>;
}

impl<T: Into<Value>> IntoValue for T {
    fn into_value(self) -> Result<Value, ActionError> {
        Ok(self.into())
    }
}

impl<T: Into<Value>> IntoValue for Result<T, ActionError> {
    fn into_value(self) -> Result<Value, ActionError> {
        self.map(Into::into)
    }
}

macro_rules! into_value {
    ($($from:ty, $value:ident => $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Value {
                $into
            }
        }
    )*};
}

into_value! {
    (), nothing => { let () = nothing; Value::Nil };
    f64, number => Value::Float(number);
    u8, number => Value::Int(number.into());
    u16, number => Value::Int(number.into());
    u32, number => Value::Int(number.into());
    i32, number => Value::Int(number.into());
    // No collection has more items than fit.
    usize, number => Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
    &String, text => Value::text(text.as_str());
    PathBuf, path => Value::text(path.into_os_string().into_encoded_bytes());
    RunOutput, output => Value::Output(Arc::new(output));
    Arc<RunOutput>, output => Value::Output(output);
    Arc<ParallelResult>, result => Value::Parallel(result);
    Env, env => Value::Node(env);
    Class, class => Value::Class(class);
    &Class, class => Value::Class(class.clone());
    HostDef, host => Value::Host(host);
    &HostDef, host => Value::Host(host.clone());
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Value {
        value.map_or(Value::Nil, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Value {
        Value::List(items.into_iter().map(Into::into).collect())
    }
}
