//! Windows of the operator's terminal, opened when the daemon asks for one (rows ).
//!
//! The daemon says a ticket and a title and nothing else: what runs in the window is this program, and the command is made
//! here. A daemon that means harm gets windows of deployer, as many as it asks for one after the other.

mod emulator;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use deployer_protocol::{FromClient, OpenWindow};
use tokio::sync::mpsc;

use crate::failure::printable;
use emulator::{Emulator, Steps};

/// Windows that may wait to be opened; the terminal takes a moment for each.
const WAITING: usize = 256;

/// How long the command of a terminal may take.
const LIMIT: Duration = Duration::from_secs(8);

/// How long a terminal that lasts as long as its window is watched for failing at once.
const EARLY: Duration = Duration::from_millis(500);

/// Longest title and longest complaint, characters.
const TITLE_MAX: usize = 60;
const COMPLAINT_MAX: usize = 200;

/// Opens windows in the terminal of this process.
#[derive(Clone, Debug)]
pub(crate) struct Opener {
    emulator: Emulator,
    /// This program.
    program: PathBuf,
    path: Option<OsString>,
}

impl Opener {
    /// `None` where the environment tells of no terminal that can.
    pub(crate) fn of_process() -> Option<Opener> {
        let emulator = Emulator::detect(|name| std::env::var_os(name))?;
        Some(Opener { emulator, program: std::env::current_exe().ok()?, path: std::env::var_os("PATH") })
    }

    /// Opens what comes in, one after the other, each a new client of the daemon at `socket`; what fails is told.
    pub(crate) fn start(self, socket: PathBuf, to_daemon: mpsc::Sender<FromClient>) -> mpsc::Sender<OpenWindow> {
        let (wishes, mut queue) = mpsc::channel::<OpenWindow>(WAITING);
        tokio::spawn(async move {
            while let Some(wish) = queue.recv().await {
                let (opener, socket, ticket) = (self.clone(), socket.clone(), wish.ticket.clone());
                let opened = tokio::task::spawn_blocking(move || opener.open(&socket, &wish)).await;
                let problem = match opened {
                    Ok(Ok(())) => continue,
                    Ok(Err(problem)) => problem,
                    Err(panic) => panic.to_string(),
                };
                if to_daemon.send(FromClient::WindowRefused((ticket, problem))).await.is_err() {
                    return;
                }
            }
        });
        wishes
    }

    fn open(&self, socket: &Path, wish: &OpenWindow) -> Result<(), String> {
        if !is_ticket(&wish.ticket) {
            return Err("that is no ticket".to_string());
        }
        let mut command: Vec<OsString> = vec![self.program.clone().into(), "connect".into(), "--socket".into()];
        command.extend([socket.into(), "--ticket".into(), wish.ticket.clone().into()]);
        // A title that begins with a dash would be an option.
        let title = format!("deployer {}", printable(&wish.title, TITLE_MAX));
        let Steps { open, stays, then } = self.emulator.steps(&title, wish.focus, &command, self.path.as_deref());
        run(&open, stays)?;
        for step in then {
            // The window is there; where it stands is a nicety.
            if let Err(problem) = run(&step, false) {
                tracing::debug!(problem, "a window is not where it should be");
            }
        }
        Ok(())
    }
}

/// 32 hexadecimal digits.
fn is_ticket(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Runs one command of a terminal to its end, or for a moment where it lasts as long as the window.
fn run(words: &[OsString], stays: bool) -> Result<(), String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    let shown = program.to_string_lossy().into_owned();
    let mut command = Command::new(program);
    // Its complaints must not run across the session, nor its end with ours.
    let command = command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let command = std::os::unix::process::CommandExt::process_group(command, 0);
    let stderr = if stays { Stdio::null() } else { Stdio::piped() };
    let mut child = command.stderr(stderr).spawn().map_err(|error| format!("cannot start {shown}: {error}"))?;
    let limit = if stays { EARLY } else { LIMIT };
    let begun = Instant::now();
    while begun.elapsed() < limit {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(complaint(&shown, &mut child, status.to_string())),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(error) => return Err(format!("{shown}: {error}")),
        }
    }
    if stays {
        // It ends with its window; somebody must take note, or a dead process stays behind.
        std::thread::spawn(move || child.wait());
        return Ok(());
    }
    // Given up: what it does from now on is of no use to anybody.
    let _gone = child.kill().and_then(|()| child.wait());
    Err(format!("{shown} did not answer within {} s", limit.as_secs()))
}

/// The first line that it said, else how it ended.
fn complaint(shown: &str, child: &mut Child, status: String) -> String {
    use std::io::Read;
    let mut said = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        // What cannot be read was not said.
        let _read = stderr.take(4096).read_to_end(&mut said);
    }
    let said = String::from_utf8_lossy(&said);
    let why = said.lines().find(|line| !line.trim().is_empty()).unwrap_or(&status);
    printable(&format!("{shown}: {}", why.trim()), COMPLAINT_MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<OsString> {
        words.iter().map(OsString::from).collect()
    }

    #[test]
    fn only_tickets_reach_a_command_line() {
        assert!(is_ticket("0123456789abcdef0123456789abcdef"));
        for bad in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcde;", "$(reboot)"] {
            assert!(!is_ticket(bad), "{bad}");
        }
        let opener = Opener { emulator: Emulator::Zellij, program: "/nonexistent".into(), path: None };
        let wish = OpenWindow { ticket: "--help".to_string(), title: String::new(), focus: true };
        assert_eq!(opener.open(Path::new("/s"), &wish), Err("that is no ticket".to_string()));
    }

    // rows: Q-18
    #[test]
    fn what_fails_is_told_with_its_own_words() {
        assert_eq!(run(&words(&["true"]), false), Ok(()));
        let error = run(&words(&["sh", "-c", "echo 'no space for\tnew pane' >&2; exit 1"]), false).unwrap_err();
        assert_eq!(error, "sh: no space for?new pane");
        assert_eq!(run(&words(&["false"]), true).unwrap_err(), "false: exit status: 1");
        let error = run(&words(&["/nonexistent/tmux"]), false).unwrap_err();
        assert!(error.starts_with("cannot start /nonexistent/tmux: "), "{error}");
    }
}
