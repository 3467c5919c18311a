#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use super::*;
use crate::env::RunContext;
use crate::host::local::LocalHost;

fn local() -> HostContainer {
    HostContainer::of(Arc::new(LocalHost::new(HostDef::localhost())), RunContext::quiet().io())
}

fn silent() -> RunOptions {
    RunOptions { interactive: false, ..RunOptions::default() }
}

// rows: F-01
#[tokio::test]
async fn a_host_works_without_any_node() {
    let host = local();
    assert_eq!(host.run_with("echo hello", &silent()).await.unwrap().text(), "hello");
}

// rows: F-03 F-10
#[tokio::test]
async fn a_copy_has_a_context_of_its_own() {
    let host = local();
    let directory = host.cd("/usr", false, false);
    let _variable = host.env("NAME", "one", true);
    let _prefix = host.prefix("true");
    let copy = host.copy(None);
    let _below = copy.cd("bin", false, false);
    let _other = copy.env("NAME", "two", true);
    let said = async |host: &HostContainer| host.run_with("echo $PWD $NAME", &silent()).await.unwrap().text();
    assert_eq!((said(&host).await, said(&copy).await), ("/usr one".into(), "/usr/bin two".into()));
    // What is undone on one stays on the other.
    directory.undo();
    assert_eq!(said(&copy).await, "/usr/bin two");
    assert!(!host.to_string().contains("/usr"), "{host}");
}

// rows: F-04
#[tokio::test]
async fn a_host_shows_its_slug_and_its_context() {
    let host = local();
    assert_eq!(host.to_string(), "localhost prefixes=[] path=[] env=[]");
    let _directory = host.cd("/tmp", false, false);
    let _variable = host.env("TOKEN", "secret", true);
    let _prefix = host.prefix("source env");
    assert_eq!(host.to_string(), "localhost prefixes=[\"source env\"] path=[\"/tmp\"] env=[\"TOKEN\"]");
}
