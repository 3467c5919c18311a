//! Directories, variables and prefixes belong to one Env; commands run for real on the local host.

use super::*;
use crate::host::RunOptions;
use crate::node::tests::host;

fn quiet() -> RunOptions {
    RunOptions { interactive: false, ..RunOptions::default() }
}

/// What these hosts answer to `echo $WHO`.
async fn who(hosts: &HostsContainer) -> String {
    let outputs = hosts.run_with("echo \"$WHO\"", &quiet()).await.unwrap();
    outputs.iter().map(|output| format!("[{}]", output.text())).collect()
}

fn says_who() -> Member {
    action(|env, _| async move { Ok(who(env.hosts()).await.into()) })
}

// rows: E-04 E-09
#[tokio::test]
async fn a_context_holds_for_own_calls_and_for_no_other_node() {
    let inner = class(&Class::node(), "Inner", &[("who", says_who())]);
    let outer = action(|env, _| async move {
        let _who = env.hosts().env("WHO", "me", true);
        let own = env.call("who", vec![]).await?;
        let computed = env.get("p").await?;
        let below = env.child("inner")?.call("who", vec![]).await?;
        let again = env.parent().unwrap().child("n")?.call("who", vec![]).await?;
        Ok(format!("{own} {computed} {below} {again}").into())
    });
    let p = property(|env| async move { Ok(who(env.hosts()).await.into()) });
    let members = [("outer", outer), ("who", says_who()), ("p", p), ("inner", child(&inner))];
    let n = class(&Class::node(), "N", &members);
    let root = Class::node().extend("R").hosts(own(Roles::new().role("x", [host("h")])));
    let stage = Stage::new();
    let env = stage.env(&root.member("n", child(&n), None).build().unwrap()).child("n").unwrap();
    assert_eq!(env.call("outer", vec![]).await.unwrap().to_string(), "[me] [me] [] []");
    assert_eq!(who(env.hosts()).await, "[]");
}

// rows: E-21 C-27
#[tokio::test]
async fn a_context_set_on_all_hosts_does_not_reach_the_cells() {
    let once = Action::from_fn(|env, _| async move {
        let _who = env.hosts().env("WHO", "all", true);
        let here = who(env.hosts()).await;
        Ok(format!("{here} {}", env.call("who", vec![]).await?).into())
    });
    let in_cell = action(|env, _| async move {
        let _who = env.host().unwrap().env("WHO", "cell", true);
        env.call("who", vec![]).await
    });
    let members = [("once", Member::Action(once.dont_isolate_yet())), ("in_cell", in_cell), ("who", says_who())];
    let stage = Stage::new();
    let env = stage.env(&with_array(&["w1", "w2"], &members)).child("a").unwrap();
    assert_eq!(env.call("once", vec![]).await.unwrap().to_string(), "[all][all] { w1: [], w2: [] }");
    assert_eq!(env.call("in_cell", vec![]).await.unwrap().to_string(), "{ w1: [cell], w2: [cell] }");
}

// rows: C-03 C-04
#[tokio::test]
async fn a_cell_runs_on_its_host_and_on_the_extra_roles() {
    let count = action(|env, _| async move {
        let one = env.host().unwrap().run_with("true", &quiet()).await?;
        let all = env.hosts().run_with("true", &quiet()).await?;
        Ok(format!("{} {} {}", one.status.success(), all.len(), env.hosts().len()).into())
    });
    let mapping = crate::node::RoleMapping::new().role("host", ["web"]).role("extra", ["db"]);
    let array = class(&Class::parallel_node(), "A", &[("act", count)]).array().unwrap();
    let array = array.with_hosts(crate::node::HostSource::Mapped(mapping)).unwrap();
    let roles = Roles::new().role("web", hosts(["w1", "w2"])).role("db", hosts(["d1", "d2"]));
    let root = Class::node().extend("R").hosts(own(roles)).member("a", child(&array), None).build().unwrap();
    let env = Stage::new().env(&root);
    assert!(env.host().is_none());
    let value = env.child("a").unwrap().call("act", vec![]).await.unwrap();
    assert_eq!(value.to_string(), "{ w1: true 3 3, w2: true 3 3 }");
}

// rows: D-13
#[tokio::test]
async fn mapped_hosts_have_the_surrounding_of_the_run() {
    let stage = Stage::new();
    let context = RunContext { sandbox: true, ..stage.context.clone() };
    let env = Env::new(Node::root(with_array(&["w1"], &[])).unwrap(), context);
    let cell = env.child("a").unwrap().isolate(&CellKey::Index(0)).unwrap();
    assert!(cell.host().unwrap().io().sandbox);
    assert!(Arc::ptr_eq(&cell.host().unwrap().io().terminal, &cell.context().terminal));
}

// rows: E-03
#[tokio::test]
async fn a_program_can_act_on_its_own_terminal() {
    let context = RunContext::of_process().unwrap();
    assert!(!context.sandbox && !context.terminal.interactive() && !context.asker.attended());
    let env = Env::new(Node::root(class(&Class::node(), "N", &[("act", whereami())])).unwrap(), context);
    assert_eq!(env.call("act", vec![]).await.unwrap().to_string(), "N");
}

// rows: E-05
#[tokio::test]
async fn the_console_of_an_env_is_on_its_terminal() {
    let stage = Stage::new();
    let env = stage.env(&class(&Class::node(), "N", &[]));
    env.console().terminal().print("hello\n").await.unwrap();
    assert_eq!(stage.terminal.output(), "hello\n");
}
