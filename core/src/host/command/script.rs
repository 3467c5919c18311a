//! Short scripts for the POSIX shell behind a wrapper, and what their ends mean for a file.

use std::sync::Arc;

use bstr::ByteSlice;
use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc::error::TryRecvError;

use super::shells::{Kept, Shells};
use crate::host::collect::Collected;
use crate::host::files::{Answer, Fault, Problem};
use crate::host::{ExitStatus, Host, Process, ProcessEvent, Reach, Spawn, SpawnMode};
use crate::terminal::style::escaped;

/// How scripts end when they have looked for themselves.
pub(super) const DIRECTORY: i32 = 45;
pub(super) const NO_DIRECTORY: i32 = 47;
pub(super) const EXISTS: i32 = 48;
pub(super) const SHORT: i32 = 49;

/// What every script prints first. Whatever a wrapper prints before it would pass for content.
const GREETING: &[u8] = b"deployer";
/// Longest line that is waited for.
const LINE_MAX: usize = 4096;
/// What is kept of stderr.
const SAID_MAX: usize = 4096;
/// Most bytes of output that is not the content of a file: a million names.
const OUTPUT_MAX: usize = 128 * 1024 * 1024;

/// Where scripts run.
#[derive(Clone)]
pub(super) struct Scripts {
    host: Arc<dyn Host>,
    reach: Reach,
    shells: Arc<Shells>,
}

/// A script that runs. Dropping it ends it.
pub(super) struct Script {
    runs: Runs,
    /// Output that was not asked for yet.
    ahead: Bytes,
    said: Collected,
}

enum Runs {
    /// The wrapper was started for it.
    Alone(Process),
    InShell(Box<Kept>),
    /// It has ended.
    NoMore,
}

impl Scripts {
    pub(super) fn new(host: Arc<dyn Host>, reach: Reach) -> Scripts {
        Scripts { host, reach, shells: Shells::new() }
    }

    /// Starts a script that reads nothing.
    pub(super) async fn start(&self, script: &str) -> Answer<Script> {
        match self.shells.start(&*self.host, &self.reach, script).await {
            Some(kept) => Ok(Script::new(Runs::InShell(Box::new(kept)))),
            None => self.start_alone(script).await,
        }
    }

    /// Starts a script that may read, and waits until its shell is there.
    pub(super) async fn start_alone(&self, script: &str) -> Answer<Script> {
        let line = format!("LC_ALL=C; export LC_ALL; echo deployer; {script}");
        let process = self.host.spawn(Spawn::line(line, SpawnMode::Piped), &self.reach).await;
        let process = process.map_err(|error| Fault::new(Problem::Other, error.to_string()))?;
        let mut script = Script::new(Runs::Alone(process));
        let greeting = script.line().await?;
        if greeting != GREETING {
            let line = escaped(&String::from_utf8_lossy(&greeting));
            return Err(Fault::new(Problem::Other, format!("its wrapper prints '{line}' before what the file holds")));
        }
        Ok(script)
    }

    /// Runs a script that reads nothing.
    pub(super) async fn output(&self, script: &str) -> Answer<Vec<u8>> {
        let (output, end) = self.start(script).await?.rest().await;
        end.map(|()| output)
    }

    /// Runs a script that prints nothing of interest.
    pub(super) async fn done(&self, script: &str) -> Answer<()> {
        self.output(script).await.map(drop)
    }
}

impl Script {
    fn new(runs: Runs) -> Script {
        Script { runs, ahead: Bytes::new(), said: Collected::new(SAID_MAX) }
    }

    /// Others need not wait for it.
    pub(super) fn may_take_long(&mut self) {
        if let Runs::InShell(kept) = &mut self.runs {
            kept.may_take_long();
        }
    }

    /// The next output; empty at a good end.
    pub(super) async fn next(&mut self) -> Answer<Bytes> {
        if !self.ahead.is_empty() {
            return Ok(std::mem::take(&mut self.ahead));
        }
        loop {
            let event = match &mut self.runs {
                Runs::NoMore => return Ok(Bytes::new()),
                Runs::Alone(process) => process.events.recv().await,
                Runs::InShell(kept) => match kept.status() {
                    Some(status) => return self.ended_in_shell(status).map(|()| Bytes::new()),
                    None => kept.next().await,
                },
            };
            match event {
                Some(ProcessEvent::Stdout(bytes)) if bytes.is_empty() => {}
                Some(ProcessEvent::Stdout(bytes)) => return Ok(bytes),
                Some(ProcessEvent::Stderr(bytes)) => self.said.push(&bytes),
                Some(ProcessEvent::Exit(status)) => return self.exited(status).map(|()| Bytes::new()),
                None => return Err(Fault::new(Problem::Lost, "its command went away")),
            }
        }
    }

    /// The next line, without its end.
    pub(super) async fn line(&mut self) -> Answer<BytesMut> {
        let mut line = BytesMut::new();
        while line.len() <= LINE_MAX {
            let mut bytes = self.next().await?;
            if bytes.is_empty() {
                break;
            }
            if let Some(at) = bytes.find_byte(b'\n') {
                line.extend_from_slice(&bytes.split_to(at));
                self.ahead = bytes.slice(1..);
                return Ok(line);
            }
            line.extend_from_slice(&bytes);
        }
        let line = escaped(&String::from_utf8_lossy(&line[..line.len().min(80)]));
        Err(Fault::new(Problem::Other, format!("a line was expected of its wrapper, there is '{line}'")))
    }

    /// Ends its input, and gives what it prints until its end.
    pub(super) async fn rest(mut self) -> (Vec<u8>, Answer<()>) {
        if let Runs::Alone(process) = &self.runs {
            process.control.eof().await;
        }
        let mut output = Vec::new();
        loop {
            match self.next().await {
                Ok(bytes) if bytes.is_empty() => return (output, Ok(())),
                Ok(bytes) => output.extend_from_slice(&bytes),
                Err(fault) => return (output, Err(fault)),
            }
            if output.len() > OUTPUT_MAX {
                return (Vec::new(), Err(Fault::new(Problem::Other, "it has too many entries")));
            }
        }
    }

    /// Gives input to a script that was started alone; waits while it does not read.
    ///
    /// # Errors
    /// When it has ended, which the input that was given last may not know yet.
    pub(super) async fn input(&mut self, bytes: Bytes) -> Answer<()> {
        let gone = || Fault::new(Problem::Lost, "its command went away");
        let Runs::Alone(process) = &mut self.runs else { return Err(gone()) };
        process.control.input(bytes).await;
        loop {
            match process.events.try_recv() {
                Ok(ProcessEvent::Stderr(bytes)) => self.said.push(&bytes),
                Ok(ProcessEvent::Stdout(_)) => {}
                Ok(ProcessEvent::Exit(status)) => {
                    self.exited(status)?;
                    return Err(Fault::new(Problem::Lost, "its command ended before everything was written"));
                }
                Err(TryRecvError::Empty) => return Ok(()),
                Err(TryRecvError::Disconnected) => return Err(gone()),
            }
        }
    }

    /// The end of a script in a shell, which can be used again.
    fn ended_in_shell(&mut self, status: i32) -> Answer<()> {
        if let Runs::InShell(kept) = std::mem::replace(&mut self.runs, Runs::NoMore) {
            kept.give_back();
        }
        self.ended(ExitStatus::Code(status))
    }

    /// The end of the process, which is that of the script when it was started for it.
    fn exited(&mut self, status: ExitStatus) -> Answer<()> {
        match std::mem::replace(&mut self.runs, Runs::NoMore) {
            Runs::InShell(_) => {
                let said = format!("the shell behind its wrapper ended ({status}); whether it was done is not known");
                Err(Fault::new(Problem::Lost, said))
            }
            Runs::Alone(_) | Runs::NoMore => self.ended(status),
        }
    }

    fn ended(&mut self, status: ExitStatus) -> Answer<()> {
        let said = std::mem::replace(&mut self.said, Collected::new(0)).finish().0;
        let said = String::from_utf8_lossy(&said);
        let line = said.trim_end().lines().last().unwrap_or_default().trim();
        match status {
            ExitStatus::Code(0) => Ok(()),
            ExitStatus::Code(DIRECTORY) => Err(Fault::of(Problem::IsADirectory)),
            ExitStatus::Code(NO_DIRECTORY) => Err(Fault::of(Problem::NotADirectory)),
            ExitStatus::Code(EXISTS) => Err(Fault::of(Problem::Exists)),
            ExitStatus::Code(SHORT) => {
                Err(Fault::new(Problem::Lost, "not everything arrived that was written; the wrapper lost some"))
            }
            ExitStatus::Code(126 | 127) => {
                let said = format!("a program is missing there ({}); files need cat, stat, mv, rm", escaped(line));
                Err(Fault::new(Problem::Unsupported, said))
            }
            status if line.is_empty() => Err(Fault::new(Problem::Other, format!("its command ended ({status})"))),
            ExitStatus::Code(_) => Err(Fault::told(line)),
            status => Err(Fault::new(Problem::Lost, format!("its command: {status}: {}", escaped(line)))),
        }
    }
}
