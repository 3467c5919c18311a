//! The class model: classes, inheritance, overrides, roles, instances, isolations. Plain data and rules.
//!
//! No input or output, no clock, no async runtime. Front ends (Lua in `script`, Rust in the builder) make
//! [`Class`]es; a [`Node`] is a class placed in a tree, with its hosts resolved.

mod builder;
mod cells;
mod class;
mod group;
mod host;
mod instance;
mod member;
mod position;
mod roles;
mod secret;

pub use builder::ClassBuilder;
pub use cells::{Cell, CellKey};
pub use class::{Class, ClassError, Kind};
pub use group::{Color, Group};
pub use host::{HostDef, HostFactory, HostKeyPolicy, HostKind, HostSettings, JumpHost, ProxySetting};
pub use instance::{Node, NodeError};
pub use member::{Action, ActionFlags, Body, DEFAULT_ACTION, Member, body_fn};
pub use position::Position;
pub use roles::{HostSource, MapFrom, RoleMapping, Roles};
pub use secret::Secret;

#[cfg(test)]
pub(crate) mod tests;
