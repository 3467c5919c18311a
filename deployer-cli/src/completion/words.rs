//! What was typed before the word that is to be completed.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::CommandFactory;

use crate::args::{Cli, Steps};

/// The parts of an unfinished command line that say which tree is meant, and where in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Typed {
    /// `-f`.
    pub(super) file: Option<PathBuf>,
    /// Whether a daemon is asked: the verb is `connect`, or `--socket` was given.
    pub(super) daemon: bool,
    /// `--socket`.
    pub(super) socket: Option<String>,
    /// `--session`: nodes and actions have no place then.
    pub(super) path: Vec<String>,
    /// Words of the action line so far, without the one that is being typed.
    pub(super) action: Vec<String>,
}

impl Typed {
    /// Reads the words (the program's name first) as far as they make sense.
    pub(super) fn new(words: &[OsString]) -> Typed {
        // The last one is being typed.
        let complete = &words[..words.len().saturating_sub(1)];
        let Ok(matches) = Cli::command().ignore_errors(true).try_get_matches_from(complete) else {
            return Typed::default();
        };
        let mut typed = Typed { file: value(&matches, "file"), ..Typed::default() };
        if let Some((verb, matches)) = matches.subcommand() {
            typed.file = typed.file.or_else(|| value(matches, "file"));
            typed.socket = value::<String>(matches, "socket").filter(|socket| !socket.is_empty());
            typed.daemon = verb == "connect" || typed.socket.is_some();
            typed.path = value::<Steps>(matches, "path").unwrap_or_default().0;
            if let Ok(Some(words)) = matches.try_get_many::<String>("action") {
                typed.action = words.cloned().collect();
            }
        }
        typed
    }
}

fn value<T: Clone + Send + Sync + 'static>(matches: &clap::ArgMatches, name: &str) -> Option<T> {
    matches.try_get_one::<T>(name).ok().flatten().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Typed {
        Typed::new(&line.split(' ').map(OsString::from).collect::<Vec<_>>())
    }

    fn steps(steps: &[&str]) -> Vec<String> {
        steps.iter().map(|step| step.to_string()).collect()
    }

    #[test]
    fn an_unfinished_line_says_which_tree_and_where() {
        assert_eq!(typed("deployer ru"), Typed::default());
        assert_eq!(typed("deployer -f x.lua run --pa").file, Some("x.lua".into()));
        assert_eq!(typed("deployer run -f x.lua --path pro").file, Some("x.lua".into()));
        assert_eq!(typed("deployer run --path prod.web st").path, steps(&["prod", "web"]));
        assert_eq!(typed("deployer run --path prod -- web st").action, steps(&["web"]));
        let joined = typed("deployer run --socket 3 --path prod we");
        assert_eq!((joined.daemon, joined.socket.as_deref(), joined.path), (true, Some("3"), steps(&["prod"])));
        assert!(typed("deployer connect --path ").daemon);
    }
}
