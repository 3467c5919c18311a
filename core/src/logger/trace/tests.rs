#![allow(clippy::unwrap_used)]

use super::*;
use crate::env::RunContext;
use crate::logger::Logger;
use crate::prelude::*;
use crate::terminal::scripted::ScriptedTerminal;

fn root() -> Class {
    let web = ParallelNode::define("Web").action("build", async |env: Env| match env.node().cell_label().as_str() {
        "w2" => Err(ActionError::usage("no compiler")),
        _ => env.call("quiet", args![]).await,
    });
    let web = web.action("quiet", async |_: Env| Ok(()));
    let [w1, w2] = ["w1", "w2"].map(|slug| SshHost::define(slug).build());
    Node::define("Prod")
        .hosts(roles! { host: HostDef::localhost(), web: [w1, w2], one: HostDef::localhost() })
        .child("web", web.build().unwrap().extend("Web").array().map_roles("web"))
        .child("one", ParallelNode::define("One").action("quiet", async |_: Env| Ok(())).array().map_roles("one"))
        .action("deploy", async |env: Env, what: String| {
            env.hosts().filter(["host"]).run(format!("echo {what}")).interactive(false).await?;
            env.child("one")?.call("quiet", args![]).await?;
            env.child("web")?.call("build", args![]).await
        })
        .build()
        .unwrap()
}

/// Times are different each time.
fn without_times(text: &str) -> String {
    text.lines().map(|line| line.split(", 0.").next().unwrap_or_default().to_string() + "\n").collect()
}

// rows: L-01 L-02 L-13 L-14 L-17
#[tokio::test]
async fn a_program_reads_what_happened_as_a_tree_with_a_branch_for_each_cell() {
    let trace = TraceLogger::new();
    let quiet = RunContext::quiet();
    let logger = quiet.logger.with(trace.clone());
    let env = Env::new(crate::node::Node::root(root()).unwrap(), RunContext { logger, ..quiet });
    env.call("deploy", args!["x"]).await.unwrap_err();
    let said = without_times(&trace.trace().to_string());
    // Cells are at work at the same time: w1 may fail to hear anything before w2 has failed, their branches do not mix.
    assert_eq!(
        said,
        "Prod.deploy(\"x\"): failed
  localhost $ echo x: ok
  Prod.one.quiet on 1 host: localhost
    localhost: ok
      Prod.one[localhost].quiet(): ok
  Prod.web.build on 2 hosts: w1, w2
    w1: ok
      Prod.web[w1].build(): ok
        Prod.web[w1].quiet(): ok
    w2: failed
      Prod.web[w2].build(): failed
        failed: no compiler
"
    );
    let TraceItem::Call { items, ok: Some(false), .. } = &trace.trace().items[0] else { panic!("{said}") };
    assert!(matches!(&items[0], TraceItem::Run { run, status: Some(_), elapsed: Some(_) } if run.command == "echo x"));
    // The logger it was attached to is as it was.
    env.context().logger.emit(Event::Message("heard".into())).await;
    Logger::new(Vec::new(), ScriptedTerminal::new()).emit(Event::Message("unheard".into())).await;
    let said = trace.trace().to_string();
    assert!(said.ends_with("\nheard\n"), "{said}");
    assert!(trace.trace().shown(true).contains("\x1b[31mw2: failed\x1b[0m"), "{said}");
}

#[tokio::test]
async fn a_trace_has_a_bound_and_says_what_is_missing() {
    let trace = TraceLogger::new();
    let logger = Logger::new(vec![trace.clone()], ScriptedTerminal::new());
    for _ in 0..ENTRIES_MAX + 5 {
        logger.emit(Event::Message(String::new())).await;
    }
    let kept = trace.trace();
    assert_eq!((kept.items.len(), kept.missing), (ENTRIES_MAX - 1, 6));
    assert!(kept.to_string().ends_with("... and 6 entries that there was no room for\n"));
}
