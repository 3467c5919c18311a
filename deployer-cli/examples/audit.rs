//! A program that keeps an account of its own of what its sessions run, in `~/audit.log`.
//!
//!     cargo run --example audit -- run -- hello

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use deployer_core::logger::{Event, Listener, listener};
use deployer_core::prelude::*;

fn root() -> ClassBuilder {
    Node::define("Audited")
        .hosts(roles! { host: HostDef::localhost() })
        .action("hello", async |env: Env| env.hosts().run("echo hello").await.map(drop))
        .action("fail", async |env: Env| env.hosts().run("exit 3").await.map(drop))
}

fn log() -> std::io::Result<File> {
    let home = std::env::var_os("HOME").unwrap_or_default();
    OpenOptions::new().create(true).append(true).open(std::path::Path::new(&home).join("audit.log"))
}

/// Called once for each session.
fn listeners() -> Vec<Arc<dyn Listener>> {
    vec![listener(|event| {
        if let Event::RunFinished { run, status: Some(status), .. } = event
            && let Err(error) = log().and_then(|mut log| writeln!(log, "{}: {}: {status}", run.host, run.command))
        {
            // There is nobody else to tell.
            let _unheard = writeln!(std::io::stderr(), "audit: {error}");
        }
    })]
}

fn main() -> ExitCode {
    deployer_cli::start_with(root, listeners)
}
