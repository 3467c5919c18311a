//! Queries, as far as they can be followed without running code: plain values, children, parents, cells, other queries.
//!
//! What an action or property gives is unknown, and so is everything that is made of it.

use std::collections::HashMap;

use super::findings::{Findings, path};
use super::{Finding, Severity, place_of};
use crate::node::{CellKey, DEFAULT_ACTION, Kind, Member, Node};
use crate::query::{self, Expression, Query};
use crate::script::suggest::suggest;
use crate::value::Value;

/// Deepest chain of queries that read each other; as deep as they may be when they run.
const DEPTH_MAX: usize = 100;

/// Parts of queries that are looked at in one check.
const PARTS_MAX: usize = 1_000_000;

/// Values longer than this are not followed further.
const LENGTH_MAX: usize = 64 * 1024;

/// What is known of a part of a query.
#[derive(Clone)]
enum Known {
    Node(Node),
    Value(Value),
    /// An action: it can be called, and what it gives is unknown.
    Action,
    Unknown,
}

/// Queries that were looked at.
#[derive(Default)]
pub(super) struct Queries {
    known: HashMap<Reading, Known>,
    /// Queries that read each other right now, the outermost first.
    under_way: Vec<Reading>,
    parts: usize,
}

/// A query on a node: the path with its cells, and the name.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Reading {
    node: String,
    name: String,
}

impl Queries {
    /// All queries of a node.
    pub(super) fn look(&mut self, node: &Node, findings: &mut Findings) {
        for (name, member) in node.class().members() {
            if let Member::Query(query) = member {
                self.read(node, &name, &query, findings);
            }
        }
    }

    /// A query read from a node; outside cells every cell evaluates it, and one of them shows what there is to see.
    fn read(&mut self, node: &Node, name: &str, query: &Query, findings: &mut Findings) -> Known {
        let place = one_cell(node).unwrap_or_else(|| node.clone());
        let known = self.evaluate(&place, name, query, findings);
        if node.forks() { Known::Unknown } else { known }
    }

    /// Whether there was more to look at than fits into one check.
    pub(super) fn gave_up(&self) -> bool {
        self.parts > PARTS_MAX
    }

    fn evaluate(&mut self, node: &Node, name: &str, query: &Query, findings: &mut Findings) -> Known {
        let reading = Reading { node: node.to_string(), name: name.to_string() };
        if let Some(known) = self.known.get(&reading) {
            return known.clone();
        }
        if let Some(start) = self.under_way.iter().position(|other| *other == reading) {
            self.circle(start, node, query, findings);
            return Known::Unknown;
        }
        if self.under_way.len() >= DEPTH_MAX {
            return Known::Unknown;
        }
        self.under_way.push(reading.clone());
        let result = self.steps(node, &query.expression, findings);
        self.under_way.pop();
        let known = result.unwrap_or_else(|why| {
            let thing = format!("the query {name} = {query}");
            broken(thing.clone(), node, query, format!("{thing} cannot work: {why}"), findings);
            Known::Unknown
        });
        self.known.insert(reading, known.clone().short());
        known
    }

    fn circle(&self, start: usize, node: &Node, query: &Query, findings: &mut Findings) {
        let names = self.under_way[start..].iter().chain(self.under_way.get(start));
        let way: Vec<String> = names.map(|reading| format!("{}.{}", reading.node, reading.name)).collect();
        let thing = format!("the query {query} depends on itself");
        let message = format!("{thing}: {}; give one of them a value of its own", way.join(" -> "));
        broken(thing, node, query, message, findings);
    }

    /// A stack machine like that of the evaluation.
    fn steps(&mut self, node: &Node, expression: &Expression, findings: &mut Findings) -> Result<Known, String> {
        let mut values: Vec<Known> = Vec::new();
        for part in query::in_order(expression) {
            self.parts += 1;
            if self.parts > PARTS_MAX {
                return Ok(Known::Unknown);
            }
            let operands = values.split_off(values.len().saturating_sub(part.parts().len()));
            values.push(self.step(node, part, operands, findings)?.short());
        }
        Ok(values.pop().unwrap_or(Known::Unknown))
    }

    fn step(
        &mut self,
        node: &Node,
        part: &Expression,
        operands: Vec<Known>,
        findings: &mut Findings,
    ) -> Result<Known, String> {
        match (part, operands.as_slice()) {
            (Expression::Start, _) => Ok(Known::Node(node.clone())),
            (Expression::Literal(value), _) => Ok(Known::Value(value.clone())),
            (Expression::Attribute(base, name), [of]) => self.attribute(base, of, name, findings),
            (Expression::Parent(base, None), [of]) => match of {
                Known::Node(node) => Ok(node.parent().map_or(Known::Value(Value::Nil), Known::Node)),
                other => self.attribute(base, other, "parent", findings),
            },
            (Expression::Parent(_, Some(name)), [of]) => parent_named(of, name),
            (Expression::Call(base, _), [called, ..]) => call(base, called),
            (Expression::Item(..), [of, key]) => item(of, key, 0),
            (Expression::ItemFromOne(..), [of, key]) => item(of, key, 1),
            _ => combined(part, operands),
        }
    }

    fn attribute(
        &mut self,
        base: &Expression,
        of: &Known,
        name: &str,
        findings: &mut Findings,
    ) -> Result<Known, String> {
        match of {
            Known::Unknown => Ok(Known::Unknown),
            Known::Action => Err(format!("{base} is an action: call it, as in {base}()")),
            Known::Value(Value::Nil) if matches!(base, Expression::Parent(..)) => {
                Err(format!("{base} is nil, there is no node above the root"))
            }
            Known::Value(value) => {
                let found = query::of_value(value.clone(), name);
                found.map(Known::Value).map_err(|error| format!("{base}: {error}"))
            }
            Known::Node(node) => match node.class().member(name) {
                Some(Member::Value(value)) => Ok(Known::Value(value)),
                Some(Member::Query(query)) => Ok(self.read(node, name, &query, findings)),
                // One that cannot be placed is reported where it is.
                Some(Member::Child(_)) => Ok(node.child(name).map_or(Known::Unknown, Known::Node)),
                Some(Member::Action(_)) => Ok(Known::Action),
                // Required values that are not set are reported where they are.
                Some(Member::Property(_) | Member::Required(_)) => Ok(Known::Unknown),
                None => built_in(node, name),
            },
        }
    }
}

fn broken(thing: String, node: &Node, query: &Query, message: String, findings: &mut Findings) {
    let position = query.position.clone().or_else(|| place_of(node));
    findings.add_thing(thing, Finding { severity: Severity::Error, node: Some(path(node)), position, message });
}

impl Known {
    /// The same, unless it is so long that following it would cost too much.
    fn short(self) -> Known {
        let long = match &self {
            Known::Value(Value::List(items)) => items.len() > LENGTH_MAX,
            Known::Value(value) => value.as_bytes().is_some_and(|bytes| bytes.len() > LENGTH_MAX),
            _ => false,
        };
        if long { Known::Unknown } else { self }
    }

    fn value(self) -> Option<Value> {
        match self {
            Known::Value(value) => Some(value),
            _ => None,
        }
    }
}

/// The first cell of a node, its own and that of every array above it; `None` where there are no hosts.
fn one_cell(node: &Node) -> Option<Node> {
    if node.is_isolated() {
        return Some(node.clone());
    }
    let placed = match node.parent() {
        Some(parent) => one_cell(&parent)?.child(node.name()).ok()?,
        None => node.clone(),
    };
    if placed.is_isolated() { Some(placed) } else { placed.isolate(&CellKey::Index(0)).ok() }
}

/// What every node has without defining it.
fn built_in(node: &Node, name: &str) -> Result<Known, String> {
    match name {
        "parent" => Ok(node.parent().map_or(Known::Value(Value::Nil), Known::Node)),
        "hosts" => Ok(Known::Value(Value::List(node.roles().all().into_iter().map(Value::Host).collect()))),
        "host" => match node.host() {
            Some(host) => Ok(Known::Value(Value::Host(host.clone()))),
            None if node.class().kind() == Kind::Normal => {
                Err(format!("{node} has no 'host': only cells of parallel nodes and just-one nodes do"))
            }
            None => Ok(Known::Unknown),
        },
        _ => match node.isolate(&CellKey::Slug(name.to_string())) {
            Ok(cell) => Ok(Known::Node(cell)),
            Err(_) => {
                let members: Vec<String> = node.class().members().into_iter().map(|(name, _)| name).collect();
                Err(format!("{node} has no attribute '{name}'{}", suggest(name, members.iter().map(String::as_str))))
            }
        },
    }
}

fn parent_named(of: &Known, name: &str) -> Result<Known, String> {
    match of {
        Known::Node(start) => {
            let named = |node: &&Node| node.name() == name || node.class().lineage().any(|class| class.name() == name);
            let found = start.ancestry().find(named);
            found.cloned().map(Known::Node).ok_or_else(|| format!("there is no '{name}' from {start} upwards"))
        }
        Known::Value(value) => Err(format!("{} has no parents", value.type_name())),
        Known::Action => Err("an action has no parents".to_string()),
        Known::Unknown => Ok(Known::Unknown),
    }
}

fn call(base: &Expression, called: &Known) -> Result<Known, String> {
    match called {
        Known::Node(node) if !matches!(node.class().member(DEFAULT_ACTION), Some(Member::Action(_))) => {
            Err(format!("{node} cannot be called: it has no default action"))
        }
        // A function of a script that is kept in a table may well be called.
        Known::Value(value) if !matches!(value, Value::Foreign(_)) => {
            Err(format!("{base} is {}, which cannot be called", value.type_name()))
        }
        _ => Ok(Known::Unknown),
    }
}

fn item(of: &Known, key: &Known, first: i64) -> Result<Known, String> {
    match (of, key) {
        (Known::Node(node), Known::Value(key)) => {
            let cell = query::cell_key(key, first).and_then(|key| Ok(node.isolate(&key)?));
            cell.map(Known::Node).map_err(|error| error.to_string())
        }
        (Known::Value(value), Known::Value(key)) => {
            let item = query::item_of_value(value.clone(), key.clone(), first);
            item.map(Known::Value).map_err(|error| error.to_string())
        }
        _ => Ok(Known::Unknown),
    }
}

/// Forms that only need the values of their parts: known when all of them are.
fn combined(part: &Expression, operands: Vec<Known>) -> Result<Known, String> {
    let Some(values) = operands.into_iter().map(Known::value).collect::<Option<Vec<Value>>>() else {
        return Ok(Known::Unknown);
    };
    let mut values = values.into_iter();
    let mut next = || values.next().unwrap_or(Value::Nil);
    let result = match part {
        Expression::Binary(operator, ..) => query::apply(*operator, next(), next()),
        Expression::Not(_) => Ok(Value::Bool(!next().is_truthy())),
        Expression::Interpolate(..) => query::interpolate(&next(), values.collect()),
        Expression::List(_) => Ok(Value::List(values.collect())),
        Expression::Map(pairs) => Ok(Value::Map(pairs.iter().map(|_| (next(), next())).collect())),
        _ => return Ok(Known::Unknown),
    };
    result.map(Known::Value).map_err(|error| error.to_string())
}
