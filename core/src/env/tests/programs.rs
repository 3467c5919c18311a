//! Programs that use nodes without any shell.

use crate::prelude::*;

fn tree(name: &'static str) -> ClassBuilder {
    Node::define(name).hosts(roles! { host: HostDef::localhost() }).action("who", async |env: Env| {
        let _name = env.hosts().env("NAME", &env.node().to_string(), true);
        Ok(env.hosts().run("echo $NAME").interactive(false).await?[0].text())
    })
}

// rows: E-03 E-28
#[test]
fn two_trees_of_one_process_do_not_know_of_each_other() {
    let run = |name| std::thread::spawn(move || Env::block_on(tree(name), async |env| env.call("who", args![]).await));
    let threads = ["One", "Two"].map(run);
    let said = threads.map(|thread| thread.join().unwrap().unwrap().to_string());
    assert_eq!(said, ["One", "Two"]);
}

// rows: E-03 E-28
#[tokio::test]
async fn asynchronous_programs_bring_their_own_runtime() {
    let root = Node::root(tree("App").build().unwrap()).unwrap();
    let env = Env::default_from_node(root.clone()).unwrap();
    assert!(!env.context().terminal.interactive() && !env.context().sandbox);
    assert_eq!(env.call("who", args![]).await.unwrap().to_string(), "App");
    let error = Env::block_on(root, async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("use Env::default_from_node and await"), "{error}");
}

#[test]
fn what_cannot_be_a_root_is_an_error_of_the_program() {
    let error = Env::block_on(ParallelNode::define("P").array(), async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("needs a parent"), "{error}");
    let error = Env::block_on(Node::define("N").value("host", 1), async |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("'host' is reserved"), "{error}");
}
