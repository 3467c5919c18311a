//! Hosts by role and role mapping (sections A and D).

use super::*;

fn below(parent: Roles, source: HostSource) -> Result<Roles, NodeError> {
    let inner = Class::node().extend("Inner").hosts(source).build().unwrap();
    let outer = Class::node().extend("Outer").hosts(own(parent)).member("inner", child(&inner), None).build().unwrap();
    Ok(Node::root(outer)?.child("inner")?.roles().clone())
}

fn shown(roles: &Roles) -> String {
    let role = |(name, hosts): (&String, &Vec<HostDef>)| format!("{name}={}", slugs(hosts).join("+"));
    roles.0.iter().map(role).collect::<Vec<_>>().join(" ")
}

fn parent() -> Roles {
    let [a, b, c] = hosts(["a", "b", "c"]);
    Roles::new().role("role10", [b.clone(), a.clone()]).role("role9", [c.clone(), b]).role("empty", []).role("db", [a])
}

// rows: A-04 A-08 A-10 A-11 A-12 A-14 D-01..D-06 D-08 D-10 W-21 W-28
#[test]
fn hosts_come_from_the_parent_from_itself_or_by_mapping() {
    let mapping = || HostSource::Mapped(RoleMapping::new().role("host", ["role9", "role10"]).role("x", ["role10"]));
    let all = || HostSource::Mapped(RoleMapping::new().all("host").role("none", ["nope"]));
    for (source, wanted) in [
        (HostSource::Inherit, "role10=b+a role9=c+b empty= db=a"),
        (own(Roles::new().role("web", hosts(["w"]))), "web=w"),
        (mapping(), "host=c+b+a x=b+a"),
        (all(), "host=b+a+c none="),
        (HostSource::Mapped(RoleMapping::new()), ""),
    ] {
        assert_eq!(shown(&below(parent(), source.clone()).unwrap()), wanted, "{source:?}");
    }
    let mapping = RoleMapping::new().role("host", ["nope", "db"]).all("rest");
    assert_eq!(mapping.unknown(&parent()), ["nope"]);
    let own_hosts = own(Roles::new().role("web", hosts(["w"])));
    for sources in [[own_hosts.clone(), all()], [all(), own_hosts]] {
        let class = sources.into_iter().fold(Class::node().extend("N"), ClassBuilder::hosts).build().unwrap();
        assert!(matches!(class.hosts(), HostSource::Mapped(_)));
    }
}

// rows: D-09
#[test]
fn mappings_compose_level_by_level() {
    let leaf = Class::node().extend("Leaf").hosts(HostSource::Mapped(RoleMapping::new().role("c", ["b", "role9"])));
    let leaf = leaf.build().unwrap();
    let middle = HostSource::Mapped(RoleMapping::new().role("b", ["db"]));
    let middle = Class::node().extend("Middle").hosts(middle).member("leaf", child(&leaf), None).build().unwrap();
    let root = Class::node().extend("Root").hosts(own(parent())).member("middle", child(&middle), None).build();
    let leaf = Node::root(root.unwrap()).unwrap().child("middle").unwrap().child("leaf").unwrap();
    assert_eq!(shown(leaf.roles()), "c=a");
}

// rows: A-13
#[test]
fn a_root_without_hosts_has_none() {
    assert_eq!(*Node::root(class(&Class::node(), "N", &[])).unwrap().roles(), Roles::new());
    let mapped = Class::node().with_hosts(HostSource::Mapped(RoleMapping::new().all("host"))).unwrap();
    assert_eq!(*Node::root(mapped).unwrap().roles(), Roles::new());
}

// rows: A-09
#[test]
fn a_slug_names_one_host_of_a_role() {
    let twice = own(Roles::new().role("web", [host("x"), host("x")]));
    let error = Class::node().extend("N").hosts(twice).build().unwrap_err();
    assert_eq!(error.message, "role 'web' has two hosts with the slug 'x': give one of them another slug");
    let apart = Roles::new().role("web", [host("x")]).role("db", [host("x")]);
    assert!(Class::node().extend("N").hosts(own(apart.clone())).build().is_ok());
    let error = below(apart, HostSource::Mapped(RoleMapping::new().all("host"))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Outer.inner: role 'host' unites two hosts with the slug 'x': give one of them another slug"
    );
}

// rows: D-12
#[test]
fn a_mapped_class_is_a_copy_that_keeps_its_name() {
    let class = Class::node().extend("N").position(Position::new("f", 7)).build().unwrap();
    let mapped = class.with_hosts(HostSource::Mapped(RoleMapping::new().all("host"))).unwrap();
    assert_eq!(class.hosts(), HostSource::Inherit);
    assert_eq!((mapped.name(), mapped.position().map(|p| p.line)), ("N", Some(7)));
}
