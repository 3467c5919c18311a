//! Deployment files as a table: what is written, what comes of it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod actions;
mod classes;
mod console;
mod docs;
mod fake;
mod files;
mod hosts;
mod inspect;
mod limits;
mod load;
mod options;
mod parallel;
mod reload;
mod rust;
mod types;

use std::path::PathBuf;

use tempfile::TempDir;

use super::{LoadError, LuaFile};
use crate::env::{ActionError, Env, RunContext};
use crate::node::Node;
use crate::value::Value;

/// Opens every snippet: the words of the module as locals, two hosts. One line, so that lines count from 1.
const WORDS: &str = "local d = require 'deployer'; local Node, ParallelNode, SSHHost, LocalHost, Q, map_roles, required, \
                     property = d.Node, d.ParallelNode, d.SSHHost, d.LocalHost, d.Q, d.map_roles, d.required, d.property; \
                     local h1, h2 = SSHHost { slug = 'h1' }, SSHHost { slug = 'h2' }; ";

/// Files in a folder of their own.
pub(super) struct Files(TempDir);

impl Files {
    pub(super) fn new(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Files(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// What was said, without the name of the folder.
    pub(super) fn plain(&self, text: &impl ToString) -> String {
        text.to_string().replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Loads a snippet that follows the common words.
pub(super) fn load(snippet: &str) -> Result<Node, String> {
    let files = Files::new(&[("deploy.lua", &format!("{WORDS}{snippet}"))]);
    LuaFile::new(files.path("deploy.lua")).load().map_err(|error: LoadError| files.plain(&error))
}

/// The Env of a root that nobody listens to.
pub(super) fn quiet(root: Node) -> Env {
    Env::new(root, RunContext::quiet())
}

/// Loads a snippet and calls an action of its root.
pub(super) async fn call(snippet: &str, action: &str, args: Vec<Value>) -> Result<Value, ActionError> {
    quiet(load(snippet).expect("the file loads")).call(action, args).await
}

/// What an action gives, or its error, as the shell shows it while the tree is there.
pub(super) async fn said(snippet: &str, action: &str) -> String {
    let env = quiet(load(snippet).expect("the file loads"));
    let text = match env.call(action, Vec::new()).await {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    // Positions show the whole path of the temporary file.
    match (text.find(&std::env::temp_dir().display().to_string()), text.find("deploy.lua")) {
        (Some(start), Some(end)) if start < end => format!("{}{}", &text[..start], &text[end..]),
        _ => text,
    }
}
