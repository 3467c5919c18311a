//! Expressions print as they were written (row G-14).

use std::fmt;

use super::{Expression, Operator};
use crate::value::Value;

/// Longest literal that is shown in full, in characters.
const LITERAL_SHOWN: usize = 80;

/// How tightly a form holds together; what holds less tightly than its surroundings gets parentheses.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tightness {
    Compare,
    Or,
    And,
    Sum,
    Product,
    Unary,
    Chain,
}

impl Tightness {
    fn next(self) -> Tightness {
        match self {
            Tightness::Compare => Tightness::Or,
            Tightness::Or => Tightness::And,
            Tightness::And => Tightness::Sum,
            Tightness::Sum => Tightness::Product,
            Tightness::Product => Tightness::Unary,
            Tightness::Unary | Tightness::Chain => Tightness::Chain,
        }
    }
}

impl Operator {
    /// The sign it is written with.
    pub fn sign(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::And => "&",
            Operator::Or => "|",
            Operator::Equal => "==",
            Operator::Less => "<",
        }
    }

    fn tightness(self) -> Tightness {
        match self {
            Operator::Add | Operator::Subtract => Tightness::Sum,
            Operator::Multiply | Operator::Divide => Tightness::Product,
            Operator::And => Tightness::And,
            Operator::Or => Tightness::Or,
            Operator::Equal | Operator::Less => Tightness::Compare,
        }
    }
}

impl Expression {
    fn tightness(&self) -> Tightness {
        match self {
            Expression::Binary(operator, ..) => operator.tightness(),
            Expression::Interpolate(..) => Tightness::Product,
            Expression::Not(_) => Tightness::Unary,
            _ => Tightness::Chain,
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Literal(_) | Expression::List(_) | Expression::Map(_) => write!(f, "Q({})", Plain(self)),
            expression => write!(f, "{}", Plain(expression)),
        }
    }
}

/// An expression where a bare literal may stand.
struct Plain<'a>(&'a Expression);

/// An expression where something at least this tight is wanted.
struct Within<'a>(&'a Expression, Tightness);

impl fmt::Display for Within<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Within(expression, wanted) if expression.tightness() < *wanted => write!(f, "({})", Plain(expression)),
            Within(expression, Tightness::Chain) => write!(f, "{expression}"),
            Within(expression, _) => write!(f, "{}", Plain(expression)),
        }
    }
}

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chain = |base| Within(base, Tightness::Chain);
        match self.0 {
            Expression::Start => f.write_str("Q"),
            Expression::Literal(value) => literal(value, f),
            Expression::List(_) | Expression::Map(_) => f.write_str("{...}"),
            Expression::Attribute(base, name) if is_word(name) => write!(f, "{}.{name}", chain(base)),
            Expression::Attribute(base, name) => write!(f, "{}[{name:?}]", chain(base)),
            Expression::Parent(base, None) => write!(f, "{}.parent", chain(base)),
            Expression::Parent(base, Some(name)) => write!(f, "{}.parent({name:?})", chain(base)),
            Expression::Call(base, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(|argument| Plain(argument).to_string()).collect();
                write!(f, "{}({})", chain(base), arguments.join(", "))
            }
            Expression::Item(base, key) | Expression::ItemFromOne(base, key) => {
                write!(f, "{}[{}]", chain(base), Plain(key))
            }
            Expression::Not(base) => write!(f, "~{}", Within(base, Tightness::Unary)),
            Expression::Binary(operator, left, right) => {
                let tightness = operator.tightness();
                let (left, right) = (Within(left, tightness), Within(right, tightness.next()));
                write!(f, "{left} {} {right}", operator.sign())
            }
            Expression::Interpolate(text, values) => {
                // The left side is always a query: bare text would be the front end's own operator.
                match &**text {
                    Expression::Literal(_) => write!(f, "{text} % ")?,
                    text => write!(f, "{} % ", Within(text, Tightness::Product))?,
                }
                match values.as_slice() {
                    [value] => write!(f, "{}", Within(value, Tightness::Unary)),
                    _ => f.write_str("{...}"),
                }
            }
        }
    }
}

fn literal(value: &Value, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let text = match value {
        Value::List(_) | Value::Map(_) => "{...}".to_string(),
        value => format!("{value:?}"),
    };
    match text.char_indices().nth(LITERAL_SHOWN) {
        Some((end, _)) => write!(f, "{}...", &text[..end]),
        None => f.write_str(&text),
    }
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
