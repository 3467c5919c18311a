//! A program as the way to a server: `ProxyCommand`.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::host::ExitStatus;
use crate::host::Signal;
use crate::host::local::{Child, environment, piped};
use crate::host::ssh::failure::printable;

/// How much of its messages is kept, from the end.
const SAID: usize = 2048;
/// How long the program may take to end by itself once it is not needed.
const GRACE: Duration = Duration::from_secs(1);

/// What is known of a program from outside.
#[derive(Clone, Debug)]
pub(in crate::host::ssh) struct Watch {
    said: Arc<Mutex<Vec<u8>>>,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Watch {
    /// Its messages, the last ones.
    pub(in crate::host::ssh) fn said(&self) -> String {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        printable(String::from_utf8_lossy(&said).trim(), 500)
    }

    /// How it ended and what it said, once it has; `None` when it runs on.
    pub(in crate::host::ssh) async fn end(&self) -> Option<String> {
        let mut status = self.status.clone();
        let ended = timeout(GRACE, status.wait_for(Option::is_some)).await.ok()?.ok()?.clone()?;
        let said = self.said();
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        Some(format!("the proxy command ended ({ended}){said}"))
    }
}

/// The shell that reads the line, as for ssh: `SHELL` of the environment, or `/bin/sh`.
fn shell(environment: &[(OsString, OsString)]) -> OsString {
    let set = environment.iter().find(|(name, value)| name == "SHELL" && !value.is_empty());
    set.map_or_else(|| "/bin/sh".into(), |(_, shell)| shell.clone())
}

/// Starts it, in a process group of its own. The program is ended when the stream is dropped.
///
/// # Errors
/// Why it cannot be started.
pub(super) async fn start(line: &str, agent: Option<&Path>) -> io::Result<(CommandStream, Watch)> {
    let environment = environment();
    let mut command = Command::new(shell(&environment));
    // As ssh does it: the shell gives way to the program, so that signals reach it.
    command.arg("-c").arg(format!("exec {line}"));
    command.env_clear().envs(environment).env_remove("SSH_AUTH_SOCK");
    // The agent is the operator's, which need not be the one this process was started with.
    command.envs(agent.map(|socket| ("SSH_AUTH_SOCK", socket)));
    let started = tokio::task::spawn_blocking(move || piped(command)).await.map_err(io::Error::other)??;
    let (report, status) = watch::channel(None);
    let watch = Watch { said: Arc::default(), status };
    let unwanted = CancellationToken::new();
    tokio::spawn(keep(started.child, started.stderr, watch.said.clone(), unwanted.clone(), report));
    let stream = CommandStream {
        stdin: Some(started.stdin),
        stdout: started.stdout,
        watch: watch.clone(),
        ending: None,
        _unwanted: unwanted.drop_guard(),
    };
    Ok((stream, watch))
}

/// Reads what the program says, and sees to its end.
async fn keep(
    mut child: Child,
    mut stderr: pipe::Receiver,
    said: Arc<Mutex<Vec<u8>>>,
    unwanted: CancellationToken,
    report: watch::Sender<Option<ExitStatus>>,
) {
    let mut ended = None;
    let mut buffer = [0; 1024];
    let mut open = true;
    while ended.is_none() {
        tokio::select! {
            biased;
            read = stderr.read(&mut buffer), if open => open = note(&said, &buffer, read),
            status = child.wait() => ended = Some(status),
            () = unwanted.cancelled() => break,
        }
    }
    if let Some(status) = &ended {
        // What it said last may still be in the pipe; a process it left behind may hold the pipe open for ever.
        let rest = async {
            while open {
                let read = stderr.read(&mut buffer).await;
                open = note(&said, &buffer, read);
            }
        };
        let _held_open = timeout(Duration::from_millis(100), rest).await;
        report.send_replace(Some(status.clone()));
        unwanted.cancelled().await;
    } else {
        child.signal(Signal::Term);
        ended = timeout(GRACE, child.wait()).await.ok();
    }
    // The program may be gone and have left others behind.
    if child.group_lives() {
        child.signal(Signal::Kill);
    }
    if ended.is_none() {
        child.wait().await;
    }
}

/// Whether there may be more.
fn note(said: &Mutex<Vec<u8>>, buffer: &[u8], read: io::Result<usize>) -> bool {
    let Ok(count @ 1..) = read else { return false };
    let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
    said.extend_from_slice(&buffer[..count]);
    let excess = said.len().saturating_sub(SAID);
    said.drain(..excess);
    true
}

/// The pipes to and from the program.
pub(super) struct CommandStream {
    stdin: Option<pipe::Sender>,
    stdout: pipe::Receiver,
    watch: Watch,
    ending: Option<Pin<Box<dyn Future<Output = Option<String>> + Send>>>,
    _unwanted: DropGuard,
}

impl AsyncRead for CommandStream {
    /// The end of the program is an error that says how it ended.
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.ending.is_none() {
            let before = buf.filled().len();
            ready!(Pin::new(&mut self.stdout).poll_read(cx, buf))?;
            if buf.filled().len() > before || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            let watch = self.watch.clone();
            self.ending = Some(Box::pin(async move { watch.end().await }));
        }
        match self.ending.as_mut().map(|ending| ending.as_mut().poll(cx)) {
            Some(Poll::Pending) => Poll::Pending,
            Some(Poll::Ready(end)) => {
                self.ending = None;
                Poll::Ready(match end {
                    Some(end) => Err(io::Error::other(end)),
                    None => Ok(()),
                })
            }
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for CommandStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(stdin) = self.stdin.as_mut() else { return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())) };
        match ready!(Pin::new(stdin).poll_write(cx, bytes)) {
            // Reading will tell how the program ended, which says more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Poll::Ready(Ok(bytes.len())),
            written => Poll::Ready(written),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_read_by_the_shell_of_the_environment() {
        let environment = |shell: &str| vec![("A".into(), "b".into()), ("SHELL".into(), shell.into())];
        assert_eq!(shell(&environment("/bin/zsh")), "/bin/zsh");
        assert_eq!(shell(&environment("")), "/bin/sh");
        assert_eq!(shell(&[]), "/bin/sh");
    }
}
