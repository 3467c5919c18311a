//! What the operator does while a command runs: keys and the size of the window.

use bytes::Bytes;
use tokio::sync::watch;

use super::ProcessControl;
use crate::terminal::{Keyboard, Size};

/// When keys may go to the command; sudo closes the gate while a password is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The command has not begun: keys pass, the end of input waits.
    Starting,
    /// Nothing passes.
    Closed,
    /// Everything passes.
    Open,
}

/// Hands keys to the command until nothing will ever be typed again, then the end of input (rows F-15, W-47).
pub(crate) async fn forward(
    mut keyboard: Keyboard,
    initial: Option<Bytes>,
    control: ProcessControl,
    mut gate: watch::Receiver<Gate>,
    pty: bool,
) {
    if let Some(initial) = initial {
        until(&mut gate, |gate| gate == Gate::Open).await;
        control.input(typed(initial, pty)).await;
    }
    loop {
        until(&mut gate, |gate| gate != Gate::Closed).await;
        let bytes = tokio::select! {
            biased;
            // The gate may close while nobody types: what is typed then must not be taken before it opens.
            () = until(&mut gate, |gate| gate == Gate::Closed) => continue,
            bytes = keyboard.read() => bytes,
        };
        match bytes {
            Some(bytes) => control.input(typed(bytes, pty)).await,
            None => break,
        }
    }
    end_of_input(control, gate).await;
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
