//! The examples of the documentation, and what cannot be built.

use super::*;
use crate::node::{HostKeyPolicy, Kind, Roles};

fn slugs(env: &Env, role: &str) -> String {
    env.node().roles().get(role).iter().map(|host| host.slug().to_string()).collect::<Vec<_>>().join(" ")
}

// rows: A-01 A-02 A-11 A-16 F-13 F-58 U-01
#[tokio::test]
async fn hello_world_is_short() {
    let say_hello = Node::define("SayHello")
        .action("hello", async |env: Env| env.hosts().run("echo hello world").interactive(false).await)
        .build()
        .unwrap();
    let remote = SshHost::define("my-host").address("192.168.0.200").username("john").password("...").build();
    let root = Node::define("RootNode")
        .child("local_hello", say_hello.extend("LocalHello").hosts(roles! { host: HostDef::localhost() }))
        .child("remote_hello", say_hello.extend("RemoteHello").hosts(roles! { host: remote }))
        .build()
        .unwrap();
    let env = env(&root);
    let output = env.child("local_hello").unwrap().call("hello", args![]).await.unwrap();
    assert_eq!(output.to_string(), "[hello world\n]");
    assert_eq!(slugs(&env.child("remote_hello").unwrap(), "host"), "my-host");
}

// rows: A-05 A-21 B-01 B-05 C-20 C-21 D-01 D-02 D-06 J-04
#[tokio::test]
async fn a_system_with_roles_arrays_groups_and_overrides() {
    let [lb, w1, w2, db] = ["lb", "w1", "w2", "db"].map(host);
    let service = Node::define("Service")
        .doc("Any service.")
        .required("name", "name of the unit")
        .property("unit", async |env: Env| Ok(format!("{}.service", env.read::<String>("name").await?)))
        .action("status", action(async |env: Env| env.get("unit").await).doc("How it is.").suppress_result())
        .build()
        .unwrap();
    let git = ParallelNode::define("Git")
        .required("directory", "")
        .query("branch", q!(parent.branch))
        .action("checkout", async |env: Env, commit: Option<String>| {
            let commit = match commit {
                Some(commit) => commit,
                None => env.read("branch").await?,
            };
            let slug = env.host().map(|host| host.slug().to_string()).unwrap_or_default();
            Ok(format!("{slug}:{}:{commit}", env.read::<String>("directory").await?))
        })
        .build()
        .unwrap();
    let system = Node::define("WebSystem")
        .value("branch", "main")
        .child("Database", service.extend("Database").map_roles(map_roles! { host: "db" }).value("name", "postgresql"))
        .child("Everything", service.extend("Everything").map_roles(AllHosts))
        .child("Balancer", service.extend("Balancer").hosts(map_roles! { host: ["lb", "web"], spare: AllHosts }))
        .child("Code", git.extend("Code").array().map_roles("web").value("directory", "~/app"))
        .child("Master", git.extend("Master").just_one().map_roles("db").value("directory", "/db"))
        .build()
        .unwrap();
    let root = Node::define("Root")
        .child(
            "production",
            system.extend("Production").group(Group::production()).hosts(roles! { lb: lb, web: [w1, w2], db: [db] }),
        )
        .child(
            "staging",
            system
                .extend("Staging")
                .hosts(roles! { web: vec![w1.clone()], db: w1 })
                .value("branch", "next")
                .value("Code__directory", "~/app-staging")
                .hosts_of("Database", roles! { host: db }),
        )
        .build()
        .unwrap();
    let root = env(&root);
    let production = root.child("production").unwrap();
    assert_eq!(production.node().group(), Group::built_in("production"));
    assert_eq!(slugs(&production.child("Everything").unwrap(), "host"), "lb w1 w2 db");
    assert_eq!(slugs(&production.child("Balancer").unwrap(), "host"), "lb w1 w2");
    assert_eq!(slugs(&production.child("Balancer").unwrap(), "spare"), "lb w1 w2 db");
    let database = production.child("Database").unwrap();
    assert_eq!(database.call("status", args![]).await.unwrap().to_string(), "postgresql.service");
    let code = production.child("Code").unwrap();
    assert_eq!((code.node().class().kind(), code.node().class().is_a(&git)), (Kind::Array, true));
    let results = code.call("checkout", args![]).await.unwrap();
    assert_eq!(results.to_string(), "{ w1: w1:~/app:main, w2: w2:~/app:main }");
    let master = production.child("Master").unwrap();
    assert_eq!(master.call("checkout", args!["v1"]).await.unwrap().to_string(), "db:/db:v1");
    let staging = root.child("staging").unwrap();
    let results = staging.child("Code").unwrap().call("checkout", args![]).await.unwrap();
    assert_eq!(results.to_string(), "{ w1: w1:~/app-staging:next }");
    assert_eq!(slugs(&staging.child("Database").unwrap(), "host"), "db");
}

// rows: A-17 E-12 E-19 E-24 F-15 F-28 F-72
#[tokio::test]
async fn commands_say_what_is_special_about_them() {
    let hosts = ["one", "two"].map(|slug| LocalHost::define(slug).build());
    let base = Node::define("Base")
        .action("both", async |env: Env| env.hosts().run("echo $0").interactive(false).await)
        .action("status", async |env: Env| {
            let one = env.hosts().filter(["a"]).each().remove(0);
            let code = one.run("exit 3").interactive(false).ignore_exit_status().await?;
            let failed = one.run("echo out; exit 4").interactive(false).await.unwrap_err();
            let failure = failed.run_failure().map(|failure| failure.output.text());
            Ok(format!("{} {failure:?}", code.status))
        })
        .action("loud", action(async |_: Env| "HELLO").suppress_result().alias("shout"))
        .hosts(roles! { a: hosts })
        .build()
        .unwrap();
    let derived = base.clone();
    let class = base
        .extend("Derived")
        .action("both", move |env: Env| {
            let base = derived.clone();
            async move { Ok(format!("derived {}", base.call(&env, "both", args![]).await?)) }
        })
        .build()
        .unwrap();
    let env = env(&class);
    assert_eq!(env.call("both", args![]).await.unwrap().to_string(), "derived [/bin/sh\n, /bin/sh\n]");
    assert_eq!(env.call("status", args![]).await.unwrap().to_string(), "status 3 Some(\"out\")");
    assert_eq!(env.call("shout", args![]).await.unwrap().to_string(), "HELLO");
}

// rows: F-61
#[test]
fn hosts_inherit_settings() {
    let web1 =
        SshHost::define("web1").address("10.0.0.11").username("deploy").port(2222).host_keys(HostKeyPolicy::Strict);
    let web1 = web1.password("secret").known_hosts(["/k"]).build();
    let web2 = web1.inherit("web2").address("10.0.0.12").build();
    let settings = web2.settings();
    assert_eq!((web2.slug(), web2.address(), settings.username.as_deref()), ("web2", "10.0.0.12", Some("deploy")));
    assert_eq!((settings.port, settings.host_keys), (Some(2222), Some(HostKeyPolicy::Strict)));
    assert_eq!(settings.position.as_ref().unwrap().line, line!() - 4);
    assert_eq!((HostDef::localhost().slug(), HostDef::localhost().address()), ("localhost", "localhost"));
    assert_ne!(web1, web1.inherit("web1").build());
    assert_eq!(roles! {}, Roles::new());
}

// rows: A-09 A-20 A-32 B-10 C-23
#[test]
fn what_cannot_be_says_so_at_build_with_the_line() {
    let git = ParallelNode::define("Git").build().unwrap();
    for (builder, line, wanted) in [
        (Node::define("N").value("host", 1), line!(), "'host' is reserved"),
        (Node::define("N").child("git", &git), line!(), "plain parallel node inside a normal node: use .Array"),
        (Node::define("N").value("a__b", 1), line!(), "has no child 'a'"),
        (Node::define("N").child("x", Node::define("X").value("host", 1)), line!(), "'host' is reserved"),
        (Node::define("N").array(), line!(), "not a parallel class"),
        (git.extend("G").array().array(), line!(), "is an array already"),
        (Node::define("N").hosts(roles! { web: [host("a"), host("a")] }), line!(), "two hosts with the slug 'a'"),
    ] {
        let error = builder.build().unwrap_err();
        assert!(error.message.contains(wanted), "{error}");
        assert_eq!(error.position.as_ref().map(|position| position.line), Some(line), "{error}");
    }
}
