//! Plays a recording on a terminal: space stops and goes on, q and Ctrl-C end it.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use deployer_core::terminal::Size;
use deployerd::recording::Playback;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::recording::{Event, What};
use super::{Pace, Recording};
use crate::client::{Outlet, RawTerminal, keys, raw};
use crate::failure::Failure;

/// How the player is left: q, Ctrl-C, Ctrl-D.
const QUIT: [u8; 3] = [b'q', 3, 4];

fn take(screen: &mut Playback, what: &What) {
    match what {
        What::Output(text) => screen.output(text.as_bytes()),
        What::Resize(size) => screen.resize(*size),
    }
}

/// What the screen shows at the end, as text; for whoever has no terminal.
///
/// # Errors
/// As [`Recording::next`].
pub(crate) fn final_screen(recording: &mut Recording) -> Result<String, Failure> {
    let mut screen = Playback::new(recording.size);
    while let Some(event) = recording.next()? {
        take(&mut screen, &event.what);
    }
    Ok(screen.text())
}

/// Plays it.
///
/// # Errors
/// When the terminal cannot be used, or as [`Recording::next`].
pub(crate) async fn play(recording: &mut Recording, pace: Pace) -> Result<(), Failure> {
    let unusable = |error: io::Error| Failure::other(format!("cannot use the terminal: {error}"));
    let terminal = RawTerminal::enter().map_err(unusable)?;
    let outlet = Outlet::new(io::stdout(), Some(terminal.modes())).map_err(unusable)?;
    let typed = keys::read(io::stdin()).map_err(unusable)?;
    terminal.scroll_away();
    let (rows, cols) = raw::size();
    let size = Size::clamped(rows, cols);
    let screen = Playback::new(recording.size);
    let mut player = Player { screen, size, typed, pace, paused: None, started: Instant::now() };
    let played = player.run(recording, &outlet).await;
    // The prompt comes below what was played.
    if let Some(room) = outlet.room().await {
        room.send(Bytes::from(format!("\x1b[m\x1b[{};1H\x1b[?25h\r\n", size.rows)));
    }
    // A terminal that is gone needs nothing more.
    let _gone = outlet.finish().await;
    played
}

struct Player {
    screen: Playback,
    size: Size,
    typed: mpsc::Receiver<Bytes>,
    pace: Pace,
    /// Since when it stands still.
    paused: Option<Instant>,
    /// When time zero was, pauses taken out.
    started: Instant,
}

impl Player {
    async fn run(&mut self, recording: &mut Recording, outlet: &Outlet) -> Result<(), Failure> {
        while let Some(Event { at, what }) = recording.next()? {
            let due = self.pace.due(at);
            if !self.wait(due).await {
                return Ok(());
            }
            take(&mut self.screen, &what);
            let Some(room) = outlet.room().await else { return Ok(()) };
            room.send(Bytes::from(self.screen.drawn(self.size)));
        }
        Ok(())
    }

    /// Waits until it is this late in the recording; false when the operator has had enough.
    async fn wait(&mut self, due: Duration) -> bool {
        loop {
            let until = self.started + due;
            let typed = tokio::select! {
                biased;
                typed = self.typed.recv() => typed,
                () = tokio::time::sleep_until(until), if self.paused.is_none() => return true,
            };
            let Some(typed) = typed else { return false };
            if typed.iter().any(|key| QUIT.contains(key)) {
                return false;
            }
            for _space in typed.iter().filter(|key| **key == b' ') {
                self.paused = match self.paused.take() {
                    None => Some(Instant::now()),
                    Some(since) => {
                        self.started += since.elapsed();
                        None
                    }
                };
            }
        }
    }
}
