//! What leaves an action when it fails, and what the operator can do about it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::host::{ConnectError, HostError};

fn node(members: &[(&str, Member)]) -> Class {
    class(&Class::node(), "N", members)
}

fn calls(name: &'static str) -> Member {
    action(move |env, args| async move { env.call(name, args).await })
}

/// Fails as a command would until it was tried this often.
fn fails_until(tries: usize) -> (Member, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let act = action(move |_, _| {
        let tried = counter.fetch_add(1, Ordering::SeqCst) + 1;
        async move { if tried < tries { Err(failure("web1", 7)) } else { Ok("done".into()) } }
    });
    (act, count)
}

// rows: E-10 E-11 K-13
#[tokio::test]
async fn an_error_tells_through_which_actions_it_went_and_is_logged_once() {
    let broken = action(|_, _| async { Err(ActionError::usage("broken")) });
    let stage = Stage::new();
    let env = stage.env(&node(&[("a", calls("b")), ("b", calls("c")), ("c", broken)]));
    let error = env.call("a", vec![]).await.unwrap_err();
    assert_eq!(error.to_string(), "broken");
    assert_eq!(chain(&error), ["N.c", "N.b", "N.a"]);
    assert!(error.chain[0].position.as_ref().unwrap().file.ends_with("errors.rs"));
    let logged: Vec<String> = stage.events().into_iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(logged, ["! broken"]);
}

#[tokio::test]
async fn a_frame_tells_the_line_of_the_call_where_the_front_end_knows_it() {
    let at = |line| Some(crate::node::Position::new("deploy.lua", line));
    let inner = action(move |_, _| async move { Err(ActionError::usage("broken").raised_at(at(7))) });
    let outer =
        action(move |env, _| async move { env.call("inner", vec![]).await.map_err(|error| error.raised_at(at(3))) });
    let env = Stage::new().env(&node(&[("inner", inner), ("outer", outer)]));
    let error = env.call("outer", vec![]).await.unwrap_err();
    assert_eq!(error.chain.iter().map(|frame| frame.position.clone()).collect::<Vec<_>>(), [at(7), at(3)]);
}

// rows: K-10
#[tokio::test]
async fn every_error_of_the_library_is_one_type_with_its_cause() {
    let fails = action(|_, _| async { Err(failure("web1", 7)) });
    let dead = action(|_, _| async { Err(unreachable()) });
    let broken = Member::Query(crate::query::Query::new(crate::query::Expression::Start.attribute("nope").unwrap()));
    let members = [("fails", fails), ("dead", dead), ("query", broken), ("required", Member::Required(None))];
    let class = Class::node().extend("R").hosts(own(Roles::new().role("host", hosts(["web1", "web2"]))));
    let array = class_of(&members).array().unwrap();
    let class = members.iter().fold(class, |class, (name, member)| class.member(name, member.clone(), None));
    let env = Stage::new().env(&class.member("all", child(&array), None).build().unwrap());
    let library: Vec<Box<dyn std::error::Error>> = vec![
        Box::new(env.call("fails", vec![]).await.unwrap_err()),
        Box::new(env.call("dead", vec![]).await.unwrap_err()),
        Box::new(env.child("all").unwrap().call("fails", vec![]).await.unwrap_err()),
        Box::new(env.get("required").await.unwrap_err()),
        Box::new(env.get("nope").await.unwrap_err()),
        Box::new(env.get("query").await.unwrap_err()),
        Box::new(env.child("nope").unwrap_err()),
        Box::new(ActionError::usage("wrong use")),
    ];
    let causes = library.iter().map(|error| match &*error.downcast_ref::<ActionError>().unwrap().cause {
        Cause::Run(RunError::Failed(_)) => "command",
        Cause::Run(RunError::Host(HostError::Connect(_))) => "connection",
        Cause::Parallel(outcomes) if outcomes.len() == 2 => "cells",
        Cause::Required { .. } => "required",
        Cause::Unknown(_) => "unknown",
        Cause::Query { .. } => "query",
        Cause::Usage(_) => "use",
        other => panic!("{other:?}"),
    });
    let causes: Vec<&str> = causes.collect();
    assert_eq!(causes, ["command", "connection", "cells", "required", "unknown", "query", "unknown", "use"]);
}

fn class_of(members: &[(&str, Member)]) -> Class {
    class(&Class::parallel_node(), "P", members)
}

// rows: E-12
#[tokio::test]
async fn an_error_can_be_caught_and_its_cause_looked_at() {
    let (broken, _) = fails_until(usize::MAX);
    let catches = action(|env, _| async move {
        let error = env.call("broken", vec![]).await.unwrap_err();
        match &*error.cause {
            Cause::Run(RunError::Failed(failure)) => Ok(format!("caught {failure}").into()),
            _ => Err(error),
        }
    });
    let env = Stage::new().env(&node(&[("broken", broken), ("act", catches)]));
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "caught web1: status 7: deploy");
}

// rows: E-13 E-14 E-17
#[tokio::test]
async fn retry_runs_the_whole_innermost_action_again() {
    let (flaky, tried) = fails_until(3);
    let stage = Stage::answering(&["retry", "retry"]);
    let env = stage.env(&node(&[("outer", calls("flaky")), ("flaky", flaky)]));
    assert_eq!(env.call("outer", vec![]).await.unwrap().to_string(), "done");
    assert_eq!(tried.load(Ordering::SeqCst), 3);
    let questions = stage.questions();
    assert_eq!(questions.len(), 2);
    assert_eq!(questions[0].label, "web1");
    assert_eq!(questions[0].notice, "");
    let kind = format!("{:?}", questions[0].kind);
    assert_eq!(kind, r#"Choice { options: ["abort", "retry", "skip"], default: Some("abort") }"#);
    let failed = "! web1: status 7: deploy";
    assert_eq!(stage.events(), ["> N.outer()", "> N.flaky()", failed, failed, "< N.flaky ok", "< N.outer ok"]);
}

// rows: E-15
#[tokio::test]
async fn skip_gives_a_placeholder() {
    let (broken, _) = fails_until(usize::MAX);
    let stage = Stage::answering(&["skip"]);
    let value = stage.env(&node(&[("broken", broken)])).call("broken", vec![]).await.unwrap();
    assert!(value.is_skipped() && value.as_bytes().is_none());
    assert_eq!(value.to_string(), "skipped");
}

// rows: E-16 E-18 W-27
#[tokio::test]
async fn anything_else_aborts() {
    for answers in [&["abort"][..], &["^C"], &["what?"], &[]] {
        let (broken, tried) = fails_until(usize::MAX);
        let stage = Stage::answering(answers);
        let error = stage.env(&node(&[("broken", broken)])).call("broken", vec![]).await.unwrap_err();
        assert_eq!(error.to_string(), "web1: status 7: deploy", "{answers:?}");
        assert_eq!(tried.load(Ordering::SeqCst), 1);
    }
}

// rows: E-16
#[tokio::test]
async fn where_nobody_is_nothing_is_asked() {
    let (broken, _) = fails_until(usize::MAX);
    let stage = Stage::new();
    let console = crate::console::Console::new(stage.terminal.clone());
    let context = RunContext { asker: console, ..stage.context.clone() };
    let env = Env::new(Node::root(node(&[("broken", broken)])).unwrap(), context);
    assert!(env.call("broken", vec![]).await.is_err());
    assert_eq!(stage.terminal.output(), "");
}

// rows: E-17
#[tokio::test]
async fn only_failed_commands_ask() {
    let broken = action(|_, _| async { Err(ActionError::usage("broken")) });
    let stage = Stage::answering(&["retry"]);
    assert!(stage.env(&node(&[("broken", broken)])).call("broken", vec![]).await.is_err());
    assert!(stage.questions().is_empty());
}

#[tokio::test]
async fn a_panic_in_an_action_is_an_error_of_that_action() {
    let panics = action(|_, _| async { panic!("out of cheese") });
    let error = Stage::new().env(&node(&[("act", panics)])).call("act", vec![]).await.unwrap_err();
    assert_eq!(error.to_string(), "panicked: out of cheese");
}

#[tokio::test]
async fn endless_recursion_is_an_error() {
    let stage = Stage::new();
    let env = stage.env(&node(&[("a", calls("b")), ("b", calls("a"))]));
    let error = env.call("a", vec![]).await.unwrap_err();
    assert!(error.to_string().starts_with("more than 100 actions call each other: "), "{error}");
    assert!(error.to_string().ends_with("N.a -> N.b -> N.a"), "{error}");
}

#[tokio::test]
async fn a_property_that_needs_itself_is_an_error() {
    let reads = |name: &'static str| property(move |env| async move { env.get(name).await });
    let through_an_action = property(|env| async move { env.call("act", vec![]).await });
    let act = action(|env, _| async move { env.get("c").await });
    let stage = Stage::new();
    let env = stage.env(&node(&[("a", reads("b")), ("b", reads("a")), ("c", through_an_action), ("act", act)]));
    let error = env.get("a").await.unwrap_err();
    assert_eq!(error.to_string(), "N.a depends on itself: N.a -> N.b -> N.a");
    let error = env.get("c").await.unwrap_err();
    assert_eq!(error.to_string(), "N.c depends on itself: N.c -> N.act -> N.c");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_begins_nothing_and_ends_what_does_not_look() {
    let never = action(|_, _| std::future::pending());
    let stage = Stage::new();
    let env = stage.env(&node(&[("never", never), ("act", whereami())]));
    let cancel = stage.context.cancel.clone();
    let cancelled = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        cancel.cancel();
    };
    let (result, ()) = tokio::join!(env.call("never", vec![]), cancelled);
    assert!(result.unwrap_err().is_interrupted());
    assert!(env.call("act", vec![]).await.unwrap_err().is_interrupted());
    assert_eq!(stage.questions().len(), 0);
}

fn unreachable() -> ActionError {
    let text = |text: &str| text.to_string();
    let (host, address, user, reason) = (text("web1"), text("10.0.0.1"), text("deploy"), text("connection refused"));
    ActionError::from(RunError::Host(HostError::Connect(ConnectError {
        host,
        address,
        port: 22,
        user,
        reason,
        hint: None,
    })))
}

fn unknown() -> ActionError {
    let mut failed = failure("web1", 0);
    if let Cause::Run(RunError::Failed(failure)) = &*failed.cause {
        let lost = RunFailure { status: ExitStatus::Unknown("connection lost".into()), ..(**failure).clone() };
        failed = RunError::Failed(Arc::new(lost)).into();
    }
    failed
}

// rows: W-14
#[test]
fn the_exit_status_tells_what_matters_most() {
    let cell = |error: Option<ActionError>| match error {
        None => Outcome::Ok(Value::Nil),
        Some(error) if error.is_interrupted() => Outcome::Interrupted(error),
        Some(error) => Outcome::Failed(error),
    };
    let parallel = |errors: Vec<Option<ActionError>>| {
        let label = |i: usize| format!("w{i}");
        let of = |(i, e)| CellOutcome { label: label(i), outcome: cell(e), elapsed: Duration::ZERO };
        ActionError::new(Cause::Parallel(errors.into_iter().enumerate().map(of).collect()))
    };
    let failed = || failure("web1", 1);
    let interrupted = || ActionError::new(Cause::Interrupted);
    let query = ActionError::new(Cause::Query { query: "Q".into(), position: None, inner: Box::new(unreachable()) });
    for (error, wanted) in [
        (failed(), 1),
        (ActionError::usage("x"), 1),
        (unreachable(), 3),
        (unknown(), 7),
        (interrupted(), 130),
        (query, 3),
        (parallel(vec![None, Some(unreachable())]), 3),
        (parallel(vec![Some(failed()), Some(unreachable())]), 1),
        (parallel(vec![Some(unknown()), Some(failed())]), 7),
        (parallel(vec![Some(failed()), Some(interrupted())]), 130),
        (parallel(vec![Some(parallel(vec![Some(unreachable())])), None]), 3),
    ] {
        assert_eq!(error.exit_code(), wanted, "{error}");
    }
    let nested = parallel(vec![None, Some(parallel(vec![Some(failed()), Some(failed())]))]);
    assert_eq!(nested.to_string(), "failed on 1 of 2: w1 (failed on 2 of 2: w0, w1)");
    let mixed = parallel(vec![Some(failed()), None, Some(interrupted())]);
    assert_eq!(mixed.to_string(), "failed on 1 of 3: w0; interrupted on 1 of 3: w2");
}
