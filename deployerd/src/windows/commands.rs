//! Commands that a session's shell has because of its windows (row N-40).

use std::sync::Arc;

use async_trait::async_trait;
use deployer_core::node::Node;
use deployer_core::shell::{Extension, path_words};

use super::{PaneWish, Purpose, SessionWindows};

/// All of them.
pub(crate) fn all(windows: &Arc<SessionWindows>) -> Vec<Arc<dyn Extension>> {
    vec![Arc::new(New(windows.clone())), Arc::new(Monitor(windows.clone())), Arc::new(CloseDead(windows.clone()))]
}

fn no_words(name: &str, args: &[String]) -> Result<(), String> {
    if args.is_empty() { Ok(()) } else { Err(format!("{name} takes no words")) }
}

/// `new` (row Q-16).
struct New(Arc<SessionWindows>);

#[async_trait]
impl Extension for New {
    fn name(&self) -> &str {
        "new"
    }

    fn summary(&self) -> &str {
        "open another window of your terminal with a shell at this node"
    }

    fn available(&self) -> bool {
        self.0.session.can_open_windows()
    }

    async fn run_at(&self, node: &Node, args: &[String]) -> Result<String, String> {
        no_words("new", args)?;
        let purpose = Purpose::Shell { path: path_words(node), settings: self.0.session.options.own() };
        let opened = self.0.open(&node.to_string(), true, purpose).await;
        opened.map(|()| String::new()).map_err(|problem| format!("no new window: {problem}"))
    }

    async fn run(&self, _: &[String]) -> Result<String, String> {
        Err("new needs a node to stand at".to_string())
    }
}

/// `open_monitor` (row Q-23).
struct Monitor(Arc<SessionWindows>);

#[async_trait]
impl Extension for Monitor {
    fn name(&self) -> &str {
        "open_monitor"
    }

    fn summary(&self) -> &str {
        "open a window with the log of this session, as it grows"
    }

    async fn run(&self, args: &[String]) -> Result<String, String> {
        no_words("open_monitor", args)?;
        let session = self.0.session.clone();
        let name = session.name.clone();
        let opened = self.0.open(&format!("log of {name}"), false, Purpose::Pane(PaneWish::Monitor(session))).await;
        opened.map(|()| String::new()).map_err(|problem| {
            format!("no window for the log: {problem}; from another terminal: deployer connect --monitor {name}")
        })
    }
}

/// `close-dead-panes` (row Q-22).
struct CloseDead(Arc<SessionWindows>);

#[async_trait]
impl Extension for CloseDead {
    fn name(&self) -> &str {
        "close-dead-panes"
    }

    fn summary(&self) -> &str {
        "close the windows of hosts that have ended (see keep-panes-open)"
    }

    async fn run(&self, args: &[String]) -> Result<String, String> {
        no_words("close-dead-panes", args)?;
        Ok(match self.0.close_dead() {
            0 => "there are none\n".to_string(),
            1 => "1 is closed\n".to_string(),
            count => format!("{count} are closed\n"),
        })
    }
}
