//! `reload`: the tree again.

use std::io;

use super::commands;
use super::run::{Outcome, Shell};
use crate::options::Layer;
use crate::terminal::Terminal;

impl Shell {
    /// The tree again; when it cannot be used, everything stays as it is.
    pub(super) async fn reload(&mut self) -> io::Result<Outcome> {
        let tree = self.session.tree.clone();
        // A file may take seconds; nobody else's session waits for it.
        let loaded = tokio::task::spawn_blocking(move || tree.load()).await;
        let problem = match loaded {
            Ok(Ok(root)) => {
                self.session.options.replace(Layer::File, self.session.tree.settings(&root));
                let said = commands::reload::replace(&mut self.state, &root, &self.session.tree.origin());
                self.moved();
                self.screen.print_talk(&said).await?;
                return Ok(Outcome::Status(0));
            }
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic.to_string(),
        };
        self.wrong(&format!(
            "{problem}
nothing was changed: the tree is the one loaded before"
        ))
        .await
        .map(Outcome::Status)
    }
}
