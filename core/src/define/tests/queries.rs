//! Queries with Rust's operators print and evaluate as those of deployment files.

use super::*;

// rows: G-02..G-05 G-07..G-10 G-12 G-14
#[test]
fn queries_print_as_in_a_deployment_file() {
    for (query, wanted) in [
        (q!(), "Q"),
        (q!(parent.branch), "Q.parent.branch"),
        (q!(parent.parent("Web").name), "Q.parent.parent(\"Web\").name"),
        (q!(parent("Web").name), "Q.parent(\"Web\").name"),
        (q!(table["key"][0].x), "Q.table[\"key\"][0].x"),
        (q!(describe("short", q!(name))), "Q.describe(\"short\", Q.name)"),
        (q!(describe()), "Q.describe()"),
        (q!(name) + "-" + q!(parent.name), "Q.name + \"-\" + Q.parent.name"),
        ("v" + q!(a) + (4 - q!(b)), "\"v\" + Q.a + (4 - Q.b)"),
        ((q!(a) - 1) * 2 / q!(b), "(Q.a - 1) * 2 / Q.b"),
        (!q!(a) & q!(b) | false, "~Q.a & Q.b | false"),
        (q!(a).equals("x"), "Q.a == \"x\""),
        (q!(a).is_less_than(3), "Q.a < 3"),
        (Q::from("%s!") % q!(a), "Q(\"%s!\") % Q.a"),
    ] {
        assert_eq!(query.to_string(), wanted);
    }
}

// rows: G-01 G-08 G-09 G-12 G-16
#[tokio::test]
async fn queries_are_members_and_know_their_line() {
    let class = Node::define("App")
        .value("name", "app")
        .value("port", 80)
        .query("label", q!(name) + ":" + (Q::from("%05d") % q!(port)))
        .query("named", Q::from("%(p)s on %(n)s") % [("p", q!(port)), ("n", q!(name))])
        .query("both", [q!(name), q!(port) + 1])
        .query("chosen", q!(missing) | "never")
        .build()
        .unwrap();
    let env = env(&class);
    assert_eq!(env.get("label").await.unwrap().to_string(), "app:00080");
    assert_eq!(env.get("named").await.unwrap().to_string(), "80 on app");
    assert_eq!(env.get("both").await.unwrap().to_string(), "[app, 81]");
    let error = env.get("chosen").await.unwrap_err().to_string();
    let line = line!() - 8;
    let wanted = format!("query Q.missing | \"never\" failed ({}:{line}): App: no attribute 'missing'", file!());
    assert_eq!(error, wanted);
}

#[test]
fn a_query_that_grew_too_big_is_refused_where_it_is_put_into_a_class() {
    let big = (0..100).fold(q!(a), |sum, _| sum.clone() + sum);
    let error = Node::define("App").query("big", big).build().unwrap_err();
    assert!(error.message.contains("more than 10000 parts") && error.position.is_some(), "{error}");
}
