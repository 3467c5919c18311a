//! Inheritance, nesting rules, later definitions.

use super::*;

fn node(name: &str, members: &[(&str, Member)]) -> Class {
    class(&Class::node(), name, members)
}

// rows: A-02 A-28
#[test]
fn a_child_is_named_after_its_attribute_and_knows_its_parent() {
    let inner = node("Inner", &[]);
    let root = Node::root(node("Outer", &[("first", child(&inner)), ("second", child(&inner))])).unwrap();
    let second = root.child("second").unwrap();
    assert_eq!(second.name(), "second");
    assert_eq!(second.class().name(), "Inner");
    assert_eq!(second.to_string(), "Outer.second");
    assert_eq!(second.parent().unwrap().name(), "Outer");
    assert!(root.parent().is_none());
    assert_eq!(root.class().member("second").map(|m| format!("{m:?}")), Some("Child(<class Inner>)".to_string()));
}

// rows: A-16
#[test]
fn any_member_can_be_replaced_in_a_subclass() {
    let base = node("Base", &[("a", text("1")), ("b", text("2")), ("c", child(&node("C", &[])))]);
    let derived = class(&class(&base, "Middle", &[]), "Derived", &[("a", child(&node("A", &[]))), ("c", text("3"))]);
    assert_eq!(value(&derived, "a"), "Some(Child(<class A>))");
    assert_eq!(value(&derived, "b"), "2");
    assert_eq!(value(&derived, "c"), "3");
    assert_eq!(value(&base, "a"), "1");
}

// rows: A-20
#[test]
fn host_is_reserved_also_through_an_override() {
    let base = node("Base", &[("child", child(&node("Child", &[])))]);
    for name in ["host", "child__host"] {
        let error = try_class(&base, "Derived", &[(name, text("x"))]).unwrap_err();
        assert!(error.message.contains("'host' is reserved"), "{error}");
    }
}

// rows: A-31 A-32
#[test]
fn nesting_is_checked_when_the_class_is_defined() {
    let normal = node("Normal", &[]);
    let parallel = class(&Class::parallel_node(), "Parallel", &[]);
    let array = parallel.array().unwrap();
    let one = parallel.just_one().unwrap();
    let kinds = [("normal", &normal), ("parallel", &parallel), ("array", &array), ("one", &one)];
    let allowed = [
        ("normal", "normal"),
        ("normal", "array"),
        ("normal", "one"),
        ("array", "parallel"),
        ("one", "parallel"),
        ("parallel", "parallel"),
        ("parallel", "normal"),
        ("array", "normal"),
        ("one", "normal"),
    ];
    for (outer, parent) in kinds {
        for (inner, nested) in kinds {
            let at_definition = try_class(parent, "X", &[("inner", child(nested))]);
            let later = class(parent, "Y", &[]).define("inner", child(nested), None);
            assert_eq!(at_definition.is_ok(), allowed.contains(&(outer, inner)), "{inner} in {outer}");
            assert_eq!(later.is_ok(), allowed.contains(&(outer, inner)), "{inner} later in {outer}");
        }
    }
}

// rows: A-25
#[test]
fn members_added_later_are_members_of_subclasses_too() {
    let base = node("Base", &[("a", text("1"))]);
    let derived = class(&base, "Derived", &[]);
    let added = node("Added", &[]);
    base.define("child", child(&added), None).unwrap();
    base.define("a", text("2"), None).unwrap();
    assert_eq!(derived.member("child").map(|m| format!("{m:?}")), Some("Child(<class Added>)".to_string()));
    assert!(matches!(base.member("child"), Some(Member::Child(class)) if class == added));
    assert_eq!(value(&derived, "a"), "2");
}

// rows: A-36 W-24
#[test]
fn members_are_listed_in_the_order_in_which_they_were_defined() {
    let array = class(&Class::parallel_node(), "P", &[]).array().unwrap();
    let base = node("Base", &[("z", text("1")), ("p", child(&array)), ("n", child(&node("N", &[])))]);
    let derived = class(&base, "Derived", &[("a", text("2")), ("p", child(&array)), ("m", text("3"))]);
    derived.define("b", text("4"), None).unwrap();
    let names: Vec<String> = derived.members().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["z", "p", "n", "a", "m", "b"]);
}

// rows: A-24
#[test]
fn a_class_is_its_bases() {
    let base = node("Base", &[("child", child(&node("Child", &[])))]);
    let Some(Member::Child(inner)) = base.member("child") else { panic!("child") };
    let derived = class(&base, "Derived", &[("child__x", text("1"))]);
    let Some(Member::Child(changed)) = derived.member("child") else { panic!("child") };
    assert!(derived.is_a(&base) && derived.is_a(&Class::node()) && !derived.is_a(&Class::parallel_node()));
    assert!(changed.is_a(&inner) && changed != inner && changed.name() == "Child");
    let array = class(&Class::parallel_node(), "P", &[]).array().unwrap();
    assert!(array.is_a(&Class::parallel_node()));
}

// rows: C-23
#[test]
fn array_and_just_one_apply_once_and_only_to_parallel_classes() {
    let parallel = class(&Class::parallel_node(), "P", &[]);
    let array = class(&parallel.array().unwrap(), "A", &[]);
    let one = parallel.just_one().unwrap();
    for class in [node("N", &[]), array, one] {
        assert!(class.array().is_err() && class.just_one().is_err(), "{class}");
    }
}

// rows: E-24
#[test]
fn an_alias_is_another_name_of_the_action_and_a_member_of_its_own() {
    let action = Action::from_fn(|_, _| async { Ok(Value::Nil) }).alias("other name").alias("a.b").alias("x__y");
    let class = node("N", &[("act", Member::Action(action)), ("later", text("1"))]);
    let names: Vec<String> = class.members().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["act", "other name", "a.b", "x__y", "later"]);
    assert!(matches!(class.member("a.b"), Some(Member::Action(_))));
}

#[test]
fn a_class_cannot_contain_itself() {
    let outer = node("Outer", &[]);
    let middle = node("Middle", &[("outer", child(&class(&outer, "More", &[])))]);
    let error = outer.define("middle", child(&middle), None).unwrap_err();
    assert!(error.message.contains("would contain itself"), "{error}");
    assert!(outer.define("itself", child(&outer), None).is_err());
}

#[test]
fn node_itself_cannot_be_changed() {
    assert!(Class::node().define("a", text("1"), None).is_err());
    assert!(Class::parallel_node().define("a", text("1"), None).is_err());
}

#[test]
fn endless_chains_of_classes_are_refused_or_dropped_without_harm() {
    let mut class = Class::node();
    let refused = (0..1000).find_map(|_| match class.extend("").build() {
        Ok(next) => {
            class = next;
            None
        }
        Err(error) => Some(error),
    });
    assert!(refused.unwrap().message.contains("extend each other"));
    let mut nested = node("Leaf", &[]);
    for _ in 0..200_000 {
        nested = Class::node().extend("").member("child", child(&nested), None).build().unwrap();
    }
    let mut node = Node::root(nested).unwrap();
    let refused = (0..1000).find_map(|_| match node.child("child") {
        Ok(next) => {
            node = next;
            None
        }
        Err(error) => Some(error),
    });
    assert!(refused.unwrap().message.contains("nodes deep"));
}

#[test]
fn errors_say_where() {
    let position = Position::new("deploy.lua", 12);
    let error = Class::node().extend("N").member("host", text("x"), Some(position)).build().unwrap_err();
    assert_eq!(error.to_string(), "deploy.lua:12: 'host' is reserved: it is the host of a cell");
    let twice = try_class(&Class::node(), "N", &[("a", text("1")), ("a", text("2"))]).unwrap_err();
    assert!(twice.message.contains("'a' is defined twice"), "{twice}");
}

// rows: J-04 J-05 H-15
#[test]
fn groups_are_inherited_from_bases_and_from_above() {
    let leaf = node("Leaf", &[]);
    let plain = node("Plain", &[("leaf", child(&leaf)), ("own", child(&leaf.with_group(group("beta"))))]);
    let production = plain.with_group(group("production"));
    assert!(plain.group().is_none());
    assert_eq!(production.name(), "Plain");
    let root = Node::root(class(&production, "Sub", &[])).unwrap();
    assert_eq!(root.child("leaf").unwrap().group(), Some(group("production")));
    assert_eq!(root.child("own").unwrap().group(), Some(group("beta")));
    assert_eq!(root.child("leaf").unwrap().class().group(), None);
}

fn group(name: &str) -> Group {
    Group::built_in(name).unwrap()
}

#[test]
fn documentation_comes_from_the_nearest_class_that_has_some() {
    let base = Class::node().extend("Base").doc("what it is").build().unwrap();
    let derived = base.extend("Derived").position(Position::new("f", 3)).build().unwrap();
    assert_eq!(derived.doc().as_deref(), Some("what it is"));
    assert_eq!(derived.position().unwrap().line, 3);
    assert_eq!(derived.extend("More").doc("better").build().unwrap().doc().as_deref(), Some("better"));
}
