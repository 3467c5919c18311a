//! What the operator does while a command runs: keys and the size of the window.

use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use tokio::sync::watch;

use super::{ProcessControl, Signal};
use crate::terminal::{Keyboard, Size};

/// What may go to the command. Without sudo everything may, from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// sudo is at work: typed keys wait, they are for the command and must not be taken for a password. Ctrl-C passes.
    Held,
    /// sudo asks something that is not ours to answer (a one-time code): what is typed from now on passes, what was
    /// typed before and the end of input wait.
    Keys,
    /// The command has begun.
    Open,
}

/// Bytes that may wait while sudo is at work; more is left to the keyboard, which has a bound of its own.
const HELD_MAX: usize = 4096;

const CTRL_C: u8 = 0x03;

/// Where keys go, and whether Ctrl-C was among them.
pub(crate) struct Keys<'a> {
    pub(crate) control: ProcessControl,
    pub(crate) pty: bool,
    /// Set as soon as a Ctrl-C was typed at the command.
    pub(crate) interrupted: &'a AtomicBool,
}

impl Keys<'_> {
    async fn input(&self, bytes: Bytes) {
        self.note(&bytes);
        self.control.input(typed(bytes, self.pty)).await;
    }

    /// Whether there is a Ctrl-C among these.
    fn note(&self, bytes: &[u8]) -> bool {
        let interrupts = self.pty && bytes.contains(&CTRL_C);
        if interrupts {
            self.interrupted.store(true, Ordering::Relaxed);
        }
        interrupts
    }
}

/// Keys that were typed and not handed over; who reads next gets them when the run ends before it took them.
struct Typing {
    keyboard: Keyboard,
    held: Vec<u8>,
    /// What [`Keyboard::flushes`] was when the first of them was held.
    flushes: u64,
}

impl Typing {
    fn hold(&mut self, bytes: &[u8]) {
        self.drop_flushed();
        self.held.extend_from_slice(bytes);
    }

    /// A password was asked for meanwhile: what was typed before that is dropped here, too.
    fn drop_flushed(&mut self) {
        let flushes = self.keyboard.flushes();
        if std::mem::replace(&mut self.flushes, flushes) != flushes {
            self.held.clear();
        }
    }

    async fn release(&mut self, keys: &Keys<'_>) {
        self.drop_flushed();
        if !self.held.is_empty() {
            let held = Bytes::from(std::mem::take(&mut self.held));
            keys.input(held).await;
        }
    }
}

impl Drop for Typing {
    fn drop(&mut self) {
        self.drop_flushed();
        self.keyboard.unread(Bytes::from(std::mem::take(&mut self.held)));
    }
}

/// Hands keys to the command until nothing will ever be typed again, then the end of input (rows F-15, W-47).
pub(crate) async fn forward(
    keyboard: Keyboard,
    initial: Option<Bytes>,
    keys: Keys<'_>,
    mut gate: watch::Receiver<Gate>,
) {
    let mut typing = Typing { flushes: keyboard.flushes(), keyboard, held: Vec::new() };
    if let Some(initial) = initial {
        hold(&mut typing, &keys, &mut gate, |gate| gate == Gate::Open).await;
        keys.control.input(typed(initial, keys.pty)).await;
    }
    loop {
        hold(&mut typing, &keys, &mut gate, |gate| gate != Gate::Held).await;
        let open = *gate.borrow() == Gate::Open;
        if open {
            typing.release(&keys).await;
        }
        let bytes = tokio::select! {
            biased;
            () = until(&mut gate, |gate| gate == Gate::Held || (gate == Gate::Open && !open)) => continue,
            bytes = typing.keyboard.read() => bytes,
        };
        match bytes {
            Some(bytes) => keys.input(bytes).await,
            None => break,
        }
    }
    until(&mut gate, |gate| gate == Gate::Open).await;
    typing.release(&keys).await;
    drop(typing);
    end_of_input(keys.control, gate).await;
}

/// Keeps what is typed until the gate is in a state that is wanted. Ctrl-C goes through at once: without it nobody
/// could leave a sudo that hangs.
async fn hold(typing: &mut Typing, keys: &Keys<'_>, gate: &mut watch::Receiver<Gate>, wanted: impl Fn(Gate) -> bool) {
    let mut wanted = std::pin::pin!(until(gate, wanted));
    let mut more = true;
    loop {
        let bytes = tokio::select! {
            biased;
            () = &mut wanted => return,
            bytes = typing.keyboard.read(), if more => bytes,
        };
        let bytes = bytes.unwrap_or_default();
        if keys.note(&bytes) {
            typing.held.clear();
            keys.control.signal(Signal::Int);
        } else {
            typing.hold(&bytes);
        }
        more = !bytes.is_empty() && typing.held.len() < HELD_MAX;
    }
}

/// Closes stdin as soon as the command has begun.
pub(crate) async fn end_of_input(control: ProcessControl, mut gate: watch::Receiver<Gate>) {
    until(&mut gate, |gate| gate == Gate::Open).await;
    control.eof().await;
}

/// Waits for a state of the gate; for ever when it will not come any more.
async fn until(gate: &mut watch::Receiver<Gate>, wanted: impl Fn(Gate) -> bool) {
    if gate.wait_for(|gate| wanted(*gate)).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A terminal's Enter is CR, and that is what programs in raw mode wait for; LF comes from pasted or prepared text
/// (row F-33). Without a PTY bytes stay what they are.
fn typed(bytes: Bytes, pty: bool) -> Bytes {
    if !pty || !bytes.contains(&b'\n') {
        return bytes;
    }
    bytes.iter().map(|byte| if *byte == b'\n' { b'\r' } else { *byte }).collect()
}

/// Tells the command every new size (row F-32); ends when the terminal is gone.
pub(crate) async fn follow_size(mut size: watch::Receiver<Size>, control: ProcessControl) {
    while size.changed().await.is_ok() {
        let now = *size.borrow_and_update();
        control.resize(now).await;
    }
}
