//! Where a session begins, and the keys of the terminal it is shown on.

use clap::Args;

use crate::client::DetachKey;

/// Where a session begins and what it does.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// Node to begin at, such as prod.web, or prod.web:web1 for one host of it
    #[arg(long, value_name = "PATH", value_parser = split_path)]
    pub(crate) path: Option<Steps>,

    /// Choose defaults and stop at failures instead of asking
    #[arg(long)]
    pub(crate) non_interactive: bool,

    /// Open the file shell on a host of the node: list, view, put, get
    #[arg(long, conflicts_with = "action")]
    pub(crate) scp: bool,

    /// Run this action with these parameters instead of the shell
    #[arg(value_name = "ACTION PARAMETER", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) action: Vec<String>,
}

impl Place {
    /// The steps of `--path`; none for the root.
    pub(crate) fn steps(&self) -> Vec<String> {
        self.path.clone().unwrap_or_default().0
    }

    /// The action with its parameters, if one was given.
    pub(crate) fn action(&self) -> Option<Vec<String>> {
        match self.scp {
            true => Some(vec!["--scp".to_string()]),
            false => (!self.action.is_empty()).then(|| self.action.clone()),
        }
    }
}

/// `--path`, split. A type of its own, because clap reads a list as an option that may be repeated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps(pub(crate) Vec<String>);

fn split_path(text: &str) -> Result<Steps, String> {
    crate::path::split(text).map(Steps)
}

/// Keys that mean something to the attached terminal.
#[derive(Debug, Args)]
pub(crate) struct Keys {
    /// Key that leaves the session, which goes on without you [default: ctrl-\]. Not where `run` has a daemon of its
    /// own, which ends with its last client
    #[arg(long, value_name = "KEY", env = "DEPLOYER_DETACH_KEY")]
    pub(crate) detach_key: Option<DetachKey>,
}
