//! What is below a node, for the completion of command lines.

use std::sync::Arc;

use deployer_core::shell::names_below;
use deployer_protocol::{ErrorKind, FromDaemon, NodeNames};

use crate::daemon::Daemon;

/// Bytes of names in one answer.
const NAMES_MAX: usize = 256 * 1024;

/// The answer. The tree is loaded for it, as for a new session; one at a time in the whole daemon, so that a client
/// that asks and asks costs one thread.
pub(super) async fn below(daemon: &Daemon, path: Vec<String>) -> FromDaemon {
    // Closed by nobody.
    let Ok(_turn) = daemon.completing.acquire().await else { return FromDaemon::Names(NodeNames::default()) };
    let tree = Arc::clone(&daemon.options.tree);
    let loaded = tokio::task::spawn_blocking(move || tree.load().map(|root| names_below(&root, &path))).await;
    match loaded {
        Ok(Ok(names)) => {
            let names = names.unwrap_or_default();
            let mut room = NAMES_MAX;
            FromDaemon::Names(NodeNames {
                nodes: bounded(names.nodes, &mut room),
                cells: bounded(names.cells, &mut room),
                actions: bounded(names.actions, &mut room),
            })
        }
        Ok(Err(error)) => FromDaemon::Error((ErrorKind::Deployment, error.to_string())),
        Err(error) => FromDaemon::Error((ErrorKind::Unavailable, format!("cannot load the tree: {error}"))),
    }
}

/// The names that there is room for.
fn bounded(names: Vec<String>, room: &mut usize) -> Vec<String> {
    names
        .into_iter()
        .take_while(|name| match room.checked_sub(name.len()) {
            Some(rest) => {
                *room = rest;
                true
            }
            None => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_where_the_room_does() {
        let mut room = 6;
        let names = || vec!["abc".to_string(), "def".to_string(), "g".to_string()];
        assert_eq!(bounded(names(), &mut room), ["abc", "def"]);
        assert_eq!(bounded(names(), &mut room), [""; 0]);
    }
}
