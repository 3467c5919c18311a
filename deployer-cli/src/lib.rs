//! The `deployer` command line and the attached terminal, also for programs that bring a tree of their own.
//!
//! `args` says what can be asked for, `commands` has one file per verb, `completion` answers the operator's shell, `client` is the attached terminal, `sessions`
//! looks at the running daemons, `private` starts the daemon of `run`. Sessions themselves are the daemon's.
//!
//! Standard output carries data, standard error talk. Every failure is one sentence with a remedy and one of the exit
//! statuses that `deployer --help` lists.

mod args;
mod client;
mod color;
mod commands;
mod completion;
mod failure;
mod file;
mod log;
mod oversight;
mod path;
mod private;
mod replay;
mod runtime;
mod service;
mod sessions;
mod tree;
mod windows;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches};
use deployer_core::define::IntoRoot;
use deployer_core::logger::Listener;
use deployer_core::shell::Tree;

pub use failure::Failure;

use crate::args::Cli;
use crate::color::When;
use crate::tree::OwnTree;

/// Where the tree comes from.
pub(crate) enum Source {
    /// A deployment file, found as `deployer --help` says.
    File,
    /// The program itself.
    Tree(Arc<dyn Tree>),
}

/// The stock `deployer`: the tree comes from a deployment file.
pub fn deployer() -> ExitCode {
    run(Source::File)
}

/// Gives a program the whole command line of `deployer`, with its own tree instead of a deployment file (row P-01).
///
/// `root` makes a fresh root; it is called once for each session. Call this first in `main` and return what it
/// returns: `run` starts the program once more, as its own daemon.
///
/// ```no_run
/// use deployer_core::prelude::*;
///
/// fn root() -> ClassBuilder {
///     Node::define("Hello")
///         .hosts(roles! { host: HostDef::localhost() })
///         .action("hello", async |env: Env| env.hosts().run("echo hello world").await)
/// }
///
/// fn main() -> std::process::ExitCode {
///     deployer_cli::start(root)
/// }
/// ```
pub fn start<F, R>(root: F) -> ExitCode
where
    F: Fn() -> R + Send + Sync + 'static,
    R: IntoRoot,
{
    start_with(root, Vec::new)
}

/// The same for a program that wants to hear of what its sessions run: commands, files, calls, failures (rows L-15, L-17).
///
/// `listeners` is called once for each session, in the process that the session runs in: the daemon, or this one with
/// `run -s`. A listener hears of an event before what it tells goes on, so it must not wait for long.
pub fn start_with<F, R, L>(root: F, listeners: L) -> ExitCode
where
    F: Fn() -> R + Send + Sync + 'static,
    R: IntoRoot,
    L: Fn() -> Vec<Arc<dyn Listener>> + Send + Sync + 'static,
{
    run(Source::Tree(Arc::new(OwnTree { root: move || root().into_root(), listeners })))
}

/// The tutorial; its code is tested with the documentation of this crate.
#[cfg(doctest)]
#[doc = include_str!("../../docs/rust.md")]
struct Tutorial;

fn run(source: Source) -> ExitCode {
    report_panics();
    let args: Vec<_> = std::env::args_os().collect();
    if completion::answer(&source, &args) {
        return ExitCode::SUCCESS;
    }
    let cli = match parse(&source, args) {
        Ok(cli) => cli,
        Err(error) => {
            // Help that nobody reads any more is no failure.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(failure::USAGE));
        }
    };
    let color = cli.color.on(&io::stderr());
    match commands::dispatch(source, cli) {
        Ok(status) => ExitCode::from(status),
        Err(failure) => {
            let prefix = if color { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
            // There is nobody else to tell.
            let _ = writeln!(io::stderr(), "{prefix} {failure}");
            ExitCode::from(failure.status)
        }
    }
}

fn parse(source: &Source, args: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command().color(When::for_help(&args));
    if let Source::Tree(_) = source {
        // No deployment file, so nothing about where it is looked for.
        command = command.mut_arg("file", |arg| arg.hide(true)).after_help(args::STATUSES);
    }
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

/// A panic is a defect of this program: one line about it instead of a page, on the screen and in the log.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let why = payload.downcast_ref::<&str>().copied().or(payload.downcast_ref::<String>().map(String::as_str));
        let why = why.unwrap_or("no reason given");
        tracing::error!(place, why, "internal error");
        let _ = writeln!(io::stderr(), "error: internal error at {place}: {why}; please report it");
    }));
}
