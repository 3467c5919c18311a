//! Double-underscore overrides (section B).

use proptest::prelude::*;

use super::*;

fn node(name: &str, members: &[(&str, Member)]) -> Class {
    class(&Class::node(), name, members)
}

/// Three levels: `a`, `a.b`, and siblings around them.
fn tree() -> Class {
    let b = node("B", &[("value", text("base b")), ("needed", Member::Required(None))]);
    let a = node("A", &[("value", text("base a")), ("b", child(&b)), ("last", text("x"))]);
    node("Tree", &[("before", child(&b)), ("a", child(&a)), ("after", text("y")), ("plain", text("z"))])
}

// rows: B-01 B-02 B-04 B-07 B-08 B-14 W-25
#[test]
fn values_change_at_any_depth_and_nothing_else_does() {
    let base = tree();
    let derived = class(
        &base,
        "Derived",
        &[
            ("a__value", text("new a")),
            ("a__b__value", text("new b")),
            ("a__b__needed", text("given")),
            ("a__b__brand_new", text("added")),
        ],
    );
    for (path, before, after) in [
        ("a.value", "base a", "new a"),
        ("a.b.value", "base b", "new b"),
        ("a.b.needed", "Some(Required(None))", "given"),
        ("a.b.brand_new", "None", "added"),
        ("a.last", "x", "x"),
        ("before.value", "base b", "base b"),
    ] {
        assert_eq!((value(&base, path).as_str(), value(&derived, path).as_str()), (before, after), "{path}");
    }
    let names = |class: &Class| class.members().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names(&derived), names(&base));
    let root = Node::root(derived).unwrap();
    assert_eq!(root.child("a").unwrap().child("b").unwrap().to_string(), "Derived.a.b");
}

// rows: B-06 B-03
#[test]
fn children_and_actions_can_be_added_inside() {
    let added = node("Added", &[("deep", text("here"))]);
    let act = Member::Action(Action::from_fn(|env, _| async move { Ok(env.node().name().into()) }));
    let derived = class(&tree(), "D", &[("a__b__c", child(&added)), ("a__b__act", act)]);
    assert_eq!(value(&derived, "a.b.c.deep"), "here");
    let Some(Member::Child(a)) = derived.member("a") else { panic!("a") };
    let Some(Member::Child(b)) = a.member("b") else { panic!("b") };
    assert!(matches!(b.member("act"), Some(Member::Action(_))));
}

// rows: B-05
#[test]
fn inner_hosts_can_be_replaced() {
    let roles = Roles::new().role("web", hosts(["w1", "w2"]));
    let derived = tree().extend("D").child_hosts(&["a", "b"], own(roles), None).build().unwrap();
    let a = Node::root(derived).unwrap().child("a").unwrap();
    assert!(a.roles().0.is_empty());
    assert_eq!(slugs(a.child("b").unwrap().roles().get("web")), ["w1", "w2"]);
}

// rows: B-09..B-13 B-15
#[test]
fn wrong_overrides_are_errors_at_definition() {
    let added = node("Added", &[]);
    for (members, wanted) in [
        (vec![("nope__x", text("1"))], "'nope__x' cannot be set: Tree has no child 'nope' (children: before, a)"),
        (vec![("a__nope__x", text("1"))], "'a__nope__x' cannot be set: A has no child 'nope' (children: b)"),
        (vec![("plain__x", text("1"))], "'plain__x' cannot be set: 'plain' is not a child node"),
        (vec![("a__value__x", text("1"))], "'a__value__x' cannot be set: 'value' is not a child node"),
        (vec![("a__x", text("1")), ("a", child(&added))], "'a' is defined and overridden by 'a__x' in the same class"),
        (vec![("a", child(&added)), ("a__x", text("1"))], "'a' is defined and overridden by 'a__x' in the same class"),
        (vec![("a__", text("1"))], "a member needs a name"),
        (vec![("a__x", text("1")), ("a__x", text("2"))], "'x' is defined twice in one class"),
    ] {
        let error = try_class(&tree(), "D", &members).unwrap_err();
        assert_eq!(error.message, wanted);
    }
    let roles = own(Roles::new().role("web", [host("same"), host("same")]));
    assert!(tree().extend("D").child_hosts(&["nope"], roles.clone(), None).build().is_err());
    assert!(tree().extend("D").child_hosts(&["a"], roles, None).build().is_err());
    let leading = class(&tree(), "D", &[("__a__b", text("left alone"))]);
    assert_eq!(value(&leading, "__a__b"), "left alone");
}

#[test]
fn an_override_with_endless_steps_is_an_error() {
    let name = "a__".repeat(100_000) + "x";
    assert!(try_class(&tree(), "D", &[(&name, text("1"))]).is_err());
}

#[test]
fn later_overrides_stack_on_earlier_ones() {
    let derived = class(&tree(), "D", &[("a__value", text("first"))]);
    derived.define("a__b__value", text("second"), None).unwrap();
    derived.define("a__last", text("third"), None).unwrap();
    assert_eq!(value(&derived, "a.value"), "first");
    assert_eq!(value(&derived, "a.b.value"), "second");
    assert_eq!(value(&derived, "a.last"), "third");
    assert!(derived.define("nope__x", text("1"), None).is_err());
}

proptest! {
    // rows: B-08
    #[test]
    fn the_order_of_overrides_does_not_matter(order in Just(vec![0, 1, 2, 3, 4]).prop_shuffle()) {
        let all = ["a__value", "a__b__value", "a__last", "before__value", "after"];
        let members: Vec<(&str, Member)> = order.iter().map(|i| (all[*i], text(all[*i]))).collect();
        let derived = class(&tree(), "D", &members);
        for name in all {
            prop_assert_eq!(value(&derived, &name.replace("__", ".")), name);
        }
        let names: Vec<String> = derived.members().into_iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, ["before", "a", "after", "plain"]);
    }
}
