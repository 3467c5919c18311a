//! A program with a tree of its own and the whole command line of `deployer`; the same tree as `docs/examples/hello.lua`.
//!
//!     cargo run --example hello -- run                 a shell: type `hello`, `greet World`, `machine uptime`, `exit`
//!     cargo run --example hello -- run -- hello        one action, without the shell

use std::process::ExitCode;

use deployer_core::prelude::*;

fn machine() -> ClassBuilder {
    Node::define("Machine")
        .doc("What there is to know about a machine.")
        .action("uptime", action(async |env: Env| env.hosts().run("uptime").await.map(drop)).doc("Since when it runs."))
        .action(
            "disk",
            action(async |env: Env| env.hosts().run("df -h /").await.map(drop))
                .doc("How full its root file system is."),
        )
}

async fn greet(env: Env, name: String) -> Result<(), ActionError> {
    let greeting: String = env.read("greeting").await?;
    env.hosts().run(format!("echo '{}'", esc1(&format!("{greeting}, {name}!")))).await?;
    Ok(())
}

/// The root of the tree.
pub fn root() -> ClassBuilder {
    Node::define("Hello")
        .doc("The root of the tree: nodes have values, actions and children.")
        // Where commands run, by role. This machine; SshHost::define("web1").build() would be another one.
        .hosts(roles! { host: HostDef::localhost() })
        .value("greeting", "Hello")
        .child("machine", machine())
        .action(
            "hello",
            action(async |env: Env| env.hosts().run("echo 'Hello from deployer'").await.map(drop)).doc("Say hello."),
        )
        .action("greet", action(greet).parameters(["name"]).doc("Greet somebody by name."))
}

fn main() -> ExitCode {
    deployer_cli::start(root)
}
