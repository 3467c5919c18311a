//! Calls on arrays: one run per cell, a true summary at the end.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Barrier, mpsc};

use super::*;

fn outcomes(error: &ActionError) -> &[CellOutcome] {
    match &*error.cause {
        Cause::Parallel(outcomes) => outcomes,
        other => panic!("{other:?}"),
    }
}

fn array(stage: &Stage, slugs: &[&str], members: &[(&str, Member)]) -> Env {
    stage.env(&with_array(slugs, members)).child("a").unwrap()
}

// rows: C-01 C-05 C-07 C-08 C-11 C-34
#[tokio::test]
async fn a_call_runs_in_every_cell_at_the_same_time_and_answers_in_host_order() {
    // All three must be inside before any can leave: this hangs unless they run side by side.
    let all_in = Arc::new(Barrier::new(3));
    let act = action(move |env, args| {
        let all_in = all_in.clone();
        async move {
            env.context().terminal.print("hello\n").await.unwrap();
            all_in.wait().await;
            Ok(format!("{}{}", env.node().host().unwrap(), args[0]).into())
        }
    });
    let stage = Stage::new();
    let env = array(&stage, &["w3", "w1", "w2"], &[("act", act)]);
    let Value::Parallel(result) = env.call("act", vec!["!".into()]).await.unwrap() else { panic!("plain") };
    assert_eq!(result.to_string(), "{ w3: w3!, w1: w1!, w2: w2! }");
    assert_eq!(result.values().map(Value::to_string).collect::<Vec<_>>(), ["w3!", "w1!", "w2!"]);
    assert_eq!(result.cells().map(Env::to_string).collect::<Vec<_>>()[1], "Env(R.a[w1])");
    assert_eq!((result.len(), result.is_empty()), (3, false));
    assert_eq!(result.by_label("w2").unwrap().to_string(), "w2!");
    assert_eq!(result.of(&env.isolate(&CellKey::Index(0)).unwrap()).unwrap().to_string(), "w3!");
    assert_eq!(result.by_label("nope"), None);
    for slug in ["w1", "w2", "w3"] {
        assert!(stage.terminal.output().contains(&format!("[{slug}] hello")), "{}", stage.terminal.output());
    }
    let events = stage.events();
    assert_eq!(events.first().unwrap(), "fork R.a.act [w3 w1 w2]");
    assert_eq!(events.last().unwrap(), "join w3 ok, w1 ok, w2 ok");
}

// rows: C-06 C-27
#[tokio::test]
async fn a_cell_runs_once_and_its_own_calls_stay_in_it() {
    let outer = action(|env, _| async move {
        let plain = env.call("inner", vec![]).await?;
        Ok(format!("{plain} {}", env.get("p").await?).into())
    });
    let p = property(|env| async move { Ok(env.node().host().unwrap().slug().into()) });
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2"], &[("outer", outer), ("inner", whereami()), ("p", p)]);
    let cell = env.isolate(&CellKey::Slug("w2".into())).unwrap();
    assert_eq!(cell.call("outer", vec![]).await.unwrap().to_string(), "R.a[w2] w2");
    assert!(!stage.events().iter().any(|line| line.starts_with("fork")));
    let both = env.call("outer", vec![]).await.unwrap();
    assert_eq!(both.to_string(), "{ w1: R.a[w1] w1, w2: R.a[w2] w2 }");
}

// rows: C-09
#[tokio::test]
async fn without_hosts_there_is_a_notice_and_an_empty_result() {
    let act = action(|_, _| async { panic!("must not run") });
    let stage = Stage::new();
    let value = array(&stage, &[], &[("act", act)]).call("act", vec![]).await.unwrap();
    assert_eq!(value.to_string(), "{ }");
    assert_eq!(stage.events(), ["R.a.act: nothing to do, the role 'host' has no hosts"]);
}

// rows: C-10
#[tokio::test]
async fn one_host_runs_in_the_callers_terminal_and_still_gives_a_parallel_result() {
    let act = action(|env, _| async move {
        env.context().terminal.print("hello\n").await.unwrap();
        Ok(Value::Int(1))
    });
    let stage = Stage::new();
    let value = array(&stage, &["w1"], &[("act", act)]).call("act", vec![]).await.unwrap();
    assert_eq!(value.to_string(), "{ w1: 1 }");
    assert_eq!(stage.terminal.output(), "hello\n");
    let broken = action(|_, _| async { Err(ActionError::usage("broken")) });
    let error = array(&stage, &["w1"], &[("act", broken)]).call("act", vec![]).await.unwrap_err();
    assert_eq!(words(outcomes(&error)), "w1 failed");
    assert_eq!(error.to_string(), "failed on 1 of 1: w1 (broken)");
}

// rows: C-12 W-13 W-14
#[tokio::test]
async fn all_cells_finish_and_one_error_tells_about_each_of_them() {
    let act = action(|env, _| async move {
        match env.node().host().unwrap().slug() {
            "w1" => Err(failure("w1", 3)),
            "w3" => panic!("oh no"),
            slug => Ok(slug.into()),
        }
    });
    let outer = action(|env, _| async move { env.child("a")?.call("act", vec![]).await });
    let base = with_array(&["w1", "w2", "w3"], &[("act", act)]);
    let stage = Stage::new();
    let error = stage.env(&class(&base, "R", &[("outer", outer)])).call("outer", vec![]).await.unwrap_err();
    assert_eq!(words(outcomes(&error)), "w1 failed, w2 ok, w3 failed");
    assert_eq!(error.to_string(), "failed on 2 of 3: w1, w3");
    assert_eq!(chain(&error), ["R.outer"]);
    match &outcomes(&error)[0].outcome {
        Outcome::Failed(inner) => assert_eq!(chain(inner), ["R.a[w1].act"]),
        other => panic!("{other:?}"),
    }
    let mut logged: Vec<String> = stage.events().into_iter().filter(|line| line.starts_with('!')).collect();
    logged.sort();
    assert_eq!(logged, ["! panicked: oh no", "! w1: status 3: deploy"]);
}

// rows: E-17
#[tokio::test]
async fn a_failing_cell_asks_under_its_own_name() {
    let act = action(|env, _| async move {
        match env.node().host().unwrap().slug() {
            "w2" => Err(failure("w2", 3)),
            slug => Ok(slug.into()),
        }
    });
    let stage = Stage::answering(&["skip"]);
    let Value::Parallel(result) = array(&stage, &["w1", "w2"], &[("act", act)]).call("act", vec![]).await.unwrap()
    else {
        panic!("plain")
    };
    assert_eq!(result.to_string(), "{ w1: w1, w2: skipped }");
    assert_eq!(stage.questions().iter().map(|question| question.label.as_str()).collect::<Vec<_>>(), ["w2"]);
    assert_eq!(stage.events().last().unwrap(), "join w1 ok, w2 skipped");
}

// rows: C-31 G-22
#[tokio::test]
async fn reading_on_an_array_reads_in_every_cell() {
    let p = property(|env| async move { Ok(env.node().to_string().into()) });
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2"], &[("p", p), ("plain", text("same"))]);
    assert_eq!(env.get("p").await.unwrap().to_string(), "{ w1: R.a[w1], w2: R.a[w2] }");
    assert_eq!(env.get("host").await.unwrap().to_string(), "{ w1: w1, w2: w2 }");
    assert_eq!(env.get("plain").await.unwrap().to_string(), "same");
    let cell = env.isolate(&CellKey::Index(0)).unwrap();
    assert_eq!(cell.get("host").await.unwrap().to_string(), "w1");
    assert_eq!(env.cells().len(), 2);
    assert_eq!(cell.cells(), std::slice::from_ref(&cell));
}

// rows: C-30
#[tokio::test]
async fn a_normal_node_below_an_array_acts_once_from_outside_and_per_cell_from_inside() {
    let n = class(&Class::node(), "N", &[("act", whereami())]);
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2"], &[("n", child(&n))]);
    assert_eq!(env.child("n").unwrap().call("act", vec![]).await.unwrap().to_string(), "R.a.n");
    let cell = env.isolate(&CellKey::Index(1)).unwrap().child("n").unwrap();
    assert_eq!(cell.call("act", vec![]).await.unwrap().to_string(), "R.a[w2].n");
}

// rows: E-20
#[tokio::test]
async fn dont_isolate_yet_runs_once_and_splits_what_it_calls() {
    let once = Action::from_fn(|env, _| async move {
        let inner = env.call("inner", vec![]).await?;
        Ok(Value::List(vec![env.node().to_string().into(), inner]))
    });
    let members = [("once", Member::Action(once.dont_isolate_yet())), ("inner", whereami())];
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2"], &members);
    let value = env.call("once", vec![]).await.unwrap();
    assert_eq!(value.to_string(), "[R.a, { w1: R.a[w1], w2: R.a[w2] }]");
    let cell = env.isolate(&CellKey::Index(0)).unwrap();
    assert_eq!(cell.call("once", vec![]).await.unwrap().to_string(), "[R.a[w1], R.a[w1]]");
}

fn one_only() -> [(&'static str, Member); 1] {
    let act = Action::from_fn(|env, _| async move { Ok(env.node().to_string().into()) });
    [("act", Member::Action(act.isolate_one_only()))]
}

// rows: E-22 E-23
#[tokio::test]
async fn isolate_one_only_asks_which_host_and_gives_a_plain_value() {
    let stage = Stage::answering(&["w2", "^C", "nope"]);
    let env = array(&stage, &["w1", "w2", "w3"], &one_only());
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "R.a[w2]");
    let question = stage.questions().pop().unwrap();
    assert_eq!(question.notice, "w1  localhost\nw2  localhost\nw3  localhost");
    assert!(env.call("act", vec![]).await.unwrap_err().is_interrupted());
    assert!(env.call("act", vec![]).await.unwrap_err().to_string().contains("no host 'nope'"));
    let by_chance = env.call("act", vec![]).await.unwrap().to_string();
    assert!(["R.a[w1]", "R.a[w2]", "R.a[w3]"].contains(&by_chance.as_str()));
    stage.questions();
    let cell = env.isolate(&CellKey::Index(2)).unwrap();
    assert_eq!(cell.call("act", vec![]).await.unwrap().to_string(), "R.a[w3]");
    let single = array(&stage, &["w1"], &one_only());
    assert_eq!(single.call("act", vec![]).await.unwrap().to_string(), "R.a[w1]");
    stage.events();
    assert_eq!(array(&stage, &[], &one_only()).call("act", vec![]).await.unwrap(), Value::Nil);
    assert_eq!(stage.events(), ["R.a.act: nothing to do, the role 'host' has no hosts"]);
    assert!(stage.questions().is_empty());
}

// rows: W-55
#[tokio::test]
async fn no_more_cells_run_at_once_than_the_limit_says() {
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let act = action(move |_, _| {
        let (running, most) = (running.clone(), most.clone());
        async move {
            most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            running.fetch_sub(1, Ordering::SeqCst);
            Ok(Value::Nil)
        }
    });
    let slugs: Vec<String> = (0..20).map(|i| format!("w{i}")).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let stage = Stage::new();
    let context = RunContext { parallel_limit: Some(3), ..stage.context.clone() };
    let env = Env::new(array(&stage, &slugs, &[("act", act)]).node().clone(), context);
    env.call("act", vec![]).await.unwrap();
    assert_eq!(seen.load(Ordering::SeqCst), 3);
}

/// Says that it began, then ends when the run is cancelled, or never.
fn waits(began: mpsc::Sender<()>, looks: bool) -> Member {
    action(move |env, _| {
        let began = began.clone();
        async move {
            began.send(()).await.unwrap();
            match looks {
                true => env.context().cancel.cancelled().await,
                false => std::future::pending().await,
            }
            Err(ActionError::new(Cause::Interrupted))
        }
    })
}

// rows: W-48
#[tokio::test(start_paused = true)]
async fn cancelling_ends_running_cells_and_does_not_begin_waiting_ones() {
    for looks in [true, false] {
        let (began, mut begun) = mpsc::channel(8);
        let stage = Stage::new();
        let env = array(&stage, &["w1", "w2", "w3"], &[("act", waits(began, looks))]);
        let context = RunContext { parallel_limit: Some(2), ..stage.context.clone() };
        let env = Env::new(env.node().clone(), context);
        let cancelled = async {
            begun.recv().await;
            begun.recv().await;
            stage.context.cancel.cancel();
        };
        let (result, ()) = tokio::join!(env.call("act", vec![]), cancelled);
        let error = result.unwrap_err();
        assert_eq!(words(outcomes(&error)), "w1 interrupted, w2 interrupted, w3 not started");
        assert_eq!((error.is_interrupted(), error.exit_code()), (true, 130));
    }
}

#[tokio::test]
async fn dropping_the_call_drops_every_cell() {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let alive = Arc::new(AtomicUsize::new(2));
    let (began, mut begun) = mpsc::channel(8);
    let counter = alive.clone();
    let act = action(move |_, _| {
        let (began, alive) = (began.clone(), Alive(counter.clone()));
        async move {
            let _alive = alive;
            began.send(()).await.unwrap();
            std::future::pending().await
        }
    });
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2"], &[("act", act)]);
    {
        let call = env.call("act", vec![]);
        tokio::pin!(call);
        for _ in 0..2 {
            tokio::select! {
                _ = &mut call => panic!("ended"),
                _ = begun.recv() => {}
            }
        }
    }
    while alive.load(Ordering::SeqCst) > 0 {
        tokio::task::yield_now().await;
    }
}

// rows: C-26
#[tokio::test]
async fn several_dimensions_are_one_flat_result() {
    let mapping = crate::node::RoleMapping::new().role("host", ["db"]).role("web", ["host"]);
    let b = class(&Class::parallel_node(), "B", &[("act", whereami())]).array().unwrap();
    let b = b.with_hosts(crate::node::HostSource::Mapped(mapping)).unwrap();
    let n = class(&Class::node(), "N", &[("b", child(&b))]);
    let mapping = crate::node::RoleMapping::new().role("host", ["web"]).role("db", ["db"]);
    let a = class(&Class::parallel_node(), "A", &[("n", child(&n))]).array().unwrap();
    let a = a.with_hosts(crate::node::HostSource::Mapped(mapping)).unwrap();
    let roles = Roles::new().role("web", hosts(["w1", "w2"])).role("db", hosts(["d1", "d2"]));
    let root = Class::node().extend("R").hosts(own(roles)).member("a", child(&a), None).build().unwrap();
    let stage = Stage::new();
    let env = stage.env(&root).child("a").unwrap().child("n").unwrap().child("b").unwrap();
    let value = env.call("act", vec![]).await.unwrap().to_string();
    assert!(value.starts_with("{ w1/d1: R.a[w1].n.b[d1], w1/d2: R.a[w1].n.b[d2], w2/d1: "), "{value}");
    let Value::Parallel(inner) = env
        .isolate(&CellKey::Tuple(vec![CellKey::Index(1), CellKey::Index(0)]))
        .unwrap()
        .parent()
        .unwrap()
        .child("b")
        .unwrap()
        .call("act", vec![])
        .await
        .unwrap()
    else {
        panic!("plain")
    };
    assert_eq!(inner.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn each_outcome_tells_how_long_it_took_without_waiting_for_its_turn() {
    let act = action(|_, _| async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Err(ActionError::usage("slow"))
    });
    let stage = Stage::new();
    let env = array(&stage, &["w1", "w2", "w3"], &[("act", act)]);
    let env = Env::new(env.node().clone(), RunContext { parallel_limit: Some(1), ..stage.context.clone() });
    let error = env.call("act", vec![]).await.unwrap_err();
    assert!(outcomes(&error).iter().all(|cell| cell.elapsed.as_secs() == 60), "{:?}", outcomes(&error));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_thousand_cells_keep_their_order_and_their_own_contexts() {
    let act = action(|env, _| async move {
        let slug = env.node().host().unwrap().slug().to_string();
        tokio::task::yield_now().await;
        match slug.ends_with("77") {
            true => Err(failure(&slug, 1)),
            false => Ok(env.host().unwrap().slug().into()),
        }
    });
    let slugs: Vec<String> = (0..10_000).map(|i| format!("w{i}")).collect();
    let slugs: Vec<&str> = slugs.iter().map(String::as_str).collect();
    let stage = Stage::new();
    let error = array(&stage, &slugs, &[("act", act)]).call("act", vec![]).await.unwrap_err();
    let outcomes = outcomes(&error);
    assert!(outcomes.iter().zip(&slugs).all(|(cell, slug)| cell.label == *slug));
    assert_eq!(outcomes.iter().filter(|cell| !cell.outcome.is_ok()).count(), 100);
    assert!(outcomes.iter().all(|cell| match &cell.outcome {
        Outcome::Ok(value) => value.to_string() == cell.label,
        Outcome::Failed(error) => error.to_string().starts_with(&format!("{}: status 1", cell.label)),
        _ => false,
    }));
}
