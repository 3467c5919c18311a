//! Roles, arrays, queries, groups and overrides; the same tree as `docs/examples/websystem.lua`.

use std::process::ExitCode;

use deployer_core::prelude::*;

async fn start(env: Env) -> Result<Value, ActionError> {
    let name: String = env.read("name").await?;
    Ok(env.hosts().sudo(format!("systemctl start '{}'", esc1(&name))).await?.into())
}

async fn status(env: Env) -> Result<Value, ActionError> {
    let name: String = env.read("name").await?;
    Ok(env.hosts().run(format!("systemctl status '{}'", esc1(&name))).await?.into())
}

async fn checkout(env: Env, commit: Option<String>) -> Result<(), ActionError> {
    let commit = match commit {
        Some(commit) => commit,
        None => env.read("branch").await?,
    };
    let directory: String = env.read("directory").await?;
    let _directory = env.hosts().cd(&directory, true, false);
    env.hosts().filter(["host"]).run(format!("git fetch && git checkout '{}'", esc1(&commit))).await?;
    Ok(())
}

/// The root of the tree.
pub fn root() -> Result<ClassBuilder, ClassError> {
    let web1 =
        SshHost::define("web1").address("10.0.0.11").username("deploy").key_filename("~/.ssh/id_ed25519").build();
    let web2 = web1.inherit("web2").address("10.0.0.12").build();
    let db = SshHost::define("db").build();

    let service = Node::define("Service")
        .doc("Abstraction for any service with start/stop/status.")
        .required("name", "name of the unit")
        .action("start", action(start).doc("Start it."))
        .action("status", status)
        .build()?;

    let git = ParallelNode::define("Git")
        .doc("Git checkouts of the web servers.")
        .required("directory", "")
        .query("branch", q!(parent.branch))
        .action("checkout", action(checkout).parameters(["commit"]))
        .build()?;

    let web_system = Node::define("WebSystem")
        .doc("roles: web, db")
        .value("branch", "main")
        .child("Database", service.extend("Database").map_roles("db").value("name", "postgresql"))
        .child("Code", git.extend("Code").array().map_roles("web").value("directory", "~/app"))
        .build()?;

    let production = web_system.extend("Production").hosts(roles! { web: [web1, web2], db: db });
    let staging = web_system.extend("Staging").hosts(roles! { web: web1, db: web1 });
    Ok(Node::define("websystem")
        .child("production", production.group(Group::production()))
        .child("staging", staging.value("Code__directory", "~/app-staging").value("branch", "next")))
}

fn main() -> ExitCode {
    deployer_cli::start(root)
}
