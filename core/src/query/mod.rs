//! Query expressions: `Q.parent.branch` and friends (section G).
//!
//! `expression` builds them within bounds, `display` prints them as they were written, `evaluate` runs them on an Env,
//! `operators` and `interpolate` know what operators do with values.

mod display;
mod evaluate;
mod expression;
mod interpolate;
mod operators;
#[cfg(test)]
mod tests;

pub use evaluate::{Traced, evaluate, trace};
pub(crate) use evaluate::{cell_key, in_order, item_of_value, of_value};
pub use expression::{Expression, ExpressionError, Operator};
pub(crate) use interpolate::interpolate;
pub(crate) use operators::apply;

use crate::node::Position;
use crate::value::{Foreign, Value};

/// An expression over the tree, evaluated when it is read.
#[derive(Clone, Debug)]
pub struct Query {
    /// The expression.
    pub expression: Expression,
    /// Where it was written (row G-16).
    pub position: Option<Position>,
}

impl Query {
    /// A query that was not written in a file.
    pub fn new(expression: Expression) -> Query {
        Query { expression, position: None }
    }
}

/// As it was written (row G-14).
impl std::fmt::Display for Query {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.expression)
    }
}

/// A query inside a list or map of a front end; [`Expression::literal`] takes it out again (row G-12).
impl Foreign for Query {
    fn describe(&self) -> String {
        self.to_string()
    }

    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

impl From<Query> for Value {
    fn from(query: Query) -> Value {
        Value::Foreign(std::sync::Arc::new(query))
    }
}
