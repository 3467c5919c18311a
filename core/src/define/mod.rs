//! Node classes written in Rust, about as short as in a deployment file.
//!
//! [`Node::define`] begins a class, [`Class::extend`] a subclass; the methods of [`ClassBuilder`] that are defined here
//! add members. `code` turns closures with typed parameters into actions, `from_value` and `results` convert values,
//! [`Q`] builds queries with Rust's operators, `hosts` writes hosts down, `run` runs commands. What classes mean is in
//! [`crate::node`], the same for every front end.

mod code;
mod from_value;
mod hosts;
mod macros;
mod members;
mod q;
mod results;
mod run;
#[cfg(test)]
mod tests;
mod typed;

pub use code::{Code, IntoAction, Typed, action};
pub use from_value::{Arguments, FromValue};
pub use hosts::{AllHosts, HostBuilder, IntoHosts, MapSource, host_of, hosts_of};
pub use members::{IntoClass, IntoRoot, ParallelNode};
pub use q::{IntoValues, Q};
pub use results::IntoValue;
pub use run::{Run, Runs};

#[allow(unused_imports, reason = "named in the documentation above")]
use crate::node::{Class, ClassBuilder, Node};
