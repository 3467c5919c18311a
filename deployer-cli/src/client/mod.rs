//! The attached terminal: what stands between an operator's terminal and a session in a daemon.
//!
//! Bytes go through bounded queues in both directions: a flood of input waits in the terminal, slow output makes the
//! daemon hold back. The terminal's own file description is never changed in ways that survive this process.

mod connection;
mod detach;
mod ending;
pub(crate) mod keys;
mod modes;
mod outlet;
mod own_terminal;
mod plain;
pub(crate) mod raw;
mod signals;
mod terminal;
mod unsent;

use std::io::IsTerminal;

use deployer_protocol::{Claim, FromClient, Join, Open};

pub(crate) use connection::{Connection, HELLO_LIMIT, Unreachable, unexpected};
pub(crate) use detach::DetachKey;
pub(crate) use ending::Ending;
pub(crate) use outlet::Outlet;
pub(crate) use raw::RawTerminal;

use crate::failure::Failure;
use crate::windows::Opener;

/// What the operator wants of the daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// A new session.
    Open {
        /// Where it begins.
        path: Vec<String>,
        /// What it does instead of a shell.
        action: Option<Vec<String>>,
        /// Whether questions may be asked, if there is a terminal to ask them on.
        interactive: bool,
    },
    /// A session that exists.
    Join {
        /// Its name.
        name: String,
        /// Without a keyboard.
        watch: bool,
    },
    /// What the ticket of a window is for.
    Claim(String),
    /// The log of this session.
    Monitor(String),
}

/// How the operator's end behaves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The key that leaves; none on a private daemon, which would end with the client that left.
    pub(crate) detach_key: Option<DetachKey>,
    /// Whether nobody chose that key: the session's own counts then.
    pub(crate) any_detach_key: bool,
    /// Whether keys are for nobody: Ctrl-C then leaves too.
    pub(crate) watching: bool,
}

/// A session that this client is attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attached {
    /// Its name.
    session: String,
    /// The size of our terminal, lines and columns, as the daemon was told it; `None` when the session does not have it.
    terminal: Option<(u16, u16)>,
    /// Whether it was there before, so that its screen replaces ours.
    joined: bool,
}

/// Opens or joins the session wished for.
///
/// With a terminal on both standard input and output the session gets it; otherwise bytes are copied as they are,
/// standard output and error apart (rows W-44, Q-13). `color` is whether it may have colours there.
///
/// # Errors
/// When the daemon refuses, or a terminal is needed and there is none.
pub(crate) async fn open(connection: &mut Connection, wish: &Wish, color: bool) -> Result<Attached, Failure> {
    let on_terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let message = message(wish, on_terminal, color)?;
    if on_terminal {
        connection.announce_windows(Opener::of_process().is_some()).await;
    }
    let terminal = told_size(&message);
    let session = connection.attach(message).await?;
    Ok(Attached { session, terminal, joined: matches!(wish, Wish::Join { .. }) })
}

/// Stays attached until the session ends or is left.
///
/// # Errors
/// When the daemon goes away, or the terminal cannot be used.
pub(crate) async fn stay(connection: Connection, attached: Attached, manner: Manner) -> Result<Ending, Failure> {
    if attached.terminal.is_some() {
        terminal::stay(connection, attached, manner).await
    } else {
        plain::stay(connection, attached.session).await
    }
}

/// The size of the terminal that a wish has told the daemon.
fn told_size(message: &FromClient) -> Option<(u16, u16)> {
    let terminal = match message {
        FromClient::Open(open) => open.terminal.as_ref()?,
        FromClient::Join(join) => &join.terminal,
        FromClient::Claim(claim) | FromClient::Monitor(claim) => &claim.terminal,
        _ => return None,
    };
    Some((terminal.rows, terminal.cols))
}

fn message(wish: &Wish, on_terminal: bool, color: bool) -> Result<FromClient, Failure> {
    match wish.clone() {
        Wish::Join { .. } | Wish::Claim(_) | Wish::Monitor(_) if !on_terminal => Err(Failure::usage(
            "joining a session needs a terminal on standard input and output; list-sessions shows it without one",
        )),
        Wish::Join { name, watch } => Ok(FromClient::Join(Join { name, watch, terminal: raw::describe(color) })),
        Wish::Claim(name) => Ok(FromClient::Claim(Claim { name, terminal: raw::describe(color) })),
        Wish::Monitor(name) => Ok(FromClient::Monitor(Claim { name, terminal: raw::describe(color) })),
        Wish::Open { path, action, interactive } => Ok(FromClient::Open(Open {
            name: None,
            path,
            action,
            terminal: on_terminal.then(|| raw::describe(color)),
            interactive: interactive && on_terminal,
        })),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    // rows: W-44
    #[test]
    fn without_a_terminal_nobody_is_asked_and_nothing_is_joined() {
        let wish = Wish::Open { path: vec!["prod".to_string()], action: None, interactive: true };
        let FromClient::Open(open) = message(&wish, false, true).unwrap() else { panic!() };
        assert_eq!((open.terminal, open.interactive, open.path), (None, false, vec!["prod".to_string()]));
        let FromClient::Open(open) = message(&wish, true, true).unwrap() else { panic!() };
        assert!(open.terminal.is_some_and(|terminal| terminal.colour) && open.interactive);
        let error = message(&Wish::Join { name: "amber".to_string(), watch: true }, false, true).unwrap_err();
        assert_eq!(error.status, 2);
    }
}
