#![allow(clippy::unwrap_used)]

use super::*;
use crate::node::tests::{child, class, host, hosts, own, text};
use crate::node::{Action, Class, HostSource, RoleMapping, Roles};
use crate::query::{Expression, Operator, Query};
use crate::value::Value;

/// A root whose hosts are web1 and web2 in `web` and db1 in `db`.
fn root(members: &[(&str, Member)]) -> Node {
    let web = hosts(["web1", "web2"]);
    let roles = Roles::new().role("web", web).role("db", [host("db1")]);
    let builder = Class::node().extend("root").hosts(own(roles));
    let builder = members.iter().fold(builder, |b, (name, member)| b.member(name, member.clone(), None));
    Node::root(builder.build().unwrap()).unwrap()
}

fn found(root: &Node) -> Vec<String> {
    check(root).findings.into_iter().map(|finding| Finding { position: None, ..finding }.to_string()).collect()
}

fn array(mapping: Option<RoleMapping>, members: &[(&str, Member)]) -> Member {
    let array = class(&Class::parallel_node(), "Array", members).array().unwrap();
    match mapping {
        Some(mapping) => child(&array.with_hosts(HostSource::Mapped(mapping)).unwrap()),
        None => child(&array),
    }
}

fn query(expression: Expression) -> Member {
    Member::Query(Query::new(expression))
}

fn q(path: &str) -> Expression {
    let step = |base: Expression, name: &str| match name {
        "parent" => base.parent(None),
        name => base.attribute(name),
    };
    path.split('.').skip(1).fold(Expression::Start, |base, name| step(base, name).unwrap())
}

fn action() -> Member {
    Member::Action(Action::from_fn(|_, _| async { Ok(Value::Nil) }))
}

#[test]
fn a_tree_without_mistakes_has_no_findings() {
    let web = array(Some(RoleMapping::new().role("host", ["web"])), &[("branch", query(q("Q.parent.branch")))]);
    let root = root(&[("branch", text("main")), ("web", web), ("start", action())]);
    assert_eq!(check(&root), Report { findings: Vec::new(), nodes: 2 });
}

#[test]
fn required_values_that_nobody_sets_are_errors() {
    let service = class(&Class::node(), "Service", &[("name", Member::Required(Some("of the unit".to_string())))]);
    let set = class(&service, "Set", &[("name", text("nginx"))]);
    let root = root(&[("web", child(&set)), ("db", child(&service))]);
    assert_eq!(
        found(&root),
        [
            "error: root.db: required value 'name' (of the unit) is not set: write `name = ...` in the table of this node, \
          or `db__name = ...` in the one above"
        ]
    );
}

/// rows: D-05 W-28
#[test]
fn roles_that_nobody_provides_are_warned_about() {
    let mapping = |role| Some(RoleMapping::new().role("host", [role]));
    let root = root(&[
        ("a", array(mapping("webs"), &[])),
        ("b", array(mapping("cache"), &[])),
        ("c", array(mapping("db"), &[])),
    ]);
    let expected = [
        "warning: root.a: takes the role 'webs' from the node above, which does not have it; did you mean 'web'?",
        "warning: root.b: takes the role 'cache' from the node above, which does not have it; there is: web, db",
    ];
    assert_eq!(found(&root), expected);
    let at_load = unknown_roles(&root);
    assert_eq!(at_load, check(&root).findings, "the same is said at load");
}

#[test]
fn a_root_has_nobody_to_take_roles_from() {
    let class = Class::node().extend("root").hosts(HostSource::Mapped(RoleMapping::new().role("host", ["web"])));
    let found = found(&Node::root(class.build().unwrap()).unwrap());
    assert!(
        found[0].starts_with("warning: root: takes roles of a node above (web), but the root has none"),
        "{found:?}"
    );
}

#[test]
fn parallel_nodes_without_hosts_are_warned_about_once() {
    let inner = class(&Class::parallel_node(), "Inner", &[]);
    let outer = array(None, &[("inner", child(&inner))]);
    let bare = Node::root(class(&Class::node(), "root", &[("outer", outer)])).unwrap();
    assert_eq!(
        found(&bare),
        ["warning: root.outer: has no hosts: its actions will do nothing; the nodes above have none either: write \
          `Hosts = { ... }` there"]
    );
    let elsewhere = array(Some(RoleMapping::new().role("extra", ["web"])), &[]);
    assert_eq!(
        found(&root(&[("a", elsewhere)])),
        [
            "warning: root.a: has no hosts: its actions will do nothing; it acts on the role 'host', its roles are extra: add \
          `host` or map one to it"
        ]
    );
}

#[test]
fn nodes_that_cannot_be_placed_are_errors() {
    let one = Class::parallel_node().extend("One").build().unwrap().just_one().unwrap();
    let of = |role: &str| child(&one.with_hosts(HostSource::Mapped(RoleMapping::new().role("host", [role]))).unwrap());
    let root = root(&[("web", of("web")), ("db", of("db")), ("cache", of("cache"))]);
    assert_eq!(
        found(&root),
        [
            "error: root.web: needs exactly one host in the role 'host', has web1, web2; map a role with one host to it",
            "error: root.cache: needs exactly one host in the role 'host', has none; map a role with one host to it; it takes \
             the role 'cache' from the node above, which does not have it; there is: web, db",
        ]
    );
}

#[test]
fn queries_are_followed_as_far_as_no_code_runs() {
    let cell = |slug: &str| q("Q.web").item(Expression::literal(slug.into()).unwrap()).unwrap();
    let web = || array(Some(RoleMapping::new().role("host", ["web"])), &[("name", query(q("Q.host.slug")))]);
    let cases = [
        (q("Q.nmae"), "root has no attribute 'nmae'; did you mean 'name'?"),
        (q("Q.parent.name"), "Q.parent is nil, there is no node above the root"),
        (q("Q.name.length"), "Q.name: text has no attribute 'length'"),
        (q("Q.start.status"), "Q.start is an action: call it, as in Q.start()"),
        (q("Q.host"), "root has no 'host': only cells of parallel nodes and just-one nodes do"),
        (q("Q.web").call(Vec::new()).unwrap(), "root.web cannot be called: it has no default action"),
        (q("Q.name").call(Vec::new()).unwrap(), "Q.name is text, which cannot be called"),
        (q("Q").parent(Some("Top".to_string())).unwrap(), "there is no 'Top' from root upwards"),
        (cell("web9"), "root.web: no cell 'web9' (cells: web1, web2)"),
        (cell("web2").attribute("x").unwrap(), "root.web[web2] has no attribute 'x'; there is: name"),
        (
            q("Q.name").binary(Operator::Subtract, Expression::Literal(1.into())).unwrap(),
            "text - a number is not possible",
        ),
        (Expression::Literal("%d".into()).interpolate(vec![q("Q.name")]).unwrap(), "%d cannot show text"),
        (q("Q.missing.anything.at.all"), ""),
        (q("Q.web.name"), ""),
        (q("Q.web.web1.name"), ""),
        (q("Q.start").call(Vec::new()).unwrap().attribute("stdout").unwrap(), ""),
        (q("Q.computed.anything"), ""),
        (cell("web1"), ""),
    ];
    for (expression, expected) in cases {
        let computed = Member::Property(Action::from_fn(|_, _| async { Ok(Value::Nil) }));
        let written = expression.to_string();
        let root = root(&[
            ("name", text("x")),
            ("start", action()),
            ("computed", computed),
            ("missing", Member::Required(None)),
            ("web", web()),
            ("broken", query(expression)),
        ]);
        let mut found = found(&root);
        found.retain(|finding| finding.contains("query"));
        let wanted = match expected {
            "" => Vec::new(),
            why => vec![format!("error: root: the query broken = {written} cannot work: {why}")],
        };
        assert_eq!(found, wanted, "{written}");
    }
}

#[test]
fn queries_that_read_each_other_are_shown_as_a_circle() {
    let web = array(Some(RoleMapping::new().role("host", ["web"])), &[("b", query(q("Q.parent.c")))]);
    let root = root(&[("a", query(q("Q.web.b"))), ("c", query(q("Q.web.b"))), ("web", web), ("d", query(q("Q.a")))]);
    assert_eq!(
        found(&root),
        [
            "error: root.web: the query Q.parent.c depends on itself: root.web[web1].b -> root.c -> root.web[web1].b; give one \
          of them a value of its own"
        ]
    );
}

#[test]
fn queries_that_double_each_other_end() {
    let mut members = vec![("q0".to_string(), text("x"))];
    for number in 1..200 {
        let before = q(&format!("Q.q{}", number - 1));
        members.push((format!("q{number}"), query(before.clone().binary(Operator::Add, before).unwrap())));
    }
    let members: Vec<(&str, Member)> =
        members.iter().rev().map(|(name, member)| (name.as_str(), member.clone())).collect();
    assert_eq!(found(&root(&members)), Vec::<String>::new());
}

#[test]
fn one_mistake_is_one_finding_and_trees_without_end_end() {
    let mut level = class(&Class::node(), "Leaf", &[("name", Member::Required(None))]);
    for _ in 0..20 {
        level = class(&Class::node(), "Level", &[("a", child(&level)), ("b", child(&level))]);
    }
    let report = check(&Node::root(level).unwrap());
    assert_eq!(report.nodes, NODES_MAX);
    let messages: Vec<&str> = report.findings.iter().map(|finding| finding.message.as_str()).collect();
    assert_eq!(messages.len(), 3, "{messages:#?}");
    assert!(messages[0].ends_with("more nodes)"), "{messages:#?}");
    assert_eq!(messages[2], "the tree has more than 100000 nodes: the others were not checked");
}
