//! Queries: `Q.parent.branch`, `Q("%s-%s") % { Q.a, Q.b }`, `Q.a + 1`, `~Q.a & Q.b` (section G).
//!
//! Every use of an operator makes a new expression; nothing is looked up before the query is read on a node. Lua gives
//! `==` and `<` no way to return anything but a boolean, so comparisons are written `Q.eq(a, b)` and `Q.lt(a, b)`.

use mlua::{IntoLua, Lua, MetaMethod, MultiValue, Table, UserData, UserDataFields, UserDataMethods, Value};

use super::convert::text;
use super::error::usage;
use super::foreign::plain;
use super::frames;
use super::shared::Shared;
use crate::node::Position;
use crate::query::{Expression, ExpressionError, Operator, Query};

/// An expression as a Lua value.
pub(super) struct LuaQuery {
    query: Query,
    number: u64,
    /// The expression that this one was read from, for `Q.parent:action()`.
    from: Option<u64>,
}

impl LuaQuery {
    pub(super) fn from_query(query: Query) -> LuaQuery {
        LuaQuery { query, number: 0, from: None }
    }

    pub(super) fn query(&self) -> Query {
        self.query.clone()
    }

    pub(super) fn position(&self) -> Option<&Position> {
        self.query.position.as_ref()
    }

    fn expression(&self) -> Expression {
        self.query.expression.clone()
    }

    fn is_start(&self) -> bool {
        matches!(self.query.expression, Expression::Start)
    }
}

/// The expression of an operand: a query's own, or a constant.
fn operand(lua: &Lua, value: &Value) -> mlua::Result<Expression> {
    if let Some(query) = value.as_userdata().and_then(|userdata| userdata.borrow::<LuaQuery>().ok()) {
        return Ok(query.expression());
    }
    Expression::literal(plain(lua, value)?).or_else(|error| usage(error.to_string()))
}

/// A new expression, written here.
fn build(lua: &Lua, built: Result<Expression, ExpressionError>, from: Option<u64>) -> mlua::Result<LuaQuery> {
    let expression = built.or_else(|error| usage(error.to_string()))?;
    Shared::charge(lua, expression.weight())?;
    let number = Shared::of(lua)?.number();
    Ok(LuaQuery { query: Query { expression, position: frames::here(lua) }, number, from })
}

fn binary(lua: &Lua, operator: Operator, (left, right): (Value, Value)) -> mlua::Result<LuaQuery> {
    build(lua, operand(lua, &left)?.binary(operator, operand(lua, &right)?), None)
}

impl UserData for LuaQuery {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field(MetaMethod::Type, "a query");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        let operators = [
            (MetaMethod::Add, Operator::Add),
            (MetaMethod::Sub, Operator::Subtract),
            (MetaMethod::Mul, Operator::Multiply),
            (MetaMethod::Div, Operator::Divide),
            (MetaMethod::BAnd, Operator::And),
            (MetaMethod::BOr, Operator::Or),
        ];
        for (method, operator) in operators {
            methods.add_meta_function(method, move |lua, operands: (Value, Value)| binary(lua, operator, operands));
        }
        methods.add_meta_function(MetaMethod::Concat, |lua, (left, right): (Value, Value)| {
            interpolate(lua, Expression::Literal("%s%s".into()), &[left, right])
        });
        methods.add_meta_function(MetaMethod::Mod, |lua, (format, values): (Value, Value)| {
            interpolate(lua, operand(lua, &format)?, &[values])
        });
        for method in [MetaMethod::Lt, MetaMethod::Le] {
            methods.add_meta_function(method, |_, _: (Value, Value)| -> mlua::Result<bool> {
                usage("queries are compared with Q.lt(a, b) and Q.eq(a, b): in Lua `<` can only give true or false at once")
            });
        }
        methods.add_meta_method(MetaMethod::BNot, |lua, this, _: MultiValue| {
            build(lua, this.expression().negated(), None)
        });
        methods.add_meta_method(MetaMethod::Unm, |lua, this, _: MultiValue| {
            build(lua, Expression::Literal(0.into()).binary(Operator::Subtract, this.expression()), None)
        });
        methods.add_meta_method(MetaMethod::Index, |lua, this, key: Value| index(lua, this, &key));
        methods.add_meta_method(MetaMethod::Call, |lua, this, args: MultiValue| call(lua, this, args));
        methods.add_meta_method(MetaMethod::NewIndex, |_, _, _: (Value, Value)| -> mlua::Result<()> {
            usage("a query cannot be changed")
        });
        methods.add_meta_method(MetaMethod::ToString, |_, this, ()| Ok(this.query.to_string()));
    }
}

fn interpolate(lua: &Lua, format: Expression, values: &[Value]) -> mlua::Result<LuaQuery> {
    let values = values.iter().map(|value| operand(lua, value)).collect::<mlua::Result<Vec<_>>>()?;
    build(lua, format.interpolate(values), None)
}

/// `Q.name`, `Q.parent`, `Q.list[1]`, `Q.eq`.
fn index(lua: &Lua, this: &LuaQuery, key: &Value) -> mlua::Result<Value> {
    let Value::String(_) = key else {
        return build(lua, this.expression().item_from_one(operand(lua, key)?), None)?.into_lua(lua);
    };
    let name = text(key, "the name of an attribute")?;
    let operator = match name.as_str() {
        "eq" => Some(Operator::Equal),
        "lt" => Some(Operator::Less),
        _ => None,
    };
    if let Some(operator) = operator.filter(|_| this.is_start()) {
        let compare = lua.create_function(move |lua, operands: (Value, Value)| binary(lua, operator, operands))?;
        return Ok(Value::Function(compare));
    }
    let expression = match name.as_str() {
        "parent" => this.expression().parent(None),
        _ => this.expression().attribute(name),
    };
    build(lua, expression, Some(this.number))?.into_lua(lua)
}

/// `Q(literal)`, `Q.parent("Name")`, `Q.action(args)`.
fn call(lua: &Lua, this: &LuaQuery, mut args: MultiValue) -> mlua::Result<LuaQuery> {
    if this.is_start() {
        return literal(lua, args.pop_front().unwrap_or(Value::Nil));
    }
    let first = args.front().and_then(|first| first.as_userdata()?.borrow::<LuaQuery>().ok().map(|query| query.number));
    if first.is_some() && first == this.from {
        args.pop_front();
    }
    if let Expression::Parent(base, None) = &this.query.expression
        && let Some(name @ Value::String(_)) = args.front()
    {
        return build(lua, base.as_ref().clone().parent(Some(text(name, "the name of a class")?)), None);
    }
    let args = args.iter().map(|arg| operand(lua, arg)).collect::<mlua::Result<Vec<_>>>()?;
    build(lua, this.expression().call(args), None)
}

/// Whether a value is a query.
pub(super) fn is_query(_: &Lua, value: Value) -> mlua::Result<bool> {
    Ok(value.as_userdata().is_some_and(|userdata| userdata.is::<LuaQuery>()))
}

/// A constant as a query.
pub(super) fn literal(lua: &Lua, value: Value) -> mlua::Result<LuaQuery> {
    build(lua, Ok(operand(lua, &value)?), None)
}

/// Puts `Q` into the module.
pub(super) fn install(module: &Table) -> mlua::Result<()> {
    module.raw_set("Q", LuaQuery::from_query(Query::new(Expression::Start)))
}
