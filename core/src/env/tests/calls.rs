//! What names mean on an Env, and calls that run once.

use super::*;
use crate::node::tests::try_class;

fn node(name: &str, members: &[(&str, Member)]) -> Class {
    class(&Class::node(), name, members)
}

// rows: A-01 E-02 E-28
#[tokio::test]
async fn an_action_gets_its_env_and_its_arguments_and_gives_its_value() {
    let act = action(|env, args| async move { Ok(Value::List(vec![env.node().name().into(), Value::List(args)])) });
    let env = Env::new(Node::root(node("N", &[("act", act)])).unwrap(), RunContext::quiet());
    let value = env.call("act", vec![1.into(), "two".into()]).await.unwrap();
    assert_eq!(value.to_string(), "[N, [1, two]]");
}

// rows: A-39 E-07 A-15 A-22 G-21
#[tokio::test]
async fn every_kind_of_member_can_be_read() {
    let inner = node("Inner", &[("whereami", whereami())]);
    let members = [
        ("plain", text("value")),
        ("computed", property(|env| async move { Ok(env.node().to_string().into()) })),
        ("act", whereami()),
        ("inner", child(&inner)),
    ];
    let stage = Stage::new();
    let env = stage.env(&node("N", &members));
    for (name, wanted) in [
        ("plain", "value"),
        ("computed", "N"),
        ("act", "<Env.Action N.act>"),
        ("inner", "Env(N.inner)"),
        ("parent", "nil"),
        ("hosts", "[]"),
    ] {
        assert_eq!(env.get(name).await.unwrap().to_string(), wanted);
    }
    assert_eq!(env.child("inner").unwrap().parent().unwrap().to_string(), "Env(N)");
    assert!(env.get("nope").await.unwrap_err().to_string().contains("N: no attribute 'nope'"));
    assert!(env.get("host").await.unwrap_err().to_string().contains("has no 'host'"));
    for (name, wanted) in [
        ("nope", "N: no action 'nope'"),
        ("plain", "N: 'plain' is text, not an action"),
        ("computed", "N: 'computed' is a property: read it, do not call it"),
        ("inner", "N.inner: cannot be called: the node has no default action"),
    ] {
        assert_eq!(env.call(name, vec![]).await.unwrap_err().to_string(), wanted);
    }
    assert!(matches!(env.attribute("computed").unwrap(), Some(Attribute::Computed)));
    assert!(env.attribute("nope").unwrap().is_none());
}

// rows: A-21 B-07
#[tokio::test]
async fn a_required_value_says_what_it_is_for_until_it_is_given() {
    let reader = action(|env, _| async move { env.get("name").await });
    let base = node("Service", &[("name", Member::Required(Some("the unit".into()))), ("read", reader)]);
    let stage = Stage::new();
    let env = stage.env(&base);
    let message = "Service: required value 'name' is not set (the unit)";
    assert_eq!(env.get("name").await.unwrap_err().to_string(), message);
    let error = env.call("read", vec![]).await.unwrap_err();
    assert!(matches!(&*error.cause, Cause::Required { .. }));
    assert_eq!((error.to_string().as_str(), chain(&error)), (message, vec!["Service.read".to_string()]));
    let outer = node("Outer", &[("service", child(&base))]);
    for (class, path) in [
        (node("A", &[("x", child(&class(&base, "S", &[("name", text("plain"))])))]), "x"),
        (class(&outer, "B", &[("service__name", text("from outside"))]), "service"),
        (class(&outer, "C", &[("service__name", property(|_| async { Ok("computed".into()) }))]), "service"),
    ] {
        assert!(stage.env(&class).child(path).unwrap().call("read", vec![]).await.is_ok(), "{class}");
    }
}

// rows: B-03
#[tokio::test]
async fn an_action_given_from_outside_runs_on_the_inner_node() {
    let base = node("Outer", &[("inner", child(&node("Inner", &[])))]);
    let stage = Stage::new();
    let env = stage.env(&class(&base, "D", &[("inner__act", whereami())]));
    assert_eq!(env.child("inner").unwrap().call("act", vec![]).await.unwrap().to_string(), "D.inner");
}

// rows: A-17
#[tokio::test]
async fn an_overriding_action_can_call_the_base_action() {
    let base = node("Base", &[("act", whereami())]);
    let of_base = base.clone();
    let over = action(move |env, args| {
        let base = of_base.clone();
        async move { Ok(format!("over {}", base.call(&env, "act", args).await?).into()) }
    });
    let stage = Stage::new();
    let env = stage.env(&class(&base, "Derived", &[("act", over)]));
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "over Derived");
    assert!(base.call(&env, "nope", vec![]).await.unwrap_err().to_string().contains("has no action 'nope'"));
}

// rows: A-23
#[tokio::test]
async fn a_node_with_a_default_action_can_be_called() {
    let act = || action(|env, args| async move { Ok(format!("{} {args:?}", env.node()).into()) });
    let inner = node("Inner", &[("__call", act())]);
    let stage = Stage::new();
    let env = stage.env(&node("N", &[("__call", act()), ("inner", child(&inner))]));
    assert_eq!(env.invoke(vec![1.into()]).await.unwrap().to_string(), "N [1]");
    assert_eq!(env.call("inner", vec![]).await.unwrap().to_string(), "N.inner []");
    let array = stage.env(&with_array(&["w1", "w2"], &[("__call", act())])).child("a").unwrap();
    let both = array.invoke(vec![]).await.unwrap();
    assert_eq!(both.to_string(), "{ w1: R.a[w1] [], w2: R.a[w2] [] }");
    let cell = array.isolate(&CellKey::Index(1)).unwrap();
    assert_eq!(cell.invoke(vec![]).await.unwrap().to_string(), "R.a[w2] []");
}

// rows: E-24
#[tokio::test]
async fn every_alias_runs_the_action() {
    let act = Action::from_fn(|_, args| async move { Ok(Value::Int(args.len() as i64)) }).alias("x").alias("a.b c");
    let stage = Stage::new();
    let env = stage.env(&node("N", &[("act", Member::Action(act))]));
    for name in ["act", "x", "a.b c"] {
        assert_eq!(env.call(name, vec![Value::Nil]).await.unwrap(), Value::Int(1));
    }
}

// rows: A-03 E-09 E-04 A-29
#[tokio::test]
async fn every_way_to_a_node_gives_an_env_of_its_own() {
    let stage = Stage::new();
    let env = stage.env(&node("N", &[("inner", child(&node("Inner", &[])))]));
    assert_ne!(env.child("inner").unwrap(), env.child("inner").unwrap());
    assert_ne!(env.child("inner").unwrap().parent().unwrap(), env);
    assert_eq!(env.clone(), env);
    let whoami = Arc::new(Mutex::new(None));
    let seen = whoami.clone();
    let act = action(move |env, _| {
        *seen.lock().unwrap() = Some(env);
        async { Ok(Value::Nil) }
    });
    let env = stage.env(&node("M", &[("act", act)]));
    env.call("act", vec![]).await.unwrap();
    assert_eq!(whoami.lock().unwrap().take(), Some(env));
}

// rows: E-06 E-08
#[tokio::test]
async fn the_surrounding_travels_to_every_env_that_is_reached() {
    let stage = Stage::new();
    let context = RunContext { sandbox: true, parallel_limit: Some(3), ..stage.context.clone() };
    let outer = node("N", &[("inner", child(&node("Inner", &[])))]);
    let env = Env::new(Node::root(outer.clone()).unwrap(), context);
    let inner = env.child("inner").unwrap();
    let fresh = inner.initialize_node(&outer).unwrap();
    assert!(fresh.node().parent().is_none());
    assert!(env.initialize_node(&class(&Class::parallel_node(), "P", &[]).array().unwrap()).is_err());
    for env in [inner.parent().unwrap(), inner, fresh] {
        assert!(env.context().sandbox);
        assert_eq!(env.context().parallel_limit, Some(3));
    }
}

// rows: A-40
#[tokio::test]
async fn a_node_in_the_middle_can_be_wrapped_on_its_own() {
    let stage = Stage::new();
    let root = Node::root(with_array(&["w1"], &[("act", whereami())])).unwrap();
    let env = Env::new(root.child("a").unwrap(), stage.context.clone());
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "{ w1: R.a[w1] }");
}

// rows: E-01 E-27
#[tokio::test]
async fn every_evaluation_is_a_group_in_the_log() {
    let inner = property(|_| async { Err(ActionError::usage("no")) });
    let outer = action(|env, _| async move {
        let _caught = env.get("p").await;
        Ok(Value::Nil)
    });
    let stage = Stage::new();
    let env = stage.env(&node("N", &[("p", inner), ("act", outer)]));
    env.call("act", vec!["x".repeat(1000).as_str().into(), 2.into()]).await.unwrap();
    let entered = format!("> N.act(\"{}..., 2)", "x".repeat(199));
    assert_eq!(stage.events(), [entered.as_str(), "> N.p()", "! no", "< N.p failed", "< N.act ok"]);
}

#[tokio::test]
async fn a_call_that_is_given_up_leaves_its_groups() {
    let never = action(|_, _| std::future::pending());
    let outer = action(|env, _| async move { env.call("never", vec![]).await });
    let stage = Stage::new();
    let env = stage.env(&node("N", &[("never", never), ("act", outer)]));
    {
        let call = env.call("act", vec![]);
        tokio::pin!(call);
        assert!(futures_util::poll!(call.as_mut()).is_pending());
    }
    tokio::task::yield_now().await;
    assert_eq!(stage.events(), ["> N.act()", "> N.never()", "< N.never failed", "< N.act failed"]);
}

// rows: A-25
#[tokio::test]
async fn members_added_later_work_like_the_others() {
    let class = node("N", &[]);
    let stage = Stage::new();
    let env = stage.env(&class);
    class.define("act", whereami(), None).unwrap();
    class.define("p", property(|_| async { Ok("computed".into()) }), None).unwrap();
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "N");
    assert_eq!(env.get("p").await.unwrap().to_string(), "computed");
    assert!(try_class(&class, "D", &[("host", text("x"))]).is_err());
}
