//! Where the names come from: the deployment file, or the daemon that would be asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use deployer_core::shell::{Names as Below, Tree, names_below};
use deployer_protocol::{FromClient, FromDaemon};

use super::words::Typed;
use crate::client::{Connection, HELLO_LIMIT};
use crate::sessions::{self, Silence, shortest};
use crate::tree::FileTree;
use crate::{Source, commands, failure, file, path, runtime};

/// Longest wait for a daemon. Somebody sits there with a finger on Tab.
const PATIENCE: Duration = Duration::from_secs(3);

/// The tree that the words on the command line mean.
pub(super) enum Names {
    Tree(Arc<dyn Tree>),
    Daemon(Option<String>),
    Nothing,
}

impl Names {
    pub(super) fn new(source: &Source, typed: &Typed) -> Names {
        match source {
            _ if typed.daemon => Names::Daemon(typed.socket.clone()),
            Source::Tree(tree) => Names::Tree(tree.clone()),
            Source::File => match file::find(typed.file.as_deref()) {
                Ok(file) => Names::Tree(Arc::new(FileTree::new(file))),
                Err(_) => Names::Nothing,
            },
        }
    }

    /// What is below the node that the steps lead to.
    fn below(&self, steps: &[String]) -> Option<Below> {
        match self {
            Names::Tree(tree) => names_below(&tree.load().ok()?, steps),
            Names::Daemon(socket) => ask(socket.as_deref(), steps.to_vec()),
            Names::Nothing => None,
        }
    }

    /// For `--path`: the text with the last name in it replaced by each that there is. Where only one is left, what is
    /// below it is offered too, so that the shell does not put a blank behind a path that may go on.
    pub(super) fn path(&self, text: &str) -> Vec<String> {
        let name_at = text.rfind(['.', ':', ' ']).map_or(0, |at| if text[at..].starts_with(':') { at } else { at + 1 });
        let (before, name) = text.split_at(name_at);
        let mut found = self.paths(before, name);
        if let [only] = &found[..] {
            let deeper = [self.paths(&format!("{only}."), ""), self.paths(only, ":")];
            found.extend(deeper.concat());
        }
        found
    }

    /// The paths that begin with `before`, which leads to a node, and go on with a name that begins as `name`.
    fn paths(&self, before: &str, name: &str) -> Vec<String> {
        let Ok(steps) = path::split(before.trim_end_matches(['.', ' '])) else { return Vec::new() };
        let Some(below) = self.below(&steps) else { return Vec::new() };
        let separated = before.is_empty() || before.ends_with(['.', ' ']);
        let nodes = if separated { below.nodes } else { Vec::new() };
        let cells = if before.ends_with('.') { Vec::new() } else { below.cells };
        let names = nodes.into_iter().chain(cells).filter(|word| wanted(word, name));
        names.map(|word| format!("{before}{word}")).collect()
    }

    /// For the words behind the options: nodes, cells and actions, as the shell of a session takes them.
    pub(super) fn action(&self, typed: &Typed, text: &str) -> Vec<String> {
        let steps: Vec<String> = typed.path.iter().chain(&typed.action).cloned().collect();
        let Some(below) = self.below(&steps) else { return Vec::new() };
        let all = below.nodes.into_iter().chain(below.cells).chain(below.actions);
        all.filter(|word| wanted(word, text)).collect()
    }
}

/// Private names are offered to who begins to type one (row N-47).
fn wanted(word: &str, typed: &str) -> bool {
    word.starts_with(typed) && (typed.starts_with('_') || !word.starts_with('_'))
}

fn ask(socket: Option<&str>, steps: Vec<String>) -> Option<Below> {
    let answer = async {
        let path = commands::daemon(socket).await?;
        let mut connection = Connection::open(&path, HELLO_LIMIT).await.map_err(|why| why.at(&path))?;
        connection.ask(FromClient::Names(steps)).await
    };
    match in_time(answer)? {
        FromDaemon::Names(names) => {
            Some(Below { nodes: safe(names.nodes), cells: safe(names.cells), actions: safe(names.actions) })
        }
        _ => None,
    }
}

/// The daemon's words, fit for a terminal.
fn safe(words: Vec<String>) -> Vec<String> {
    words.into_iter().filter(|word| !word.chars().any(char::is_control)).collect()
}

fn in_time<T>(answer: impl Future<Output = Result<T, failure::Failure>>) -> Option<T> {
    runtime::client(async { Ok(tokio::time::timeout(PATIENCE, answer).await.ok().and_then(Result::ok)) }).ok().flatten()
}

/// The numbers of the sockets on which somebody listens.
pub(super) fn sockets() -> Vec<String> {
    survey().iter().filter(|found| found.is_live()).map(|found| shortest(&found.socket)).collect()
}

/// The names of the sessions that there are.
pub(super) fn sessions() -> Vec<String> {
    let infos = survey().into_iter().filter_map(|found| found.answer.ok());
    safe(infos.flat_map(|info| info.sessions).map(|session| session.name).collect())
}

fn survey() -> Vec<sessions::Found> {
    let sockets: Vec<PathBuf> = sessions::sockets().unwrap_or_default();
    let mut found = in_time(async { Ok(sessions::survey(sockets).await) }).unwrap_or_default();
    found.retain(|found| found.answer != Err(Silence::Stale));
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use deployer_core::define::IntoRoot;
    use deployer_core::node::Node;
    use deployer_core::script::LoadError;

    struct Small;

    impl Tree for Small {
        fn load(&self) -> Result<Node, LoadError> {
            use deployer_core::prelude::*;
            let act = || async |_: Env| Ok::<(), ActionError>(());
            let web = deployer_core::prelude::Node::define("Web").action("start", act()).action("_hidden", act());
            let prod = deployer_core::prelude::Node::define("Prod").child("web", web).action("status", act());
            deployer_core::prelude::Node::define("Root").child("prod", prod).into_root()
        }

        fn origin(&self) -> String {
            "small".to_string()
        }
    }

    #[test]
    fn paths_and_actions_are_completed_where_they_lead() {
        let names = Names::Tree(Arc::new(Small));
        assert_eq!(names.path(""), ["prod", "prod.web"]);
        assert_eq!(names.path("prod."), ["prod.web"]);
        assert_eq!(names.path("prod.w"), ["prod.web"]);
        assert_eq!(names.path("prod x"), [""; 0]);
        assert_eq!(names.path("nowhere."), [""; 0]);
        let at = |path: &[&str], action: &[&str]| Typed {
            path: path.iter().map(|step| step.to_string()).collect(),
            action: action.iter().map(|step| step.to_string()).collect(),
            ..Typed::default()
        };
        assert_eq!(names.action(&at(&[], &[]), ""), ["prod"]);
        assert_eq!(names.action(&at(&["prod"], &[]), ""), ["web", "status"]);
        assert_eq!(names.action(&at(&["prod"], &["web"]), "s"), ["start"]);
        assert_eq!(names.action(&at(&["prod", "web"], &[]), "_"), ["_hidden"]);
        assert_eq!(names.action(&at(&["prod"], &["status"]), ""), [""; 0], "parameters are the action's own");
    }
}
