//! The shell of a session: prompt, completion, built-in commands, running actions (section N).

mod act;
mod commands;
mod complete;
pub mod editor;
mod file_shell;
mod files;
mod jobs;
mod names;
mod new_window;
mod one_host;
mod overseer;
mod place;
mod reader;
mod reload;
mod result;
mod run;
mod screen;
mod state;
mod supervise;
mod target;
#[cfg(test)]
mod test_tree;
#[cfg(test)]
mod tests;
mod words;

pub use names::{Names, names_below};
pub use overseer::{Admitted, NobodyOversees, Overseer, Wished};
pub use place::path_words;

use std::sync::Arc;

use async_trait::async_trait;

use crate::host::HostServices;
use crate::logger::Listener;
use crate::node::Node;
use crate::options::{Options, Settings};
use crate::script::LoadError;
use crate::terminal::Terminal;

/// Where a session's tree comes from: a deployment file, or a class of a program.
pub trait Tree: Send + Sync {
    /// A fresh root; each session has its own.
    ///
    /// # Errors
    /// When the deployment file cannot be used.
    fn load(&self) -> Result<Node, LoadError>;

    /// Where it comes from, for `list-sessions`: the path of the file.
    fn origin(&self) -> String;

    /// What a tree that [`Tree::load`] gave says about options.
    fn settings(&self, root: &Node) -> Settings {
        let _says_nothing = root;
        Settings::default()
    }

    /// Who else hears of what a session of this tree runs: listeners of a program (rows L-15, L-17). Asked once for each
    /// session.
    fn listeners(&self) -> Vec<Arc<dyn Listener>> {
        Vec::new()
    }
}

/// Told where the session is and what it runs, so that `list-sessions` can answer without asking the shell.
pub trait StatusSink: Send + Sync {
    /// The shell stands at this node (dotted path).
    fn at(&self, node: &str);
    /// These actions run (dotted path and name), in the order in which they began.
    fn running(&self, actions: &[String]);
}

/// A command that a front end adds to the built-in ones (row N-40), such as the daemon's `detach`.
#[async_trait]
pub trait Extension: Send + Sync {
    /// The word typed.
    fn name(&self) -> &str;
    /// One line for `help`.
    fn summary(&self) -> &str;
    /// Whether it can be used now; a key for it has its usual meaning otherwise.
    fn available(&self) -> bool {
        true
    }
    /// Runs it; the text is printed.
    async fn run(&self, args: &[String]) -> Result<String, String>;
    /// The same for a command to which it matters where the shell stands.
    async fn run_at(&self, node: &Node, args: &[String]) -> Result<String, String> {
        let _anywhere = node;
        self.run(args).await
    }
}

/// Everything a shell needs.
pub struct Session {
    /// Where the tree comes from.
    pub tree: Arc<dyn Tree>,
    /// The session's terminal.
    pub terminal: Arc<dyn Terminal>,
    /// Connections.
    pub services: Arc<HostServices>,
    /// Who else hears of events (journal).
    pub listeners: Vec<Arc<dyn Listener>>,
    /// Who is told where the session is.
    pub status: Arc<dyn StatusSink>,
    /// Who says whether an action may begin.
    pub overseer: Arc<dyn Overseer>,
    /// Further commands.
    pub extensions: Vec<Arc<dyn Extension>>,
    /// Ends the session.
    pub cancel: tokio_util::sync::CancellationToken,
    /// Options of the session, those of flags given already; the shell adds what the tree says.
    pub options: Arc<Options>,
    /// Node to start at, one name per step (`--path`).
    pub path: Vec<String>,
    /// One action instead of the shell, with its parameters.
    pub action: Option<Vec<String>>,
}

/// Runs the shell until `exit`, the end of input or cancellation; or runs the one action.
///
/// Returns the exit status of design 4 and `field-notes` 5.1: 0 ok, 1 an action failed, 2 wrong use (unknown path or
/// action, broken file: nothing was run), 3 a host could not be reached, 6 not permitted,
/// 130 interrupted.
///
/// On a terminal that is no screen ([`crate::terminal::Kind::Plain`]) and without an action, commands are read line by
/// line; the first that fails ends the shell with its status (row W-44).
pub async fn run(session: Session) -> i32 {
    run::run(session).await
}
