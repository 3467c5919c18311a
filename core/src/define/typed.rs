//! Reading attributes as Rust types.

use super::FromValue;
use crate::env::{ActionError, Env};

impl Env {
    /// Reads an attribute as this type: `let branch: String = env.read("branch").await?`.
    ///
    /// # Errors
    /// As [`Env::get`]; when the value is of another type.
    pub async fn read<T: FromValue>(&self, name: &str) -> Result<T, ActionError> {
        let value = self.get(name).await?;
        T::from_value(value).map_err(|why| ActionError::usage(format!("{}: '{name}' {why}", self.node())))
    }
}
