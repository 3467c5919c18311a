//! What queries give.

use super::*;

/// `R` with values, and a child `c` in which the query stands.
async fn read(expression: E) -> Result<Value, ActionError> {
    let echo = action(|_, args| async move { Ok(Value::List(args)) });
    let fails = property(|_| async { Err(ActionError::usage("broken")) });
    let count = property(|_| async { Ok(Value::Int(7)) });
    let table = Member::Value(Value::Map(vec![("k".into(), "of k".into()), (7.into(), "seven".into())]));
    let list = Member::Value(Value::List(vec!["zero".into(), "one".into()]));
    let c = class(&Class::node(), "Leaf", &[("q", query(expression)), ("whereami", whereami()), ("name", text("c"))]);
    let members = [
        ("name", text("root")),
        ("key", text("k")),
        ("echo", echo),
        ("fails", fails),
        ("count", count),
        ("table", table),
        ("list", list),
        ("other", query(q("name"))),
        ("nothing", Member::Value(Value::Nil)),
        ("__call", action(|_, args| async move { Ok(format!("called with {args:?}").into()) })),
        ("c", child(&c)),
    ];
    let root = Class::node().extend("Root").hosts(own(Roles::new().role("web", [host("w1")])));
    let root = members.into_iter().fold(root, |b, (name, member)| b.member(name, member, None)).build().unwrap();
    let env = Stage::new().env(&class(&root, "R", &[])).child("c").unwrap();
    env.get("q").await
}

fn interpolate(format: &str, values: Vec<E>) -> E {
    lit(format).interpolate(values).unwrap()
}

fn map(pairs: &[(&str, E)]) -> E {
    let value = |expression: &E| Value::from(Query::new(expression.clone()));
    lit(Value::Map(pairs.iter().map(|(key, expression)| (Value::from(*key), value(expression))).collect()))
}

// rows: G-01..G-05 G-07..G-10 G-12 G-15 G-20 G-21 W-62
#[tokio::test]
async fn queries_read_the_tree() {
    use Operator::{Add, And, Divide, Equal, Less, Multiply, Or, Subtract};
    let top = |path: &str| q(&format!("parent.{path}"));
    let value = |value: Value| E::Literal(value);
    for (expression, wanted) in [
        (E::Start, "Env(R.c)"),
        (q("parent"), "Env(R)"),
        (q("parent.parent"), "nil"),
        (q("name"), "c"),
        (top("name"), "root"),
        (top("other"), "root"),
        (top("c.name"), "c"),
        (q("whereami"), "<Env.Action R.c.whereami>"),
        (q("whereami").call(vec![]).unwrap(), "R.c"),
        (top("echo").call(vec![lit(1), top("name"), E::Start]).unwrap(), "[1, root, Env(R.c)]"),
        (q("parent").call(vec![lit(1)]).unwrap(), "called with [1]"),
        (q("").parent(Some("Root".into())).unwrap(), "Env(R)"),
        (q("").parent(Some("Leaf".into())).unwrap(), "Env(R.c)"),
        (q("").parent(Some("Node".into())).unwrap(), "Env(R.c)"),
        (q("").parent(Some("R".into())).unwrap().attribute("name").unwrap(), "root"),
        (top("table").item(lit("k")).unwrap(), "of k"),
        (top("table").item(top("key")).unwrap(), "of k"),
        (top("table").item(top("count")).unwrap(), "seven"),
        (top("table.k"), "of k"),
        (top("list").item(lit(1)).unwrap(), "one"),
        (top("list").item_from_one(lit(1)).unwrap(), "zero"),
        (top("list").item_from_one(binary(Subtract, top("count"), lit(5))).unwrap(), "one"),
        (top("table").item_from_one(lit(7)).unwrap(), "seven"),
        (top("hosts").item(lit(0)).unwrap().attribute("slug").unwrap(), "w1"),
        (binary(Add, top("count"), lit(1)), "8"),
        (binary(Subtract, lit(1), top("count")), "-6"),
        (binary(Multiply, top("count"), binary(Add, lit(1), lit(1))), "14"),
        (binary(Divide, top("count"), lit(2)), "3"),
        (binary(Divide, lit(-7), lit(2)), "-4"),
        (binary(Divide, value(Value::Float(7.0)), lit(2)), "3.5"),
        (binary(Add, top("name"), lit("!")), "root!"),
        (binary(Add, top("list"), top("list")), "[zero, one, zero, one]"),
        (binary(And, top("name"), lit(5)), "5"),
        (binary(And, top("nothing"), lit(5)), "nil"),
        (binary(Or, top("nothing"), lit(5)), "5"),
        (binary(Or, top("name"), lit(5)), "root"),
        (top("nothing").negated().unwrap(), "true"),
        (top("name").negated().unwrap(), "false"),
        (binary(Equal, top("name"), lit("root")), "true"),
        (binary(Less, top("count"), lit(7)), "false"),
        (binary(Less, lit("a"), lit("b")), "true"),
        (lit(Value::List(vec![Query::new(q("name")).into(), 2.into()])), "[c, 2]"),
        (map(&[("a", q("name")), ("b", top("name"))]), "{a: c, b: root}"),
    ] {
        let shown = expression.to_string();
        let result = read(expression).await.map(|value| value.to_string()).map_err(|error| error.to_string());
        assert_eq!(result.as_deref(), Ok(wanted), "{shown}");
    }
}

// rows: G-09
#[tokio::test]
async fn texts_take_values() {
    let list = || lit(Value::List(vec![Query::new(q("name")).into(), 2.into()]));
    for (expression, wanted) in [
        (interpolate("size %s x %s", vec![q("name"), q("parent.count")]), "size c x 7"),
        (interpolate("%s", vec![q("name")]), "c"),
        (interpolate("%s-%d", vec![list()]), "c-2"),
        (
            interpolate("%(a)s of %(b)s, 100%%", vec![map(&[("a", q("name")), ("b", q("parent.name"))])]),
            "c of root, 100%",
        ),
        (interpolate("%s", vec![q("parent.table")]), "{k: of k, 7: seven}"),
        (
            interpolate("[%5s] [%-5s] [%05d] [%+d]", vec![q("name"), q("name"), lit(-42), lit(3)]),
            "[    c] [c    ] [-0042] [+3]",
        ),
        (interpolate("%.2f %x %r %.3s", vec![lit(7), lit(255), lit("x"), lit("abcdef")]), "7.00 ff \"x\" abc"),
        (interpolate("plain", vec![]), "plain"),
    ] {
        assert_eq!(read(expression).await.unwrap().to_string(), wanted);
    }
    for (format, values, wanted) in [
        ("%s %s", vec![lit(1)], "fewer values"),
        ("%s", vec![lit(1), lit(2)], "more values"),
        ("%(a)s", vec![lit(1)], "needs a map"),
        ("%(z)s", vec![map(&[("a", lit(1))])], "no value for %(z)"),
        ("%d", vec![lit("x")], "%d cannot show text"),
        ("%y", vec![lit(1)], "unknown format %y"),
        ("100%", vec![], "incomplete format"),
        ("%(a", vec![], "incomplete format"),
        ("%999999999999s", vec![lit(1)], "1000 at most"),
    ] {
        let error = read(interpolate(format, values)).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{format}: {error}");
    }
}

// rows: G-16 G-17 K-12
#[tokio::test]
async fn a_failed_query_says_what_and_where() {
    let error = read(binary(Operator::Add, q("name"), lit(1))).await.unwrap_err();
    assert_eq!(error.to_string(), "query Q.name + 1 failed (deploy.lua:3): text + a number is not possible");
    assert!(matches!(&*error.cause, Cause::Query { inner, .. } if inner.chain.is_empty()));
    assert_eq!(error.chain.iter().map(|frame| frame.action.as_str()).collect::<Vec<_>>(), ["q"]);
    for (expression, wanted) in [
        (q("nope"), "R.c: no attribute 'nope'"),
        (q("parent.parent.x"), "nil has no attribute 'x'"),
        (q("name.x"), "text has no attribute 'x'"),
        (q("name").call(vec![]).unwrap(), "text cannot be called"),
        (q("parent.list").item(lit(2)).unwrap(), "a list has no item 2"),
        (q("parent.list").item(lit(-1)).unwrap(), "a list has no item -1"),
        (q("parent.list").item_from_one(lit(0)).unwrap(), "a list has no item 0"),
        (q("parent.list").item_from_one(lit(i64::MIN)).unwrap(), "a list has no item"),
        (q("").item(lit("w1")).unwrap(), "R.c: acts once"),
        (q("").parent(Some("Nope".into())).unwrap(), "R.c: no 'Nope' from here upwards"),
        (binary(Operator::Divide, lit(1), lit(0)), "division by zero"),
        (binary(Operator::Multiply, lit(i64::MAX), lit(2)), "out of range"),
        (binary(Operator::Divide, lit(i64::MIN), lit(-1)), "out of range"),
        (q("name").interpolate(vec![lit(1)]).unwrap(), "more values"),
    ] {
        let error = read(expression).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}

// rows: G-18 W-35
#[tokio::test]
async fn when_a_property_fails_the_inner_error_went_through_it_and_is_logged_once() {
    let stage = Stage::new();
    let fails = property(|_| async { Err(ActionError::usage("broken")) });
    let env = stage.env(&class(&Class::node(), "N", &[("fails", fails), ("q", query(q("fails")))]));
    let error = env.get("q").await.unwrap_err();
    let Cause::Query { inner, .. } = &*error.cause else { panic!("{error:?}") };
    assert_eq!(inner.chain[0].action, "fails");
    assert_eq!(stage.events(), ["> N.q()", "> N.fails()", "! broken", "< N.fails failed", "< N.q failed"]);
}

// rows: G-11
#[tokio::test]
async fn both_operands_are_always_evaluated() {
    for expression in
        [binary(Operator::Or, lit(1), q("parent.fails")), binary(Operator::And, q("parent.nothing"), q("parent.fails"))]
    {
        assert!(read(expression).await.unwrap_err().to_string().contains("broken"));
    }
}

// rows: G-19
#[tokio::test]
async fn a_trace_tells_every_part_the_whole_last() {
    let env = Stage::new().env(&class(&Class::node(), "N", &[("a", text("x")), ("b", text("y"))]));
    let parts = trace(&Query::new(binary(Operator::Add, q("a"), q("b"))), &env).await.unwrap();
    let parts: Vec<String> = parts.iter().map(|part| format!("{} = {}", part.expression, part.value)).collect();
    assert_eq!(parts, ["Q = Env(N)", "Q.a = x", "Q = Env(N)", "Q.b = y", "Q.a + Q.b = xy"]);
}

// rows: G-20 C-16
#[tokio::test]
async fn a_query_stays_in_the_cell_or_leaves_it_as_the_tree_does() {
    let leaf =
        class(&Class::parallel_node(), "Leaf", &[("up", query(q("parent"))), ("top", query(q("parent.parent.a")))]);
    let jump = q("parent.b").item(q("host")).unwrap();
    let a = class(&Class::parallel_node(), "A", &[("leaf", child(&leaf)), ("jump", query(jump))]).array().unwrap();
    let b = class(&Class::parallel_node(), "B", &[]).array().unwrap();
    let roles = Roles::new().role("web", [host("w1"), host("w2")]);
    let root = Class::node().extend("R").hosts(own(roles));
    let root = root.member("a", child(&a), None).member("b", child(&b), None).build().unwrap();
    let env = Stage::new().env(&root).child("a").unwrap();
    let cell: Env = env.isolate(&crate::node::CellKey::Index(1)).unwrap();
    let leaf = cell.child("leaf").unwrap();
    assert_eq!(leaf.get("up").await.unwrap().to_string(), "Env(R.a[w2])");
    assert_eq!(leaf.get("top").await.unwrap().to_string(), "Env(R.a)");
    assert_eq!(cell.get("jump").await.unwrap().to_string(), "Env(R.b[w2])");
    assert_eq!(env.get("jump").await.unwrap().to_string(), "{ w1: Env(R.b[w1]), w2: Env(R.b[w2]) }");
}

#[tokio::test]
async fn queries_that_need_each_other_are_reported() {
    let members = [("a", query(q("b.x"))), ("b", query(q("c"))), ("c", query(q("a")))];
    let env = Stage::new().env(&class(&Class::node(), "N", &members));
    let error = env.get("a").await.unwrap_err().to_string();
    assert!(error.ends_with("N.a depends on itself: N.a -> N.b -> N.c -> N.a"), "{error}");
    let inner = class(&Class::node(), "Inner", &[("x", query(q("parent.x")))]);
    let env = Stage::new().env(&class(&Class::node(), "N", &[("x", query(q("inner.x"))), ("inner", child(&inner))]));
    let error = env.get("x").await.unwrap_err().to_string();
    assert!(error.ends_with("N.x depends on itself: N.x -> N.inner.x -> N.x"), "{error}");
}

#[tokio::test]
async fn texts_that_double_for_ever_end_in_an_error() {
    let doubled = (0..60).map(|i| {
        let half = q(&format!("t{}", i + 1));
        (format!("t{i}"), query(binary(Operator::Add, half.clone(), half)))
    });
    let last = ("t12".to_string(), text(&"x".repeat(1024 * 1024)));
    let members: Vec<(String, Member)> = doubled.take(12).chain([last]).collect();
    let members: Vec<(&str, Member)> = members.iter().map(|(name, member)| (name.as_str(), member.clone())).collect();
    let error = Stage::new().env(&class(&Class::node(), "N", &members)).get("t0").await.unwrap_err().to_string();
    assert!(error.contains("too long"), "{error}");
}
