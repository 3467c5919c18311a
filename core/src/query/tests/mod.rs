//! Queries, shown by example.
#![allow(clippy::unwrap_used)]

mod evaluation;
mod forms;

use super::*;
use crate::env::tests::{Stage, action, property, whereami};
use crate::env::{ActionError, Cause, Env};
use crate::node::tests::{child, class, host, own, text};
use crate::node::{Class, Member, Roles};

type E = Expression;

fn q(path: &str) -> E {
    path.split('.').filter(|step| !step.is_empty()).fold(E::Start, |base, step| match step {
        "parent" => base.parent(None).unwrap(),
        step => base.attribute(step).unwrap(),
    })
}

fn lit(value: impl Into<Value>) -> E {
    E::literal(value.into()).unwrap()
}

fn binary(operator: Operator, left: E, right: E) -> E {
    left.binary(operator, right).unwrap()
}

fn query(expression: E) -> Member {
    Member::Query(Query { expression, position: Some(crate::node::Position::new("deploy.lua", 3)) })
}
