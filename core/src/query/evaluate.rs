//! Evaluation of a query on an Env.

use super::Query;
use crate::env::{ActionError, Env};
use crate::value::Value;

/// Evaluates a query; `env` is the Env it was read from.
///
/// # Errors
/// Whatever went wrong, as [`crate::env::Cause::Query`] with the expression and where it was written (row G-17).
pub async fn evaluate(_query: &Query, _env: &Env) -> Result<Value, ActionError> {
    todo!("model helper")
}
