//! Whoever may not act on a node runs nothing there, however the run comes there.

use super::*;
use crate::host::RunOptions;

/// Admits to everything but nodes below one of this name.
#[derive(Default)]
struct Closed {
    refused: Mutex<Vec<String>>,
}

impl Gate for Closed {
    fn admit(&self, node: &Node) -> Result<(), String> {
        match node.ancestry().any(|node| node.name() == "production") {
            true => Err("ann is viewer on production".to_string()),
            false => Ok(()),
        }
    }

    fn refused(&self, node: &Node, what: &str, _: &str) {
        self.refused.lock().unwrap().push(format!("{node}: {what}"));
    }
}

/// A root with two equal children; what they run makes the file `touched`.
fn world(touched: &std::path::Path) -> Class {
    let command = format!("touch '{}'", touched.display());
    let run = move |env: Env, _| {
        let command = command.clone();
        async move {
            let options = RunOptions { interactive: false, ..RunOptions::default() };
            let outputs = env.hosts().run_with(&command, &options).await?;
            Ok(Value::Int(outputs.len() as i64))
        }
    };
    let read = {
        let run = run.clone();
        property(move |env| run(env, vec![]))
    };
    let through = action(|env, _| async move {
        let other = env.parent().unwrap().child("production")?;
        other.call("act", vec![]).await
    });
    let hosts_of_other = action(|env, _| async move {
        let other = env.parent().unwrap().child("production")?;
        other.get("read").await
    });
    let count = property(|env| async move { Ok(Value::Int(env.hosts().len() as i64)) });
    let place = class(
        &Class::node(),
        "Place",
        &[
            ("act", action(run)),
            ("read", read),
            ("count", count),
            ("through", through),
            ("hosts_of_other", hosts_of_other),
        ],
    );
    Class::node()
        .extend("R")
        .hosts(own(Roles::new().role("host", vec![HostDef::localhost()])))
        .member("staging", child(&place), None)
        .member("production", child(&place), None)
        .build()
        .unwrap()
}

#[tokio::test]
async fn nothing_runs_where_the_gate_does_not_admit() {
    let dir = tempfile::tempdir().unwrap();
    let touched = dir.path().join("touched");
    let gate = Arc::new(Closed::default());
    let stage = Stage::new();
    let context = RunContext { gate: gate.clone(), ..stage.context.clone() };
    let root = Env::new(Node::root(world(&touched)).unwrap(), context);
    let (staging, production) = (root.child("staging").unwrap(), root.child("production").unwrap());
    for (env, name) in
        [(&production, "act"), (&production, "read"), (&staging, "through"), (&staging, "hosts_of_other")]
    {
        let result = if name == "read" { env.get(name).await } else { env.call(name, vec![]).await };
        let error = result.unwrap_err();
        assert_eq!(error.exit_code(), 6, "{name}: {error}");
        assert!(error.to_string().contains("not permitted: ann is viewer on production"), "{error}");
        assert!(!touched.exists(), "{name}");
    }
    assert_eq!(production.get("count").await.unwrap().to_string(), "1", "looking is no acting");
    let refused = gate.refused.lock().unwrap().clone();
    let run = "R.production: run a command";
    assert_eq!(refused, ["R.production: act", run, "R.production: act", run]);
    staging.call("act", vec![]).await.unwrap();
    assert!(touched.exists());
}
