//! Parallel nodes, arrays, just-one nodes, their cells and how they are addressed (section C).

use proptest::prelude::*;

use super::*;

fn parallel(name: &str, members: &[(&str, Member)]) -> Class {
    class(&Class::parallel_node(), name, members)
}

fn array(name: &str, members: &[(&str, Member)], role: &str) -> Class {
    let mapping = RoleMapping::new().role("host", [role]).role("extra", ["extra"]);
    parallel(name, members).array().unwrap().with_hosts(HostSource::Mapped(mapping)).unwrap()
}

fn root(roles: Roles, members: &[(&str, Member)]) -> Node {
    let builder = Class::node().extend("R").hosts(own(roles));
    let builder = members.iter().fold(builder, |b, (name, member)| b.member(name, member.clone(), None));
    Node::root(builder.build().unwrap()).unwrap()
}

fn slug(text: &str) -> CellKey {
    CellKey::Slug(text.to_string())
}

fn paths(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(Node::to_string).collect()
}

/// `R` (normal) -> `a` (array over `web`) -> `n` (normal) -> `b` (array over `extra`), with parallel nodes inside.
fn two_dimensions(outer: &[HostDef], inner: &[HostDef]) -> Node {
    let leaf = parallel("Leaf", &[]);
    let b = {
        let mapping = RoleMapping::new().role("host", ["extra"]).role("outer", ["host"]);
        parallel("B", &[("leaf", child(&leaf))]).array().unwrap().with_hosts(HostSource::Mapped(mapping)).unwrap()
    };
    let n = class(&Class::node(), "N", &[("b", child(&b))]);
    let a = array("A", &[("n", child(&n)), ("p", child(&leaf))], "web");
    let roles = Roles::new().role("web", outer.to_vec()).role("extra", inner.to_vec());
    root(roles, &[("a", child(&a))])
}

// rows: C-02 C-03 C-04 C-13..C-17
#[test]
fn a_cell_has_one_host_and_all_the_extra_roles() {
    let web = hosts(["w1", "w2"]);
    let node = two_dimensions(&web, &hosts(["x", "y"])).child("a").unwrap();
    assert!(node.host().is_none());
    for key in [CellKey::Index(1), CellKey::Host(web[1].clone()), slug("w2"), CellKey::Tuple(vec![slug("w2")])] {
        let cell = node.isolate(&key).unwrap();
        assert_eq!(cell.to_string(), "R.a[w2]");
        assert_eq!(cell.host(), Some(&web[1]));
        assert_eq!(cell.cell().map(|cell| cell.index), Some(1));
        assert_eq!(slugs(cell.roles().get("host")), ["w2"]);
        assert_eq!(slugs(cell.roles().get("extra")), ["x", "y"]);
    }
    for key in [CellKey::Index(2), slug("x"), CellKey::Host(host("w1")), CellKey::Tuple(vec![])] {
        assert!(node.isolate(&key).is_err(), "{key:?}");
    }
    let error = node.isolate(&slug("w3")).unwrap_err();
    assert_eq!(error.to_string(), "R.a: no cell 'w3' (cells: w1, w2)");
}

// rows: C-18 C-19 C-33 A-34
#[test]
fn an_isolated_node_is_its_only_cell() {
    let root = two_dimensions(&hosts(["w1"]), &[]);
    assert!(root.is_isolated());
    assert_eq!(paths(&root.cells()), ["R"]);
    let cell = root.child("a").unwrap().isolate(&CellKey::Index(0)).unwrap();
    assert_eq!(paths(&cell.cells()), ["R.a[w1]"]);
    assert!(root.isolate(&CellKey::Index(0)).is_err() && cell.isolate(&CellKey::Index(0)).is_err());
    assert!(root.isolate(&CellKey::Tuple(vec![])).is_ok());
}

// rows: A-33 C-20 C-22
#[test]
fn an_array_takes_all_hosts_unless_told_otherwise() {
    let [a, b, c] = hosts(["a", "b", "c"]);
    let roles = Roles::new().role("x", [b.clone(), a]).role("y", [c, b]);
    let plain = parallel("P", &[]);
    let with_own = plain.with_hosts(own(Roles::new().role("host", hosts(["own"])))).unwrap();
    let members = [("all", child(&plain.array().unwrap())), ("own", child(&with_own.array().unwrap()))];
    let root = root(roles, &members);
    assert_eq!(paths(&root.child("all").unwrap().cells()), ["R.all[b]", "R.all[a]", "R.all[c]"]);
    assert_eq!(paths(&root.child("own").unwrap().cells()), ["R.own[own]"]);
}

// rows: C-21 C-32
#[test]
fn just_one_wants_exactly_one_host() {
    let inner = parallel("Inner", &[]);
    let one = parallel("One", &[("inner", child(&inner))]).just_one().unwrap();
    let with = |roles| root(roles, &[("one", child(&one))]).child("one");
    let node = with(Roles::new().role("db", hosts(["d"]))).unwrap();
    assert!(node.is_isolated() && !node.forks());
    assert_eq!(node.host().map(HostDef::slug), Some("d"));
    assert_eq!(node.child("inner").unwrap().host().map(HostDef::slug), Some("d"));
    assert!(node.child("inner").unwrap().is_isolated());
    let error = with(Roles::new().role("db", hosts(["d", "e"]))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "R.one: needs exactly one host in the role 'host', has d, e; map a role with one host to it"
    );
    assert!(with(Roles::new()).is_err());
}

// rows: A-30 A-35
#[test]
fn an_array_cannot_be_a_root() {
    let plain = parallel("P", &[]);
    assert!(Node::root(plain.array().unwrap()).is_err());
    assert!(Node::root(plain.just_one().unwrap()).is_err());
    let roles = own(Roles::new().role("host", hosts(["a", "b"])));
    let node = Node::root(plain.with_hosts(roles).unwrap()).unwrap();
    assert_eq!(paths(&node.cells()), ["P[a]", "P[b]"]);
    assert!(node.cells()[0].parent().is_none());
}

// rows: C-24 C-25 C-28 C-29 A-11
#[test]
fn a_cell_is_shared_downwards_and_left_upwards() {
    let a = two_dimensions(&hosts(["w1", "w2"]), &[]).child("a").unwrap();
    let p = a.child("p").unwrap();
    assert!(!p.is_isolated() && p.forks());
    assert_eq!(paths(&p.cells()), ["R.a[w1].p", "R.a[w2].p"]);
    let inner = a.isolate(&slug("w2")).unwrap().child("p").unwrap();
    assert!(inner.is_isolated());
    assert_eq!(inner.host().map(HostDef::slug), Some("w2"));
    assert!(inner.same_place(&p.isolate(&slug("w2")).unwrap()));
    let up = inner.parent().unwrap();
    assert_eq!(up.to_string(), "R.a[w2]");
    assert_eq!(up.child("p").unwrap().host().map(HostDef::slug), Some("w2"));
    let top = up.parent().unwrap();
    assert_eq!(top.to_string(), "R");
    assert!(!top.child("a").unwrap().is_isolated());
}

// rows: C-30 W-34
#[test]
fn a_normal_node_below_an_array_acts_once_from_outside() {
    let a = two_dimensions(&hosts(["w1", "w2"]), &[]).child("a").unwrap();
    let n = a.child("n").unwrap();
    assert!(!n.is_isolated() && !n.forks());
    assert_eq!(slugs(n.roles().get("host")), ["w1", "w2"]);
    let cell = n.isolate(&slug("w1")).unwrap();
    assert!(cell.is_isolated());
    assert_eq!(slugs(cell.roles().get("host")), ["w1"]);
    assert!(cell.same_place(&a.isolate(&slug("w1")).unwrap().child("n").unwrap()), "whichever way it is reached");
}

// rows: C-26
#[test]
fn each_array_below_a_normal_node_adds_a_dimension() {
    let b = two_dimensions(&hosts(["w1", "w2"]), &hosts(["x", "y", "z"])).child("a").unwrap().child("n").unwrap();
    let b = b.child("b").unwrap();
    assert_eq!(b.cells().len(), 6);
    let both = CellKey::Tuple(vec![slug("w2"), CellKey::Index(2)]);
    let cell = b.isolate(&both).unwrap();
    assert_eq!(cell.to_string(), "R.a[w2].n.b[z]");
    assert_eq!(cell.cell_label(), "w2/z");
    assert_eq!(slugs(cell.roles().get("outer")), ["w2"]);
    let n = cell.parent().unwrap();
    assert_eq!(n.to_string(), "R.a[w2].n");
    assert!(n.child("b").unwrap().isolate(&slug("z")).unwrap().same_place(&cell));
    assert!(b.child("leaf").unwrap().isolate(&both).unwrap().same_place(&cell.child("leaf").unwrap()));
    for wrong in [
        vec![slug("w2")],
        vec![slug("w2"), slug("z"), slug("z")],
        vec![slug("z"), slug("w2")],
        vec![CellKey::Tuple(vec![slug("w2")]), slug("z")],
    ] {
        assert!(b.isolate(&CellKey::Tuple(wrong.clone())).is_err(), "{wrong:?}");
    }
}

proptest! {
    // rows: C-25 C-26 C-33
    #[test]
    fn cells_are_the_product_of_the_dimensions(outer in 0usize..6, inner in 0usize..6) {
        let make = |prefix: &str, count| (0..count).map(|i| host(&format!("{prefix}{i}"))).collect::<Vec<_>>();
        let (web, extra) = (make("w", outer), make("x", inner));
        let leaf = ["a", "n", "b", "leaf"].iter().try_fold(two_dimensions(&web, &extra), |node, name| node.child(name));
        let leaf = leaf.unwrap();
        let cells = leaf.cells();
        prop_assert_eq!(cells.len(), outer * inner);
        for (index, cell) in cells.iter().enumerate() {
            let key = vec![CellKey::Host(web[index / inner].clone()), CellKey::Index(index % inner)];
            prop_assert!(leaf.isolate(&CellKey::Tuple(key.clone())).unwrap().same_place(cell));
            let first_b = leaf.parent().unwrap().isolate(&CellKey::Tuple(key)).unwrap();
            prop_assert!(first_b.child("leaf").unwrap().same_place(cell));
            prop_assert!(cell.is_isolated() && !cell.forks());
        }
    }
}
