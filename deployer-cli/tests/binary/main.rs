//! The `deployer` binary against a daemon that does as it is told: what the command line says, what the attached
//! terminal sends, and that the operator's terminal is always put back.

#![allow(clippy::unwrap_used)]

mod command_line;
mod fake_daemon;
mod plain;
mod pty;
mod terminal;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Longest wait for a fact.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The binary, with an environment of its own below `dir`.
fn deployer(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_deployer"));
    command.current_dir(dir).env_clear().envs(environment(dir)).stdin(std::process::Stdio::null());
    command
}

fn environment(dir: &Path) -> [(&'static str, String); 4] {
    let shown = dir.display().to_string();
    [("HOME", shown.clone()), ("XDG_RUNTIME_DIR", shown), ("TERM", "xterm".to_string()), ("TZ", "UTC".to_string())]
}

/// Runs it to its end: status, standard output, standard error.
fn finished(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}
