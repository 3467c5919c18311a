//! Evaluation of a query on an Env.

use crate::env::{ActionError, BoundAction, Cause, Env};
use crate::host::{ExitStatus, RunOutput};
use crate::node::{CellKey, HostDef};
use crate::value::Value;

use super::interpolate::interpolate;
use super::operators::{apply, find};
use super::{Expression, Query};

/// A part of a query and what it gave (row G-19).
#[derive(Clone, Debug)]
pub struct Traced {
    /// The part, as it was written.
    pub expression: String,
    /// Its value.
    pub value: Value,
}

/// Evaluates a query; `env` is the Env it was read from. All operands are evaluated, also those that cannot change the
/// result any more (row G-11).
///
/// # Errors
/// Whatever went wrong, as [`Cause::Query`] with the expression and where it was written (row G-17).
pub async fn evaluate(query: &Query, env: &Env) -> Result<Value, ActionError> {
    run(query, env, |_, _| ()).await
}

/// Evaluates a query and tells the value of every part: depth first, left to right, the whole query last (row G-19).
///
/// # Errors
/// As [`evaluate`].
pub async fn trace(query: &Query, env: &Env) -> Result<Vec<Traced>, ActionError> {
    let mut parts = Vec::new();
    let tell = |part: &Expression, value: &Value| {
        parts.push(Traced { expression: part.to_string(), value: value.clone() });
    };
    run(query, env, tell).await?;
    Ok(parts)
}

async fn run(query: &Query, env: &Env, tell: impl FnMut(&Expression, &Value) + Send) -> Result<Value, ActionError> {
    let failed = |inner| {
        let (query, position) = (query.to_string(), query.position.clone());
        ActionError::new(Cause::Query { query, position, inner: Box::new(inner) })
    };
    steps(&query.expression, env, tell).await.map_err(failed)
}

/// A stack machine: expressions may nest deeply, the stack of the thread must not.
async fn steps(
    expression: &Expression,
    env: &Env,
    mut tell: impl FnMut(&Expression, &Value) + Send,
) -> Result<Value, ActionError> {
    let mut values: Vec<Value> = Vec::new();
    for part in in_order(expression) {
        if env.context().cancel.is_cancelled() {
            return Err(ActionError::new(Cause::Interrupted));
        }
        // Queries that read each other can take for ever without ever waiting for anything: let others run.
        tokio::task::consume_budget().await;
        let operands = values.split_off(values.len().saturating_sub(part.parts().len()));
        let value = step(part, operands, env).await?;
        tell(part, &value);
        values.push(value);
    }
    Ok(values.pop().unwrap_or(Value::Nil))
}

/// Every part after the parts it is made of.
pub(crate) fn in_order(expression: &Expression) -> Vec<&Expression> {
    let mut pending = vec![expression];
    let mut order = Vec::new();
    while let Some(part) = pending.pop() {
        order.push(part);
        pending.extend(part.parts());
    }
    order.reverse();
    order
}

/// One part, from the values of the parts it is made of.
async fn step(part: &Expression, operands: Vec<Value>, env: &Env) -> Result<Value, ActionError> {
    let mut operands = operands.into_iter();
    let mut next = || operands.next().unwrap_or(Value::Nil);
    match part {
        Expression::Start => Ok(Value::Node(env.clone())),
        Expression::Literal(value) => Ok(value.clone()),
        Expression::Attribute(_, name) => attribute(next(), name).await,
        Expression::Parent(_, None) => match next() {
            Value::Node(env) => Ok(env.parent().map_or(Value::Nil, Value::Node)),
            other => attribute(other, "parent").await,
        },
        Expression::Parent(_, Some(name)) => parent_named(next(), name),
        Expression::Call(..) => call(next(), operands.collect()).await,
        Expression::Item(..) => item(next(), next(), 0),
        Expression::ItemFromOne(..) => item(next(), next(), 1),
        Expression::Binary(operator, ..) => apply(*operator, next(), next()),
        Expression::Not(_) => Ok(Value::Bool(!next().is_truthy())),
        Expression::Interpolate(..) => interpolate(&next(), operands.collect()),
        Expression::List(_) => Ok(Value::List(operands.collect())),
        Expression::Map(pairs) => Ok(Value::Map(pairs.iter().map(|_| (next(), next())).collect())),
    }
}

/// A value of a front end as plain data, where it is such.
pub(super) fn unfolded(value: Value) -> Value {
    match &value {
        Value::Foreign(foreign) => foreign.plain().unwrap_or(value),
        _ => value,
    }
}

/// `value.name` (row G-02).
async fn attribute(value: Value, name: &str) -> Result<Value, ActionError> {
    match value {
        Value::Node(env) => match cell_named(&env, name) {
            Some(cell) => Ok(Value::Node(cell)),
            None => env.get(name).await,
        },
        value => of_value(value, name),
    }
}

/// `node.slug` is the cell of this host when the node has nothing else of this name: in Lua `Q.web["web1"]` is the same
/// as `Q.web.web1` (rows C-15, G-07).
fn cell_named(env: &Env, name: &str) -> Option<Env> {
    let taken = env.node().class().member(name).is_some() || matches!(name, "parent" | "hosts" | "host");
    if taken { None } else { env.isolate(&CellKey::Slug(name.to_string())).ok() }
}

/// The same of anything but a node.
pub(crate) fn of_value(value: Value, name: &str) -> Result<Value, ActionError> {
    let value = unfolded(value);
    let found = match &value {
        Value::Map(pairs) => find(pairs, &Value::from(name)),
        Value::Output(output) => of_output(output, name),
        Value::Host(host) => of_host(host, name),
        _ => None,
    };
    found.ok_or_else(|| ActionError::usage(format!("{} has no attribute '{name}'", value.type_name())))
}

fn of_output(output: &RunOutput, name: &str) -> Option<Value> {
    Some(match (name, &output.status) {
        ("stdout", _) => Value::text(&output.stdout[..]),
        ("stderr", _) => Value::text(&output.stderr[..]),
        ("status", ExitStatus::Code(code)) => Value::Int((*code).into()),
        ("status", status) => Value::from(status.to_string()),
        _ => return None,
    })
}

/// What a host says about itself; never its secrets.
fn of_host(host: &HostDef, name: &str) -> Option<Value> {
    let settings = host.settings();
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Nil, Value::from);
    Some(match name {
        "slug" => Value::from(host.slug()),
        "address" => Value::from(host.address()),
        "port" => settings.port.map_or(Value::Nil, |port| Value::Int(port.into())),
        "username" => text(&settings.username),
        name => settings.extra.iter().find(|(known, _)| known == name)?.1.clone(),
    })
}

/// The nearest node from here upwards, itself included, whose class, base class or own name is this (row G-04).
fn parent_named(value: Value, name: &str) -> Result<Value, ActionError> {
    let Value::Node(start) = value else {
        return Err(ActionError::usage(format!("{} has no parents", value.type_name())));
    };
    let mut env = start.clone();
    loop {
        let node = env.node();
        if node.name() == name || node.class().lineage().any(|class| class.name() == name) {
            return Ok(Value::Node(env));
        }
        match env.parent() {
            Some(parent) => env = parent,
            None => return Err(ActionError::usage(format!("{}: no '{name}' from here upwards", start.node()))),
        }
    }
}

/// `value(arguments)` (row G-05).
async fn call(value: Value, arguments: Vec<Value>) -> Result<Value, ActionError> {
    match &value {
        Value::Node(env) => env.invoke(arguments).await,
        Value::Foreign(foreign) => match foreign.as_any().downcast_ref::<BoundAction>() {
            Some(action) => action.call(arguments).await,
            None => Err(ActionError::usage(format!("{} cannot be called", foreign.describe()))),
        },
        other => Err(ActionError::usage(format!("{} cannot be called", other.type_name()))),
    }
}

/// `value[key]` (row G-07): an item of a list or map, a cell of a node, the value of a cell. `first` is the number of
/// the first item.
fn item(value: Value, key: Value, first: i64) -> Result<Value, ActionError> {
    match value {
        Value::Node(env) => Ok(Value::Node(env.isolate(&cell_key(&key, first)?)?)),
        value => item_of_value(value, key, first),
    }
}

/// The same of anything but a node.
pub(crate) fn item_of_value(value: Value, key: Value, first: i64) -> Result<Value, ActionError> {
    let value = unfolded(value);
    let at = |number: &i64| number_from(*number, first);
    let found = match (&value, &key) {
        (Value::Map(pairs), key) => find(pairs, key),
        (Value::List(items), Value::Int(number)) => at(number).and_then(|index| items.get(index)).cloned(),
        (Value::Parallel(result), Value::Int(number)) => {
            at(number).and_then(|index| result.entries.get(index)).map(|(_, value)| value.clone())
        }
        (Value::Parallel(result), Value::Host(host)) => result.by_label(host.slug()).cloned(),
        (Value::Parallel(result), Value::Text(label)) => result.by_label(&label.to_string()).cloned(),
        _ => None,
    };
    found.ok_or_else(|| ActionError::usage(format!("{} has no item {key:?}", value.type_name())))
}

/// One key, or a list with one key per dimension.
pub(crate) fn cell_key(key: &Value, first: i64) -> Result<CellKey, ActionError> {
    match unfolded(key.clone()) {
        Value::List(keys) => Ok(CellKey::Tuple(keys.iter().map(|key| one_key(key, first)).collect::<Result<_, _>>()?)),
        key => one_key(&key, first),
    }
}

/// An index from a number that counts from `first`.
fn number_from(number: i64, first: i64) -> Option<usize> {
    usize::try_from(number.checked_sub(first)?).ok()
}

fn one_key(key: &Value, first: i64) -> Result<CellKey, ActionError> {
    match key {
        Value::Int(number) => number_from(*number, first)
            .map(CellKey::Index)
            .ok_or_else(|| ActionError::usage(format!("there is no cell number {number}"))),
        Value::Text(slug) => Ok(CellKey::Slug(slug.to_string())),
        Value::Host(host) => Ok(CellKey::Host(host.clone())),
        other => {
            Err(ActionError::usage(format!("a cell is chosen by number, host or slug, not {}", other.type_name())))
        }
    }
}
