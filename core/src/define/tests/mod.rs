//! Classes in Rust, shown by example.
#![allow(clippy::unwrap_used)]

mod examples;
mod parameters;
mod queries;

use crate::env::tests::Stage;
use crate::prelude::*;

/// An Env of this class that nobody listens to.
fn env(class: &Class) -> Env {
    Stage::new().env(class)
}

/// A host that is never contacted.
fn host(slug: &str) -> HostDef {
    SshHost::define(slug).build()
}
