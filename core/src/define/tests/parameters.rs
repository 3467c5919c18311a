//! What arrives in typed parameters, and what is said when something else comes.

use std::path::PathBuf;

use super::*;

fn scale() -> Class {
    Node::define("App")
        .action("scale", async |env: Env, name: String, count: i64, force: Option<bool>| {
            format!("{} {name} {count} {force:?}", env.node())
        })
        .action("each", async |_: Env, first: String, rest: Vec<u16>| format!("{first} {rest:?}"))
        .action("none", async |_: Env| {})
        .action("float", async |_: Env, number: f64| number)
        .action("path", async |_: Env, path: PathBuf| path)
        .action("any", async |_: Env, value: Value| value)
        .action("at", async |_: Env, node: Env, host: HostDef| format!("{} {host}", node.node()))
        .action(
            "named",
            action(async |_: Env, _: String, _: Option<i64>, _: Vec<String>| ()).parameters(["a", "b", "c"]),
        )
        .default_action(async |_: Env, word: String| word)
        .build()
        .unwrap()
}

// rows: A-01 A-23
#[tokio::test]
async fn words_and_values_arrive_as_the_types_that_were_asked_for() {
    let env = env(&scale());
    let here = Value::from(env.clone());
    for (action, args, wanted) in [
        ("scale", args!["web", 3], "App web 3 None"),
        ("scale", args!["web", "3", "no"], "App web 3 Some(false)"),
        ("scale", args!["web", 3.0, Value::Nil], "App web 3 None"),
        ("scale", args![7, -1, true], "App 7 -1 Some(true)"),
        ("each", args!["a"], "a []"),
        ("each", args!["a", "1", 2], "a [1, 2]"),
        ("each", args!["a", Value::from([1, 2])], "a [1, 2]"),
        ("none", args![], "nil"),
        ("float", args!["2.5"], "2.5"),
        ("float", args![2], "2.0"),
        ("path", args!["/srv/app"], "/srv/app"),
        ("any", args![Value::from(["a", "b"])], "[a, b]"),
        ("at", args![here, host("web1")], "App web1"),
    ] {
        assert_eq!(env.call(action, args).await.map_err(|error| error.to_string()).unwrap().to_string(), wanted);
    }
    assert_eq!(env.invoke(args!["x"]).await.unwrap().to_string(), "x");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let env = env(&scale());
    for (action, args, wanted) in [
        ("scale", args!["web", "x"], "parameter 2 of 'scale' must be a whole number, got 'x'"),
        ("scale", args!["web", 2.5], "parameter 2 of 'scale' must be a whole number, got 2.5"),
        ("scale", args!["web", true], "parameter 2 of 'scale' must be a whole number, got true"),
        ("scale", args!["web", 3, "perhaps"], "parameter 3 of 'scale' must be yes or no, got 'perhaps'"),
        ("scale", args![Value::from([1])], "parameter 1 of 'scale' must be text, got a list"),
        (
            "scale",
            args!["web"],
            "parameter 2 of 'scale' is missing: number; it is called as `scale text number [yes|no]`",
        ),
        (
            "scale",
            args!["web", 1, true, 4],
            "'scale' takes 3 parameters at most, got 4; it is called as `scale text number [yes|no]`",
        ),
        ("none", args![1], "'none' takes no parameters, got 1"),
        ("each", args!["a", "70000"], "parameter 2 of 'each' must be a whole number from 0 to 65535, got 70000"),
        ("each", args!["a", Value::from(["b"])], "parameter 2 of 'each' item 1: must be a whole number, got 'b'"),
        ("at", args!["web1"], "parameter 1 of 'at' must be a node, got 'web1'"),
    ] {
        assert_eq!(env.call(action, args).await.unwrap_err().to_string(), wanted);
    }
    let error = env.invoke(args![]).await.unwrap_err().to_string();
    assert_eq!(error, "parameter 1 of 'App' is missing: text; it is called as `App text`");
}

// rows: E-25
#[test]
fn help_shows_what_an_action_takes() {
    let root = Node::root(scale()).unwrap();
    let inspector = crate::inspect::Inspector::new(&root);
    for (action, wanted) in
        [("scale", "text number [yes|no]"), ("each", "text [number...]"), ("none", ""), ("named", "a [b] [c...]")]
    {
        assert_eq!(inspector.action(action).unwrap().parameters().unwrap().join(" "), wanted);
    }
}

#[tokio::test]
async fn attributes_are_read_as_types_and_errors_pass_through() {
    let class = Node::define("App")
        .value("port", 8080)
        .value("hosts_file", "/etc/hosts")
        .value("list", ["a", "b"])
        .action("port", async |_: Env| Err::<(), _>(ActionError::usage("never")))
        .build();
    assert!(class.unwrap_err().message.contains("'port' is defined twice"));
    let class = Node::define("App")
        .value("port", 8080)
        .value("list", ["a", "b"])
        .action("read", async |env: Env| {
            let port: u16 = env.read("port").await?;
            let list: Vec<String> = env.read("list").await?;
            Ok(format!("{port} {}", list.join("+")))
        })
        .action("file", async |_: Env| {
            std::fs::read("/nonexistent/file")?;
            Ok(())
        })
        .build();
    let env = env(&class.unwrap());
    assert_eq!(env.call("read", args![]).await.unwrap().to_string(), "8080 a+b");
    assert!(env.call("file", args![]).await.unwrap_err().to_string().contains("No such file"));
    let error = env.read::<i64>("list").await.unwrap_err();
    assert_eq!(error.to_string(), "App: 'list' must be a whole number, got a list");
}
