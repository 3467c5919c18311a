//! The forms of an expression, built within bounds.

use super::Query;
use crate::value::Value;

/// The forms of an expression. Boxed, bounded in depth and size when built with the functions below: what is too deep
/// or too big is an error where it is written, not a stack overflow or a full memory later.
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
    /// `a[key]` (row G-07). Items of lists and cells count from 0.
    Item(Box<Expression>, Box<Expression>),
    /// The same for a front end that counts from 1.
    ItemFromOne(Box<Expression>, Box<Expression>),
    /// `a + b` and friends (rows G-08..G-10).
    Binary(Operator, Box<Expression>, Box<Expression>),
    /// `~a` (row G-10).
    Not(Box<Expression>),
    /// `Q("text %s") % { ... }` (row G-09).
    Interpolate(Box<Expression>, Vec<Expression>),
    /// A list with queries in it (row G-12).
    List(Vec<Expression>),
    /// A map with queries in its keys or values (row G-12).
    Map(Vec<(Expression, Expression)>),
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

/// An expression that grew beyond its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// Deeper than [`Expression::DEPTH_MAX`].
    #[error("a query nests more than {} levels deep", Expression::DEPTH_MAX)]
    TooDeep,
    /// More parts than [`Expression::SIZE_MAX`].
    #[error("a query has more than {} parts", Expression::SIZE_MAX)]
    TooBig,
}

impl Expression {
    /// Deepest nesting that may be built.
    pub const DEPTH_MAX: usize = 200;
    /// Most parts that may be built: `e = e + e` doubles with every step.
    pub const SIZE_MAX: usize = 10_000;

    /// A constant. Queries inside lists and maps become part of the expression (row G-12).
    ///
    /// # Errors
    /// When it would be too deep or too big, as for all functions that build expressions.
    pub fn literal(value: Value) -> Result<Expression, ExpressionError> {
        literal_at(value, 0)?.checked()
    }

    /// `self.name`
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn attribute(self, name: impl Into<String>) -> Result<Expression, ExpressionError> {
        Expression::Attribute(Box::new(self), name.into()).checked()
    }

    /// `self.parent`, or the nearest node upwards of a class with this name.
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn parent(self, name: Option<String>) -> Result<Expression, ExpressionError> {
        Expression::Parent(Box::new(self), name).checked()
    }

    /// `self(arguments)`
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn call(self, arguments: Vec<Expression>) -> Result<Expression, ExpressionError> {
        Expression::Call(Box::new(self), arguments).checked()
    }

    /// `self[key]`
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn item(self, key: Expression) -> Result<Expression, ExpressionError> {
        Expression::Item(Box::new(self), Box::new(key)).checked()
    }

    /// `self[key]`, where items of lists and cells count from 1, as Lua does.
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn item_from_one(self, key: Expression) -> Result<Expression, ExpressionError> {
        Expression::ItemFromOne(Box::new(self), Box::new(key)).checked()
    }

    /// `self + right` and friends.
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn binary(self, operator: Operator, right: Expression) -> Result<Expression, ExpressionError> {
        Expression::Binary(operator, Box::new(self), Box::new(right)).checked()
    }

    /// `~self`
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn negated(self) -> Result<Expression, ExpressionError> {
        Expression::Not(Box::new(self)).checked()
    }

    /// `self % { values }`
    ///
    /// # Errors
    /// As [`Expression::literal`].
    pub fn interpolate(self, values: Vec<Expression>) -> Result<Expression, ExpressionError> {
        Expression::Interpolate(Box::new(self), values).checked()
    }

    /// The parts right below, left to right.
    pub(crate) fn parts(&self) -> Vec<&Expression> {
        match self {
            Expression::Start | Expression::Literal(_) => Vec::new(),
            Expression::Attribute(base, _) | Expression::Parent(base, _) | Expression::Not(base) => vec![base],
            Expression::Item(a, b) | Expression::ItemFromOne(a, b) | Expression::Binary(_, a, b) => vec![a, b],
            Expression::Call(base, more) | Expression::Interpolate(base, more) => {
                std::iter::once(&**base).chain(more).collect()
            }
            Expression::List(items) => items.iter().collect(),
            Expression::Map(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
        }
    }

    /// About how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        const PART: usize = 128;
        let mut pending = vec![self];
        let mut weight = 0;
        while let Some(expression) = pending.pop() {
            weight += PART
                + match expression {
                    Expression::Literal(value) => value.as_bytes().map_or(0, <[u8]>::len),
                    Expression::Attribute(_, name) | Expression::Parent(_, Some(name)) => name.len(),
                    _ => 0,
                };
            pending.extend(expression.parts());
        }
        weight
    }

    /// The expression, if it is within bounds; for front ends that put the forms together themselves.
    ///
    /// # Errors
    /// When it is too deep or too big.
    pub fn checked(self) -> Result<Expression, ExpressionError> {
        // Without recursion, because what is measured may be too deep for that.
        let mut pending = vec![(&self, 1)];
        let mut size = 0;
        while let Some((expression, depth)) = pending.pop() {
            size += 1;
            if depth > Expression::DEPTH_MAX {
                return Err(ExpressionError::TooDeep);
            }
            if size > Expression::SIZE_MAX {
                return Err(ExpressionError::TooBig);
            }
            pending.extend(expression.parts().into_iter().map(|part| (part, depth + 1)));
        }
        Ok(self)
    }
}

fn literal_at(value: Value, depth: usize) -> Result<Expression, ExpressionError> {
    if depth > Expression::DEPTH_MAX {
        return Err(ExpressionError::TooDeep);
    }
    let inner = |value| literal_at(value, depth + 1);
    Ok(match value {
        Value::Foreign(foreign) => match foreign.as_any().downcast_ref::<Query>() {
            Some(query) => query.expression.clone(),
            None => Expression::Literal(Value::Foreign(foreign)),
        },
        Value::List(items) => Expression::List(items.into_iter().map(inner).collect::<Result<_, _>>()?),
        Value::Map(pairs) => {
            let pair = |(key, value)| Ok((inner(key)?, inner(value)?));
            Expression::Map(pairs.into_iter().map(pair).collect::<Result<_, _>>()?)
        }
        value => Expression::Literal(value),
    })
}
