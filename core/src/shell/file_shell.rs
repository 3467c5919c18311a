//! `--scp`: the file shell on a host of a node (rows N-34, P-18).

use std::io;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Wished;
use super::files::{self, FileShell};
use super::one_host;
use super::run::{INTERRUPTED, Shell};
use super::supervise::{End, supervise};
use crate::env::{ActionError, Env};
use crate::host::Asker;
use crate::logger::Event;
use crate::terminal::{Kind, Terminal};

impl Shell {
    /// `--scp`: the file shell on a host of a node (rows N-34, P-18).
    pub(super) async fn file_shell(&self, words: &[String]) -> io::Result<i32> {
        let node = match self.state.place().resolve(words) {
            Ok(node) => node,
            Err(problem) => return self.wrong(&problem).await,
        };
        let name = node.to_string();
        let wished = Wished { node: &name, action: "--scp", parameters: &[], sandbox: false };
        let admitted = match self.session.overseer.begin(wished).await {
            Ok(admitted) => admitted,
            Err(why) => return Ok(self.forbid(why).await),
        };
        let running = self.running.begin(format!("{name} --scp"));
        let cancel = self.session.cancel.child_token();
        let surroundings = self.surroundings(&admitted);
        let env = Env::new(node, self.context(&surroundings, &cancel, false, &admitted));
        let status = self.files_of(&env, &cancel).await;
        drop(running);
        (admitted.ended)(status.as_ref().map_or(INTERRUPTED, |status| *status));
        status
    }

    async fn files_of(&self, env: &Env, cancel: &CancellationToken) -> io::Result<i32> {
        let host = match one_host::of(env, &*self.asker, "files of which host?").await {
            Ok(host) => host,
            Err(problem) => return self.wrong(&problem).await,
        };
        let local = files::here(host.io().clone());
        let asker: Arc<dyn Asker> = self.asker.clone();
        let opening = FileShell::open(&self.screen, self.terminal.clone(), asker, host, local);
        let opened = match self.screen.kind() {
            Kind::Tty => supervise(&self.terminal, &*self.asker, cancel, opening).await,
            Kind::Plain => End::Itself(opening.await),
        };
        match opened {
            End::Itself(Ok(shell)) => shell.work().await,
            End::Itself(Err(error)) => {
                let error = ActionError::from(error);
                self.logger.emit(Event::Failed(error.clone())).await;
                Ok(error.exit_code())
            }
            End::Stopped => Ok(INTERRUPTED),
        }
    }
}
