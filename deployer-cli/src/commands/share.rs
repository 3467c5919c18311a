//! `deployer share` and `deployer hand-over`: giving a session to others.

use deployer_protocol::{FromClient, FromDaemon, Share};

use super::connect::find;
use super::say;
use crate::args;
use crate::client::{Connection, HELLO_LIMIT, unexpected};
use crate::failure::{Failure, printable};
use crate::runtime;

/// Longest answer that is shown, characters.
const ANSWER_MAX: usize = 300;

/// Lets somebody type, or no longer.
pub(super) fn share(share: &args::Share) -> Result<u8, Failure> {
    let args::Share { session, user, stop, socket } = share;
    let wish = Share { session: session.clone(), user: user.clone(), on: !stop };
    give(socket.as_deref(), session, FromClient::Share(wish))
}

/// Gives it away.
pub(super) fn hand_over(given: &args::HandOver) -> Result<u8, Failure> {
    let args::HandOver { session, user, socket } = given;
    give(socket.as_deref(), session, FromClient::HandOver((session.clone(), user.clone())))
}

fn give(socket: Option<&str>, session: &str, wish: FromClient) -> Result<u8, Failure> {
    runtime::client(async {
        let path = find(socket, Some(session)).await?;
        let mut connection = Connection::open(&path, HELLO_LIMIT).await.map_err(|why| why.at(&path))?;
        connection.knows_people()?;
        match connection.ask(wish).await? {
            FromDaemon::Given(sentence) => {
                say(&printable(&sentence, ANSWER_MAX));
                Ok(0)
            }
            other => Err(unexpected(&path, &other)),
        }
    })
}
