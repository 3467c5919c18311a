//! What a program with a tree of its own needs: `use deployer_core::prelude::*;`.

pub use crate::define::{AllHosts, FromValue, IntoValue, ParallelNode, Q, action};
pub use crate::env::{ActionError, Env, RunContext};
pub use crate::host::command::CommandHost;
pub use crate::host::files::{FileOptions, HostFile, OpenMode};
pub use crate::host::local::LocalHost;
pub use crate::host::ssh::SshHost;
pub use crate::node::{Class, ClassBuilder, ClassError, Color, Group, HostDef, Node};
pub use crate::text::{esc1, esc2};
pub use crate::value::Value;
pub use crate::{args, map_roles, q, roles};
