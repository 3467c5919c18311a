//! What binary operators do with values (rows G-08, G-10).

use bstr::BString;

use super::Operator;
use crate::env::ActionError;
use crate::value::Value;

/// Longest text and list that operators make: queries that double each other must not fill the memory.
pub(super) const TEXT_MAX: usize = 16 * 1024 * 1024;
const LIST_MAX: usize = 100_000;

/// `left operator right`. And and Or give the operand that decided, not a boolean.
pub(crate) fn apply(operator: Operator, left: Value, right: Value) -> Result<Value, ActionError> {
    match operator {
        Operator::And => Ok(if left.is_truthy() { right } else { left }),
        Operator::Or => Ok(if left.is_truthy() { left } else { right }),
        Operator::Equal => Ok(Value::Bool(left == right)),
        Operator::Less => less(&left, &right),
        Operator::Add => match (&left, &right) {
            (Value::List(a), Value::List(b)) if a.len() + b.len() > LIST_MAX => Err(too_long("list")),
            (Value::List(a), Value::List(b)) => Ok(Value::List(a.iter().chain(b).cloned().collect())),
            (a, b) => match (a.as_bytes(), b.as_bytes()) {
                (Some(a), Some(b)) => joined(a, b),
                _ => arithmetic(operator, &left, &right),
            },
        },
        Operator::Subtract | Operator::Multiply | Operator::Divide => arithmetic(operator, &left, &right),
    }
}

/// The value of a key.
pub(super) fn find(pairs: &[(Value, Value)], key: &Value) -> Option<Value> {
    pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone())
}

pub(super) fn too_long(what: &str) -> ActionError {
    ActionError::usage(format!("the {what} that a query makes is too long"))
}

fn joined(a: &[u8], b: &[u8]) -> Result<Value, ActionError> {
    if a.len() + b.len() > TEXT_MAX {
        return Err(too_long("text"));
    }
    Ok(Value::Text(BString::from([a, b].concat())))
}

fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, ActionError> {
    let wrong = || mismatch(operator, left, right);
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => whole(operator, *a, *b),
        (a, b) => {
            let (a, b) = (number(a).ok_or_else(wrong)?, number(b).ok_or_else(wrong)?);
            Ok(Value::Float(match operator {
                Operator::Add => a + b,
                Operator::Subtract => a - b,
                Operator::Multiply => a * b,
                Operator::Divide if b == 0.0 => return Err(ActionError::usage("division by zero")),
                Operator::Divide => a / b,
                _ => return Err(wrong()),
            }))
        }
    }
}

/// Whole numbers stay whole: 7 / 2 is 3, and -7 / 2 is -4.
fn whole(operator: Operator, a: i64, b: i64) -> Result<Value, ActionError> {
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        _ if b == 0 => return Err(ActionError::usage("division by zero")),
        _ => a.checked_div(b).map(|quotient| {
            let rounded_up = a % b != 0 && (a < 0) != (b < 0);
            quotient - i64::from(rounded_up)
        }),
    };
    let overflow = || ActionError::usage(format!("{a} {} {b} is out of range", operator.sign()));
    result.map(Value::Int).ok_or_else(overflow)
}

fn less(left: &Value, right: &Value) -> Result<Value, ActionError> {
    let less = match (left, right) {
        (Value::Int(a), Value::Int(b)) => a < b,
        _ => match (number(left), number(right), left.as_bytes(), right.as_bytes()) {
            (Some(a), Some(b), ..) => a < b,
            (_, _, Some(a), Some(b)) => a < b,
            _ => return Err(mismatch(Operator::Less, left, right)),
        },
    };
    Ok(Value::Bool(less))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(value) => Some(*value as f64),
        Value::Float(value) => Some(*value),
        _ => None,
    }
}

fn mismatch(operator: Operator, left: &Value, right: &Value) -> ActionError {
    ActionError::usage(format!("{} {} {} is not possible", left.type_name(), operator.sign(), right.type_name()))
}
