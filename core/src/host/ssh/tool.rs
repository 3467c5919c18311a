//! Programs of the system that are asked something: `ssh -G`, `ssh-keygen -Q`. Without a shell, off the event loop, with a
//! limit for the time and for what is kept of their answer; they end with whoever asks.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::pipe;
use tokio::time::timeout;

use crate::host::local::{Piped, environment, piped};
use crate::host::{ExitStatus, Signal};

/// How much of an answer is kept; the settings of `ssh -G` are 5 KiB.
const MAX_OUTPUT: u64 = 256 * 1024;
const MAX_ERRORS: u64 = 4096;

/// What a program answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: ExitStatus,
    pub(super) output: String,
    pub(super) errors: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoReply {
    /// It is not installed.
    Missing,
    /// It cannot be started, or not be read.
    Failed(io::Error),
    /// It took too long, and was ended.
    Late,
}

/// A program with our environment, without our agent: that of whoever asks is to be set, if it may have one.
pub(super) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment()).env_remove("SSH_AUTH_SOCK");
    command
}

/// Runs it with this input and gives its answer.
///
/// # Errors
/// It does not answer; what its status means is the caller's business.
pub(super) async fn ask(command: Command, input: &[u8], limit: Duration) -> Result<Reply, NoReply> {
    let started = tokio::task::spawn_blocking(move || piped(command)).await.map_err(io::Error::other);
    let Piped { mut child, stdin, stdout, stderr } = match started.and_then(|started| started) {
        Ok(started) => started,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(NoReply::Missing),
        Err(error) => return Err(NoReply::Failed(error)),
    };
    let all = async {
        let (output, errors, ()) =
            tokio::join!(bounded(stdout, MAX_OUTPUT), bounded(stderr, MAX_ERRORS), feed(stdin, input));
        (child.wait().await, output, errors)
    };
    match timeout(limit, all).await {
        Ok((status, Ok(output), Ok(errors))) => Ok(Reply { status, output, errors }),
        Ok((_, Err(error), _) | (_, _, Err(error))) => Err(NoReply::Failed(error)),
        Err(_) => {
            child.signal(Signal::Kill);
            child.wait().await;
            Err(NoReply::Late)
        }
    }
}

async fn feed(mut stdin: pipe::Sender, input: &[u8]) {
    // A program that does not want it says what it wants instead.
    let _not_wanted = stdin.write_all(input).await;
}

/// Reads to the end and keeps the beginning.
async fn bounded(mut pipe: impl AsyncRead + Unpin, limit: u64) -> io::Result<String> {
    let mut kept = Vec::new();
    (&mut pipe).take(limit).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    Ok(String::from_utf8_lossy(&kept).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shell(line: &str) -> Command {
        let mut shell = command(Path::new("/bin/sh"));
        shell.arg("-c").arg(line);
        shell
    }

    #[tokio::test]
    async fn a_program_answers_with_its_status_and_both_streams_of_which_the_beginning_is_kept() {
        let long = Duration::from_secs(60);
        let Reply { status, output, errors } = ask(shell("cat; echo no >&2; exit 3"), b"input", long).await.unwrap();
        assert_eq!((status, output.as_str(), errors.as_str()), (ExitStatus::Code(3), "input", "no\n"));
        // More than a pipe holds in each direction, and nobody reads the input.
        let reply = ask(shell("head -c 1000000 /dev/zero"), &[0; 300_000], long).await.unwrap();
        assert_eq!(reply.output.len() as u64, MAX_OUTPUT);
    }

    #[tokio::test]
    async fn no_program_and_one_that_hangs_are_told_apart() {
        let missing = ask(command(Path::new("/nonexistent/tool")), b"", Duration::from_secs(60)).await;
        assert!(matches!(missing, Err(NoReply::Missing)), "{missing:?}");
        let late = ask(shell("sleep 1000"), b"", Duration::from_millis(50)).await;
        assert!(matches!(late, Err(NoReply::Late)), "{late:?}");
    }
}
