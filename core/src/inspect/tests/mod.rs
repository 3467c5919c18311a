//! Inspection, shown by example.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::env::tests::{Stage, action, property, whereami};
use crate::node::tests::{child, class, host, hosts, own, text};
use crate::node::{Action, RoleMapping, Roles};
use crate::query::{Expression, Query};
use crate::value::Value;

fn q(name: &str) -> Member {
    Member::Query(Query::new(Expression::Start.attribute(name).unwrap()))
}

fn group(name: &str) -> Group {
    Group::built_in(name).unwrap()
}

/// `R` -> `z` (normal, callable) -> `deep`; `web` (array of two, with `p` inside); `_hidden`.
fn tree() -> Class {
    let quiet = Action::from_fn(|env, _| async move { Ok(env.node().to_string().into()) }).suppress_result();
    let quiet = quiet.alias("other").doc("Says where.\nAnd more.");
    let deep = class(&Class::node(), "Deep", &[("act", whereami())]);
    let z_members = [
        ("zact", Member::Action(quiet)),
        ("act", whereami()),
        ("_private", whereami()),
        ("__call", whereami()),
        ("plain", text("value")),
        ("prop", property(|_| async { panic!("must not be evaluated") })),
        ("needed", Member::Required(Some("what for".into()))),
        ("query", q("plain")),
        ("deep", child(&deep)),
    ];
    let z = class(&Class::node(), "Z", &z_members).with_group(group("staging"));
    let p = class(&Class::parallel_node(), "P", &[]);
    let web = class(&Class::parallel_node(), "Web", &[("act", whereami()), ("p", child(&p))]).array().unwrap();
    let hidden = class(&Class::node(), "Hidden", &[("open", child(&deep))]);
    let root = Class::node().extend("R").hosts(own(Roles::new().role("web", hosts(["w1", "w2"]))));
    let members = [("z", child(&z)), ("web", child(&web)), ("_hidden", child(&hidden))];
    members.into_iter().fold(root, |b, (name, member)| b.member(name, member, None)).build().unwrap()
}

fn root() -> Inspector<Node> {
    Inspector::new(&Node::root(tree()).unwrap())
}

fn names<S: Subject>(entries: &[Entry<S>]) -> Vec<&str> {
    entries.iter().map(Entry::name).collect()
}

fn paths(walk: &Walk<Node>) -> Vec<String> {
    walk.iter().map(|node| node.map_or_else(|error| error.to_string(), |node| node.to_string())).collect()
}

// rows: H-01 H-02 H-03 H-11 A-37
#[test]
fn children_are_listed_in_definition_order_and_found_by_name() {
    let root = root();
    assert_eq!(root.to_string(), "Inspector(node=R)");
    let shown = |scope| root.child_nodes(scope).unwrap().iter().map(|node| node.name().to_string()).collect::<Vec<_>>();
    assert_eq!(shown(Scope::All), ["z", "web", "_hidden"]);
    assert_eq!(shown(Scope::Public), ["z", "web"]);
    assert!(root.has_child_node("z") && !root.has_child_node("deep") && !root.has_child_node("act"));
    assert_eq!(root.child_node("web").unwrap().to_string(), "R.web");
    assert!(root.child_node("nope").is_err());
    let z = Inspector::new(&root.child_node("z").unwrap());
    assert!(z.child_node("act").is_err());
    assert_eq!((z.name(), root.name()), ("z", "R"));
}

// rows: H-04 H-05 H-09 E-19 E-25
#[test]
fn actions_know_their_names_and_decorations() {
    let z = Inspector::new(&root().child_node("z").unwrap());
    assert_eq!(names(&z.actions(Scope::All)), ["zact", "other", "act", "_private"]);
    assert_eq!(names(&z.actions(Scope::Public)), ["zact", "other", "act"]);
    assert!(z.has_action("other") && z.has_action("__call") && !z.has_action("prop") && !z.has_action("deep"));
    let act = z.action("zact").unwrap();
    assert_eq!(
        (act.owner().to_string().as_str(), act.kind(), act.group()),
        ("R.z", EntryKind::Action, Some(group("staging")))
    );
    assert_eq!((act.doc(), act.parameters()), (Some("Says where.\nAnd more."), None));
    assert!(act.position().is_some());
    assert_eq!(z.suppress_result_for_action("zact"), Ok(true));
    assert_eq!(z.suppress_result_for_action("act"), Ok(false));
    assert_eq!(z.suppress_result_for_action("nope").unwrap_err().to_string(), "R.z: no action 'nope'");
}

// rows: H-06 H-07 H-16 W-41
#[test]
fn properties_and_queries_are_listed_without_being_evaluated() {
    let root = root();
    let z = Inspector::new(&root.child_node("z").unwrap());
    let web = Inspector::new(&root.child_node("web").unwrap());
    assert_eq!(names(&z.properties(Scope::All)), ["prop", "needed"]);
    assert_eq!(names(&web.properties(Scope::All)), ["host"]);
    assert!(
        web.has_property("host") && !z.has_property("host") && z.has_property("needed") && !z.has_property("plain")
    );
    let needed = z.property("needed").unwrap();
    assert!(needed.is_required());
    assert_eq!(needed.doc(), Some("what for"));
    assert_eq!(names(&z.queries(Scope::All)), ["query"]);
    assert!(z.has_query("query") && z.query("prop").is_err() && z.property("query").is_err());
    assert!(z.is_callable() && !web.is_callable());
    let all = z.entries(Scope::Public);
    assert_eq!(names(&all), ["zact", "other", "act", "plain", "prop", "needed", "query"]);
}

// rows: H-10 H-13 H-14 H-15 J-05 J-06
#[test]
fn a_node_knows_where_it_is() {
    let cell = root().child_node("web").unwrap().isolate(&CellKey::Index(1)).unwrap();
    let p = Inspector::new(&cell.child("p").unwrap());
    assert_eq!(p.path(), ["R", "web", "p"]);
    assert_eq!(p.path_nodes().iter().map(Node::to_string).collect::<Vec<_>>(), ["R", "R.web[w2]", "R.web[w2].p"]);
    assert_eq!((p.root().to_string().as_str(), p.parent().unwrap().to_string().as_str()), ("R", "R.web[w2]"));
    assert!(root().parent().is_none() && root().group().is_none());
    let deep = root().child_node("z").unwrap().child("deep").unwrap();
    assert_eq!(Inspector::new(&deep).group(), Some(group("staging")));
    assert_eq!(Inspector::new(&deep).action("act").unwrap().group(), None);
}

// rows: H-17 C-33
#[test]
fn cells_are_named_by_number_host_or_slug() {
    let root = root();
    let p = Inspector::new(&root.child_node("web").unwrap().child("p").unwrap());
    assert!(!p.is_isolated() && root.is_isolated());
    let keys = |style| p.isolations(style).into_iter().map(|(key, node)| (key, node.to_string())).collect::<Vec<_>>();
    assert_eq!(keys(KeyStyle::Index)[1], (vec![CellKey::Index(1)], "R.web[w2].p".to_string()));
    assert_eq!(keys(KeyStyle::Slug)[0], (vec![CellKey::Slug("w1".into())], "R.web[w1].p".to_string()));
    let host = p.node().roles().get("host")[1].clone();
    assert_eq!(keys(KeyStyle::Host)[1].0, [CellKey::Host(host.clone())]);
    assert_eq!(root.isolations(KeyStyle::Index).into_iter().map(|(key, _)| key).collect::<Vec<_>>(), [vec![]]);
    let cell = Inspector::new(&p.isolation(vec![CellKey::Slug("w2".into())]).unwrap());
    assert_eq!(cell.isolation_identifier(KeyStyle::Index), [CellKey::Index(1)]);
    assert_eq!(cell.isolation_identifier(KeyStyle::Host), [CellKey::Host(host)]);
    assert_eq!(cell.isolations(KeyStyle::Slug)[0].0, []);
    assert!(p.isolation(vec![CellKey::Slug("nope".into())]).is_err());
    assert!(root.isolation_identifier(KeyStyle::Slug).is_empty());
}

// rows: H-18 H-19
#[test]
fn a_walk_goes_breadth_first_and_can_be_repeated() {
    let walk = root().walk();
    let all = ["R", "R.z", "R.web", "R._hidden", "R.z.deep", "R.web.p", "R._hidden.open"];
    assert_eq!(paths(&walk), all);
    assert_eq!(paths(&walk), all);
    assert_eq!(walk.count(), Ok(7));
    let both = walk.filter(Filter::has_action("act")).filter(Filter::public_only());
    assert_eq!(paths(&both), ["R.z", "R.web", "R.z.deep", "R._hidden.open"]);
}

#[test]
fn a_walk_reports_what_cannot_be_placed_and_goes_on() {
    let one = class(&Class::parallel_node(), "One", &[]).just_one().unwrap();
    let leaf = class(&Class::node(), "Leaf", &[]);
    let root = Node::root(class(&Class::node(), "R", &[("one", child(&one)), ("leaf", child(&leaf))])).unwrap();
    let walk = Inspector::new(&root).walk();
    assert_eq!(
        paths(&walk),
        ["R", "R.one: needs exactly one host in the role 'host', has none; map a role with one host to it", "R.leaf"]
    );
    assert!(walk.count().is_err());
}

#[test]
fn a_walk_through_a_tree_that_doubles_with_every_level_ends() {
    let doubled = (0..40).fold(class(&Class::node(), "Leaf", &[]), |below, _| {
        class(&Class::node(), "N", &[("a", child(&below)), ("b", child(&below))])
    });
    let walk = Inspector::new(&Node::root(doubled).unwrap()).walk();
    assert!(walk.count().unwrap_err().message.contains("more than 100000 nodes"));
}

// rows: H-20
#[test]
fn a_walk_can_prefer_one_cell() {
    let walk = root().walk().filter(Filter::is_instance(&Class::parallel_node()));
    assert_eq!(paths(&walk), ["R.web", "R.web.p"]);
    let second = walk.clone().prefer_isolation(CellKey::Slug("w2".into()));
    assert_eq!(paths(&second), ["R.web[w2]", "R.web[w2].p"]);
    assert_eq!(paths(&walk.prefer_isolation(CellKey::Slug("nope".into()))), Vec::<String>::new());
    let of_all = root().walk().prefer_isolation(CellKey::Index(7));
    assert_eq!(paths(&of_all), ["R", "R.z", "R._hidden", "R.z.deep", "R._hidden.open"]);
}

// rows: H-22..H-26 H-28
#[test]
fn filters_combine_and_print_as_they_were_written() {
    struct Long;
    impl std::fmt::Display for Long {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("Long")
        }
    }
    impl Test for Long {
        fn matches(&self, node: &Node) -> bool {
            node.name().len() > 3
        }
    }
    let (public, private) = (Filter::public_only, Filter::private_only);
    let root = root();
    let web = root.child_node("web").unwrap();
    let other = Group { color: None, ..group("staging") };
    for (filter, shown, wanted) in [
        (public(), "PublicOnly", "R z web deep p open"),
        (private(), "PrivateOnly", "_hidden"),
        (Filter::has_action("act"), "HasAction(\"act\")", "z web deep open"),
        (Filter::is_instance(web.class()), "IsInstance(Web)", "web"),
        (Filter::in_group(&group("staging")), "InGroup(Staging)", "z deep"),
        (Filter::in_group(&other), "InGroup(Staging)", ""),
        (Filter::custom(Long), "Long", "_hidden deep open"),
        (private() | Filter::custom(Long) & public(), "(PrivateOnly | (Long & PublicOnly))", "_hidden deep open"),
        (!(private() | Filter::custom(Long)), "~(PrivateOnly | Long)", "R z web p"),
    ] {
        assert_eq!(filter.to_string(), shown);
        let names: Vec<String> = root.walk().filter(filter).iter().map(|node| node.unwrap().name().into()).collect();
        assert_eq!(names.join(" "), wanted, "{shown}");
    }
}

// rows: H-01 H-08 H-27 E-26
#[tokio::test]
async fn an_env_gives_envs_that_can_act() {
    let stage = Stage::new();
    let z = Inspector::new(&stage.env(&tree())).child_node("z").unwrap();
    let z = Inspector::new(&z);
    assert_eq!(z.root().to_string(), "Env(R)");
    assert_eq!(z.parent().unwrap().to_string(), "Env(R)");
    assert_eq!(z.query("query").unwrap().call(vec![]).await.unwrap().to_string(), "value");
    let act = z.action("other").unwrap();
    assert_eq!(act.owner().to_string(), "Env(R.z)");
    assert_eq!(act.call(vec![]).await.unwrap().to_string(), "R.z");
    assert!(z.property("needed").unwrap().call(vec![]).await.is_err());
    assert!(z.query("query").unwrap().call(vec![Value::Nil]).await.is_err());
    let parts = z.trace_query("query").await.unwrap();
    assert_eq!(parts.iter().map(|part| part.expression.as_str()).collect::<Vec<_>>(), ["Q", "Q.plain"]);
    assert!(z.trace_query("act").await.is_err());
}

// rows: H-21
#[tokio::test]
async fn an_action_can_be_called_on_every_node_of_a_walk() {
    let stage = Stage::new();
    let walk = Inspector::new(&stage.env(&tree())).walk();
    let mut calls = walk.clone().filter(Filter::has_action("act")).call_action("act", vec![]);
    let mut results = Vec::new();
    while let Some(result) = calls.next().await {
        results.push(result.unwrap().to_string());
    }
    assert_eq!(results, ["R.z", "R.web[w1]", "R.web[w2]", "R.z.deep", "R._hidden.open"]);
    let mut calls = walk.call_action("act", vec![]);
    assert_eq!(stage.events().len(), 10);
    assert_eq!(calls.next().await.unwrap().unwrap_err().to_string(), "R: no action 'act'");
    assert_eq!(calls.next().await.unwrap().unwrap().to_string(), "R.z");
}

#[test]
fn hosts_of_a_mapped_array_are_its_cells() {
    let array = class(&Class::parallel_node(), "A", &[]).array().unwrap();
    let array = array.with_hosts(crate::node::HostSource::Mapped(RoleMapping::new().role("host", ["db"]))).unwrap();
    let roles = Roles::new().role("db", [host("d1")]).role("web", [host("w1")]);
    let root = Class::node().extend("R").hosts(own(roles)).member("a", child(&array), None).build().unwrap();
    let a = Inspector::new(&Node::root(root).unwrap().child("a").unwrap());
    assert_eq!(
        a.isolations(KeyStyle::Slug).into_iter().map(|(key, _)| key).collect::<Vec<_>>(),
        [[CellKey::Slug("d1".into())]]
    );
}

#[tokio::test]
async fn an_action_in_a_walk_is_called_once_per_cell_of_each_dimension() {
    let stage = Stage::new();
    let act = action(|env, _| async move { Ok(env.node().cell_label().into()) });
    let array = class(&Class::parallel_node(), "A", &[("act", act)]).array().unwrap();
    let root = Class::node().extend("R").hosts(own(Roles::new().role("web", hosts(["w1", "w2", "w3"]))));
    let env = stage.env(&root.member("a", child(&array), None).build().unwrap());
    let mut calls = Inspector::new(&env).walk().filter(Filter::has_action("act")).call_action("act", vec![]);
    let mut count = 0;
    while calls.next().await.is_some() {
        count += 1;
    }
    assert_eq!(count, 3);
}
