//! Starts a child in a session of its own, with a PTY or with pipes.

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::unix::pipe;

use super::child::Child;
use super::input::Input;
use super::limits;
use super::output::Output;
use crate::host::{Spawn, SpawnMode};
use crate::terminal::Size;

/// What belongs to a child.
type Started = (Child, Input, Output);

/// Starts it. Blocks for the time of fork and exec; must be called within a runtime.
///
/// # Errors
/// Why it could not be started, for the person who asked for it.
pub(super) fn start(spawn: &Spawn, directory: &Path) -> Result<Started, String> {
    if !directory.is_dir() {
        return Err(format!("the directory {} is gone", directory.display()));
    }
    match &spawn.mode {
        SpawnMode::Pty { size, term } => on_pty(spawn.line.as_deref(), directory, *size, term),
        SpawnMode::Piped => on_pipes(spawn.line.as_deref(), directory).map_err(|error| explained(&error)),
    }
}

fn explained(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::E2BIG) => "the command is longer than the kernel takes (128 KiB): use a file".to_string(),
        Some(libc::EAGAIN) => format!("{error}: too many processes or terminals are open"),
        _ => error.to_string(),
    }
}

/// The environment of this program without what is deployer's own.
pub(in crate::host) fn environment() -> Vec<(OsString, OsString)> {
    const OWN: &[&str] =
        &["TERM", "NOTIFY_SOCKET", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "WATCHDOG_USEC", "WATCHDOG_PID"];
    let own = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("DEPLOYER_") || OWN.contains(&&*name)
    };
    std::env::vars_os().filter(|(name, _)| !own(name)).collect()
}

fn on_pty(line: Option<&str>, directory: &Path, size: Size, term: &str) -> Result<Started, String> {
    let pty_size = PtySize { rows: size.rows, cols: size.cols, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(pty_size).map_err(|error| format!("no terminal for it: {error:#}"))?;
    let master = duplicate(pair.master.as_raw_fd()).map_err(|error| format!("no terminal for it: {error}"))?;
    let mut command = match line {
        Some(line) => CommandBuilder::from_argv(shell_words(line)),
        None => CommandBuilder::new_default_prog(),
    };
    command.cwd(directory);
    command.env_clear();
    for (name, value) in environment() {
        command.env(name, value);
    }
    command.env("TERM", if term.is_empty() { "dumb" } else { term });
    let child = pair.slave.spawn_command(command).map_err(|error| match error.downcast_ref::<io::Error>() {
        Some(error) => explained(error),
        None => format!("{error:#}"),
    })?;
    let pid = child.process_id().ok_or("the process has no number")?;
    let master = Arc::new(master);
    // The pair is dropped here: the master lives on in the duplicate, the slave only in the child, so that the end
    // of the last program on it is seen.
    let child = Child::new(pid, Some(master.clone())).map_err(|error| explained(&error))?;
    Ok((child, Input::pty(master.clone()), Output::Pty(master)))
}

/// What runs a line; the limits are those that a person's shell would have.
fn shell_words(line: &str) -> Vec<OsString> {
    let words = match limits::restoring() {
        // The second shell takes the place of the first: the process list shows the line as it was written.
        Some(restoring) => vec!["/bin/sh".to_string(), "-c".to_string(), restoring, "sh".to_string(), line.to_string()],
        None => vec!["/bin/sh".to_string(), "-c".to_string(), line.to_string()],
    };
    words.into_iter().map(OsString::from).collect()
}

/// A duplicate of the master that no child inherits, for the event loop; portable-pty's own reader and writer
/// block, and its writer types a newline and an end of file when it is dropped.
fn duplicate(master: Option<i32>) -> io::Result<AsyncFd<OwnedFd>> {
    let raw = master.ok_or(io::ErrorKind::Unsupported)?;
    #[allow(unsafe_code, reason = "portable-pty gives its master as a number only; the pair outlives this call")]
    let borrowed = unsafe { BorrowedFd::borrow_raw(raw) };
    let duplicate = rustix::io::fcntl_dupfd_cloexec(borrowed, 3)?;
    rustix::io::ioctl_fionbio(&duplicate, true)?;
    registered(duplicate, Interest::READABLE | Interest::WRITABLE)
}

/// A descriptor in the event loop.
pub(super) fn registered(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    #[allow(unsafe_code, reason = "an OwnedFd is the same open descriptor for as long as it lives, as asked for")]
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    Ok(registered?)
}

fn on_pipes(line: Option<&str>, directory: &Path) -> io::Result<Started> {
    let mut command = match line {
        Some(line) => {
            let mut command = Command::new("/bin/sh");
            command.arg("-c").arg(line);
            command
        }
        None => login_shell(),
    };
    command.current_dir(directory).env_clear().envs(environment());
    let Piped { child, stdin, stdout, stderr } = piped(command)?;
    Ok((child, Input::pipe(stdin), Output::Pipes { stdout: Some(stdout), stderr: Some(stderr) }))
}

/// A child on pipes.
pub(in crate::host) struct Piped {
    pub(in crate::host) child: Child,
    pub(in crate::host) stdin: pipe::Sender,
    pub(in crate::host) stdout: pipe::Receiver,
    pub(in crate::host) stderr: pipe::Receiver,
}

/// Starts a program in a session of its own, without a terminal, on pipes. Blocks for the time of fork and exec; must be
/// called within a runtime.
pub(in crate::host) fn piped(mut command: Command) -> io::Result<Piped> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    #[allow(unsafe_code, reason = "only two system calls between fork and exec, no memory is allocated")]
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            close_on_exec();
            limits::restore()
        });
    }
    let mut child = command.spawn()?;
    let owner = Child::new(child.id(), None)?;
    let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let stderr = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
    Ok(Piped {
        child: owner,
        stdin: pipe::Sender::from_owned_fd(stdin.into())?,
        stdout: pipe::Receiver::from_owned_fd(stdout.into())?,
        stderr: pipe::Receiver::from_owned_fd(stderr.into())?,
    })
}

fn login_shell() -> Command {
    let shell = CommandBuilder::new_default_prog().get_shell();
    let name = shell.rsplit('/').next().unwrap_or("sh").to_string();
    let mut command = Command::new(shell);
    command.arg0(format!("-{name}"));
    command
}

/// Everything but stdin, stdout and stderr: another thread may be between opening a terminal and marking it. A
/// kernel without the call (before 5.11) leaves it at what was marked.
fn close_on_exec() {
    #[allow(unsafe_code, reason = "rustix has no close_range; it takes numbers and touches no memory")]
    let _unknown_call = unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}
