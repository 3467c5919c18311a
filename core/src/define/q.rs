//! Queries built with Rust's operators.

use std::fmt;
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Not, Rem, Sub};

use crate::query::{Expression, ExpressionError, Operator, Query};
use crate::value::Value;

/// A query in the making (section G). [`crate::q!`] begins one; operators and methods go on. One that is too big is an
/// error of the class that it is put into.
#[derive(Clone, Debug)]
pub struct Q(Result<Expression, ExpressionError>);

impl Q {
    /// The node itself.
    pub fn node() -> Q {
        Q(Ok(Expression::Start))
    }

    fn then(self, step: impl FnOnce(Expression) -> Result<Expression, ExpressionError>) -> Q {
        Q(self.0.and_then(step))
    }

    fn with(
        self,
        right: impl Into<Q>,
        step: impl FnOnce(Expression, Expression) -> Result<Expression, ExpressionError>,
    ) -> Q {
        let Q(right) = right.into();
        self.then(|left| step(left, right?))
    }

    fn binary(self, operator: Operator, right: impl Into<Q>) -> Q {
        self.with(right, |left, right| left.binary(operator, right))
    }

    /// `self.name` (rows G-02, G-03); `parent` is the node above.
    pub fn attribute(self, name: &str) -> Q {
        self.then(|base| match name {
            "parent" => base.parent(None),
            name => base.attribute(name),
        })
    }

    /// The nearest node upwards of a class with this name (row G-04).
    pub fn parent_named(self, class: &str) -> Q {
        self.then(|base| base.parent(Some(class.to_string())))
    }

    /// `self[key]` (row G-07); items and cells count from 0.
    pub fn item(self, key: impl Into<Q>) -> Q {
        self.with(key, Expression::item)
    }

    /// `self(arguments)` (row G-05).
    pub fn call<const N: usize>(self, arguments: [Q; N]) -> Q {
        let arguments: Result<Vec<_>, _> = arguments.into_iter().map(|Q(argument)| argument).collect();
        self.then(|base| base.call(arguments?))
    }

    /// `self == other`, where it is read.
    pub fn equals(self, other: impl Into<Q>) -> Q {
        self.binary(Operator::Equal, other)
    }

    /// `self < other`, where it is read.
    pub fn is_less_than(self, other: impl Into<Q>) -> Q {
        self.binary(Operator::Less, other)
    }

    /// The query.
    ///
    /// # Errors
    /// When it has too many parts or nests too deeply.
    pub fn build(self) -> Result<Query, ExpressionError> {
        self.0.map(Query::new)
    }
}

/// As it would be written in a deployment file.
impl fmt::Display for Q {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(expression) => write!(f, "{expression}"),
            Err(error) => write!(f, "{error}"),
        }
    }
}

/// A constant.
impl From<Value> for Q {
    fn from(value: Value) -> Q {
        Q(Expression::literal(value))
    }
}

macro_rules! constants {
    ($($constant:ty),*) => {$(
        impl From<$constant> for Q {
            fn from(constant: $constant) -> Q {
                Q::from(Value::from(constant))
            }
        }
    )*};
}

constants!(&str, String, bool, i32, i64, f64);

/// A list, with queries in it (row G-12).
impl<const N: usize> From<[Q; N]> for Q {
    fn from(items: [Q; N]) -> Q {
        let items: Result<Vec<_>, _> = items.into_iter().map(|Q(item)| item).collect();
        Q(items.and_then(|items| Expression::List(items).checked()))
    }
}

macro_rules! operators {
    ($($operator:ident, $method:ident;)*) => {$(
        impl<R: Into<Q>> $operator<R> for Q {
            type Output = Q;

            fn $method(self, right: R) -> Q {
                self.binary(operators!(@ $operator), right)
            }
        }
    )*};
    (@ Add) => { Operator::Add };
    (@ Sub) => { Operator::Subtract };
    (@ Mul) => { Operator::Multiply };
    (@ Div) => { Operator::Divide };
    (@ BitAnd) => { Operator::And };
    (@ BitOr) => { Operator::Or };
}

// Rows G-08 and G-10.
operators! {
    Add, add;
    Sub, sub;
    Mul, mul;
    Div, div;
    BitAnd, bitand;
    BitOr, bitor;
}

/// `"v" + q!(version)`.
impl Add<Q> for &str {
    type Output = Q;

    fn add(self, right: Q) -> Q {
        Q::from(self) + right
    }
}

/// `4 - q!(count)`.
impl Sub<Q> for i64 {
    type Output = Q;

    fn sub(self, right: Q) -> Q {
        Q::from(self) - right
    }
}

impl Not for Q {
    type Output = Q;

    fn not(self) -> Q {
        self.then(Expression::negated)
    }
}

/// What can stand on the right of `%`: one query, several, or pairs of name and query.
pub trait IntoValues {
    /// The queries.
    fn into_values(self) -> Vec<Q>;
}

impl IntoValues for Q {
    fn into_values(self) -> Vec<Q> {
        vec![self]
    }
}

impl<const N: usize> IntoValues for [Q; N] {
    fn into_values(self) -> Vec<Q> {
        self.into()
    }
}

/// For texts with names: `Q::from("%(a)s") % [("a", q!(a))]`.
impl<const N: usize> IntoValues for [(&str, Q); N] {
    fn into_values(self) -> Vec<Q> {
        let pair = |(name, Q(value)): (&str, Q)| Ok((Expression::Literal(Value::from(name)), value?));
        let pairs: Result<Vec<_>, _> = self.into_iter().map(pair).collect();
        vec![Q(pairs.and_then(|pairs| Expression::Map(pairs).checked()))]
    }
}

/// `Q::from("%s of %s") % [q!(name), q!(parent.name)]` (row G-09).
impl<V: IntoValues> Rem<V> for Q {
    type Output = Q;

    fn rem(self, values: V) -> Q {
        let values: Result<Vec<_>, _> = values.into_values().into_iter().map(|Q(value)| value).collect();
        self.then(|text| text.interpolate(values?))
    }
}
