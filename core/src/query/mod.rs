//! Query expressions: `Q.parent.branch` and friends (section G).

mod evaluate;

pub use evaluate::evaluate;

use crate::node::Position;
use crate::value::Value;

/// An expression over the tree, evaluated when it is read.
#[derive(Clone, Debug)]
pub struct Query {
    /// The expression.
    pub expression: Expression,
    /// Where it was written (row G-16).
    pub position: Option<Position>,
}

/// The forms of an expression. Boxed, bounded in depth when built ([`Expression::DEPTH_MAX`]).
#[derive(Clone, Debug)]
pub enum Expression {
    /// `Q`: the node itself.
    Start,
    /// A literal (row G-12).
    Literal(Value),
    /// `a.b` (row G-02).
    Attribute(Box<Expression>, String),
    /// `a.parent` and `a.parent("Name")` (rows G-03, G-04).
    Parent(Box<Expression>, Option<String>),
    /// `a(args)` (row G-05).
    Call(Box<Expression>, Vec<Expression>),
    /// `a[key]` (row G-07).
    Item(Box<Expression>, Box<Expression>),
    /// `a + b` and friends (rows G-08..G-10).
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `~a` (row G-10).
    Not(Box<Expression>),
    /// `Q("text %s") % { ... }` (row G-09).
    Interpolate(Box<Expression>, Vec<Expression>),
}

impl Expression {
    /// Deepest nesting that may be built; deeper is an error where it is written, not a stack overflow later.
    pub const DEPTH_MAX: usize = 200;
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    And,
    Or,
    Equal,
    Less,
}
