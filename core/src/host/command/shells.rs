//! Shells that are kept open behind a wrapper for as long as files are used there.
//!
//! Starting the wrapper is what costs (`docker exec` takes a tenth of a second), and a directory with many small files
//! needs several steps for each. So all scripts after the first one, except those that read input, take turns in a few
//! shells that read them from a pipe. Where no such shell can be had, because the wrapper passes no input on, each script
//! starts the wrapper for itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use rand::Rng;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::host::end_marks::EndMarks;
use crate::host::process::Stream;
use crate::host::{Host, Process, ProcessEvent, Reach, Spawn, SpawnMode};
use crate::text::esc1;

/// Short scripts at once.
const AT_ONCE: usize = 4;
/// How long a shell may take to say that it is ready; after that there are none.
const READY: Duration = Duration::from_secs(10);

/// All shells for one use of files. When it is dropped, they end.
pub(super) struct Shells {
    turns: Arc<Semaphore>,
    // Plain data, short work, nothing awaits while it is locked.
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// One script ran: the next one is worth a shell.
    seen: bool,
    /// There can be none.
    unable: bool,
    idle: Vec<Shell>,
}

/// A shell that waits for a script.
struct Shell {
    process: Process,
    /// What its marks are known by.
    token: String,
    /// The number of its last script.
    number: u64,
}

/// A shell that runs a script. Dropping it ends both.
pub(super) struct Kept {
    shell: Shell,
    marks: EndMarks,
    /// Given back early by a script that may take long.
    turn: Option<OwnedSemaphorePermit>,
    shells: Arc<Shells>,
}

/// The first part of what a shell reads. Each script runs in a subshell, so that nothing of it stays, and without input.
fn prelude(token: &str) -> String {
    format!(
        r#"LC_ALL=C; export LC_ALL
_deployer() {{
( eval "$2" ) <&-
_deployer_status=$?
printf '\033_deployer:{token}:%s:\033\\' "$1" >&2
printf '\033_deployer:{token}:%s:%s:0\033\\' "$1" "$_deployer_status"
}}
_deployer ready :
"#
    )
}

impl Shells {
    pub(super) fn new() -> Arc<Shells> {
        Arc::new(Shells { turns: Arc::new(Semaphore::new(AT_ONCE)), state: Mutex::default() })
    }

    /// Starts a script in a shell, when one is free or can be made. `None`: it has to run on its own.
    pub(super) async fn start(self: &Arc<Shells>, host: &dyn Host, reach: &Reach, script: &str) -> Option<Kept> {
        if !self.worth_one() {
            return None;
        }
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        let mut shell = match self.idle() {
            Some(shell) => shell,
            None if self.lock().unable => return None,
            None => {
                let made = timeout(READY, Shell::make(host, reach)).await.ok().flatten();
                self.lock().unable |= made.is_none();
                made?
            }
        };
        shell.number += 1;
        let number = shell.number.to_string();
        let line = format!("_deployer {number} '{}'\n", esc1(script));
        shell.process.control.input(Bytes::from(line)).await;
        let marks = EndMarks::new(&shell.token, &number);
        Some(Kept { shell, marks, turn: Some(turn), shells: self.clone() })
    }

    fn worth_one(&self) -> bool {
        let mut state = self.lock();
        std::mem::replace(&mut state.seen, true) && !state.unable
    }

    /// A shell that waits and lives.
    fn idle(&self) -> Option<Shell> {
        let mut state = self.lock();
        while let Some(mut shell) = state.idle.pop() {
            if matches!(shell.process.events.try_recv(), Err(TryRecvError::Empty)) {
                return Some(shell);
            }
        }
        None
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shell {
    async fn make(host: &dyn Host, reach: &Reach) -> Option<Shell> {
        let mut process = host.spawn(Spawn::line("exec /bin/sh -s", SpawnMode::Piped), reach).await.ok()?;
        let token = format!("{:016x}", rand::rng().random::<u64>());
        process.control.input(Bytes::from(prelude(&token))).await;
        let mut ready = EndMarks::new(&token, "ready");
        while ready.end().is_none() {
            // Whatever a wrapper says before that is of no interest; that it speaks between scripts is seen later.
            match process.events.recv().await? {
                ProcessEvent::Stdout(bytes) => drop(ready.filter(Stream::Out, bytes)),
                ProcessEvent::Stderr(bytes) => drop(ready.filter(Stream::Err, bytes)),
                ProcessEvent::Exit(_) => return None,
            }
        }
        Some(Shell { process, token, number: 0 })
    }
}

impl Kept {
    /// The next event of the shell, with the marks taken out of output, which may be empty then. An exit is the shell's own.
    pub(super) async fn next(&mut self) -> Option<ProcessEvent> {
        Some(match self.shell.process.events.recv().await? {
            ProcessEvent::Stdout(bytes) => ProcessEvent::Stdout(self.marks.filter(Stream::Out, bytes)),
            ProcessEvent::Stderr(bytes) => ProcessEvent::Stderr(self.marks.filter(Stream::Err, bytes)),
            exit @ ProcessEvent::Exit(_) => exit,
        })
    }

    /// The status of the script, once it has ended.
    pub(super) fn status(&self) -> Option<i32> {
        self.marks.end().map(|end| end.status)
    }

    /// Others need not wait for this script.
    pub(super) fn may_take_long(&mut self) {
        self.turn = None;
    }

    /// The script has ended: the shell waits for another one.
    pub(super) fn give_back(self) {
        let Kept { shell, turn, shells, .. } = self;
        let mut state = shells.lock();
        if state.idle.len() < AT_ONCE {
            state.idle.push(shell);
        }
        drop(state);
        // Whoever waits for its turn finds the shell.
        drop(turn);
    }
}
