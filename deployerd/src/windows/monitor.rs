//! The indented log of a session in a window, live, until a key is pressed (row Q-23).

use deployer_core::terminal::Terminal;
use tokio::sync::broadcast::error::RecvError;

use crate::session::{Handle, PtyTerminal};

use super::log::Subscription;

/// Shows it until a key is pressed, the window is gone, or the session has ended.
pub(super) async fn show(terminal: PtyTerminal, log: Subscription, session: &Handle) {
    // Whoever is gone sees nothing; there is nobody else to tell.
    let _nobody_looks = follow(&terminal, log, session).await;
}

async fn follow(terminal: &PtyTerminal, mut log: Subscription, session: &Handle) -> std::io::Result<()> {
    let mut keyboard = terminal.keyboard();
    let name = &session.name;
    terminal.print(&format!("log of session {name}; any key closes this window\n")).await?;
    let columns = || usize::from(terminal.size.borrow().cols);
    for line in &log.before {
        terminal.print(&line.shown(terminal.colour, columns())).await?;
    }
    loop {
        tokio::select! {
            biased;
            _key_or_nobody_there = keyboard.read() => return Ok(()),
            line = log.lines.recv() => match line {
                Ok(line) => terminal.print(&line.shown(terminal.colour, columns())).await?,
                Err(RecvError::Lagged(lost)) => {
                    terminal.print(&format!("... {lost} lines were left out, this window was too slow\n")).await?;
                }
                Err(RecvError::Closed) => return Ok(()),
            },
            () = session.ended() => {
                terminal.print(&format!("session {name} has ended\n")).await?;
                return Ok(());
            }
        }
    }
}
