//! How expressions print, and what cannot be built.

use super::*;

// rows: G-14
#[test]
fn an_expression_prints_as_it_was_written() {
    use Operator::{Add, And, Divide, Equal, Less, Multiply, Or, Subtract};
    let sum = || binary(Add, q("a"), lit(4));
    for (expression, wanted) in [
        (E::Start, "Q"),
        (q("a.b"), "Q.a.b"),
        (q("a.two words"), "Q.a[\"two words\"]"),
        (q("parent.parent.x"), "Q.parent.parent.x"),
        (q("").parent(Some("Web".into())).unwrap().attribute("x").unwrap(), "Q.parent(\"Web\").x"),
        (q("a").call(vec![]).unwrap(), "Q.a()"),
        (q("a").call(vec![lit(4), lit("x"), q("b")]).unwrap(), "Q.a(4, \"x\", Q.b)"),
        (q("a").item(lit("k")).unwrap().item(q("b")).unwrap(), "Q.a[\"k\"][Q.b]"),
        (q("a").item_from_one(lit(1)).unwrap(), "Q.a[1]"),
        (lit(4), "Q(4)"),
        (lit("x").attribute("y").unwrap(), "Q(\"x\").y"),
        (sum(), "Q.a + 4"),
        (binary(Subtract, lit(4), q("a")), "4 - Q.a"),
        (binary(Multiply, sum(), q("b")), "(Q.a + 4) * Q.b"),
        (binary(Add, sum(), binary(Divide, q("b"), lit(2))), "Q.a + 4 + Q.b / 2"),
        (binary(Subtract, q("a"), binary(Subtract, q("b"), q("c"))), "Q.a - (Q.b - Q.c)"),
        (binary(Or, q("a"), binary(And, q("b"), q("c"))), "Q.a | Q.b & Q.c"),
        (binary(And, binary(Or, q("a"), q("b")), q("c")), "(Q.a | Q.b) & Q.c"),
        (binary(Equal, q("a"), binary(Less, q("b"), q("c"))), "Q.a == (Q.b < Q.c)"),
        (q("a").negated().unwrap(), "~Q.a"),
        (sum().negated().unwrap(), "~(Q.a + 4)"),
        (sum().attribute("x").unwrap(), "(Q.a + 4).x"),
        (lit("%s!").interpolate(vec![q("a")]).unwrap(), "Q(\"%s!\") % Q.a"),
        (lit("%s %s").interpolate(vec![q("a"), q("b")]).unwrap(), "Q(\"%s %s\") % {...}"),
        (lit(Value::List(vec![1.into(), 2.into()])), "Q({...})"),
        (q("a").call(vec![lit(Value::Map(vec![]))]).unwrap(), "Q.a({...})"),
        (lit("x".repeat(100).as_str()), &format!("Q(\"{}...)", "x".repeat(79))),
    ] {
        assert_eq!(expression.to_string(), wanted);
    }
}

// rows: G-12
#[test]
fn a_literal_takes_queries_out_of_lists_and_maps() {
    let inner = || Value::from(Query::new(q("a")));
    assert_eq!(lit(inner()).to_string(), "Q.a");
    let E::List(items) = lit(Value::List(vec![inner(), Value::List(vec![inner()])])) else { panic!("list") };
    assert!(matches!(&items[1], E::List(items) if items[0].to_string() == "Q.a"));
    let E::Map(pairs) = lit(Value::Map(vec![(inner(), 1.into())])) else { panic!("map") };
    assert_eq!(pairs[0].0.to_string(), "Q.a");
}

#[test]
fn what_grows_too_deep_or_too_big_is_an_error_where_it_is_written() {
    let deep = (0..1000).try_fold(E::Start, |base, _| base.attribute("a"));
    assert_eq!(deep.unwrap_err(), ExpressionError::TooDeep);
    let big = (0..100).try_fold(q("a"), |sum, _| sum.clone().binary(Operator::Add, sum));
    assert_eq!(big.unwrap_err(), ExpressionError::TooBig);
    let nested = (0..1000).fold(Value::Int(1), |inner, _| Value::List(vec![inner]));
    assert_eq!(E::literal(nested).unwrap_err(), ExpressionError::TooDeep);
    let deepest = (0..E::DEPTH_MAX - 1).try_fold(E::Start, |base, _| base.attribute("a")).unwrap();
    assert_eq!(deepest.to_string().len(), 1 + 2 * (E::DEPTH_MAX - 1));
}
