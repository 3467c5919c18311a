//! `reload` in a shell on a deployment file.

use std::sync::Arc;

use super::{Files, LuaFile};
use crate::host::HostServices;
use crate::host::ssh::SshOptions;
use crate::node::Node;
use crate::script::LoadError;
use crate::shell::{self, Session, StatusSink, Tree};
use crate::terminal::scripted::ScriptedTerminal;

struct File(LuaFile);

impl Tree for File {
    fn load(&self) -> Result<Node, LoadError> {
        self.0.load()
    }

    fn origin(&self) -> String {
        "deploy.lua".to_string()
    }
}

struct Nobody;

impl StatusSink for Nobody {
    fn at(&self, _: &str) {}
    fn running(&self, _: &[String]) {}
}

/// What is said when these lines are typed; `next N` puts another version of the file in place.
async fn said(lines: &[&str]) -> String {
    let version = |name: &str, rest: &str| {
        format!(
            "local d = require 'deployer'
            local Web = d.Node {{ version = function() return '{name}' end }}
            local R = d.Node 'R' {{ Hosts = {{ host = d.LocalHost }}, {rest} }}
            function R:next(n) self.hosts:run('cp ' .. d.esc1(d.read_file('folder')) .. '/' .. n .. '.lua ' .. d.read_file('folder') .. '/deploy.lua') end
            return R"
        )
    };
    let files = Files::new(&[
        ("deploy.lua", &version("one", "web = Web")),
        ("two.lua", &version("two", "web = Web")),
        ("gone.lua", &version("three", "other = Web")),
        ("broken.lua", "return Nod {}"),
    ]);
    let folder = files.path("").display().to_string();
    std::fs::write(files.path("folder"), folder.trim_end_matches('/')).unwrap();
    let terminal = ScriptedTerminal::interactive();
    terminal.type_keys(&lines.iter().map(|line| format!("{line}\r")).collect::<String>()).await;
    terminal.end_of_input();
    let session = Session {
        tree: Arc::new(File(LuaFile::new(files.path("deploy.lua")))),
        terminal: terminal.clone(),
        services: HostServices::new(SshOptions::default()),
        listeners: Vec::new(),
        status: Arc::new(Nobody),
        overseer: Arc::new(crate::shell::NobodyOversees),
        extensions: Vec::new(),
        cancel: tokio_util::sync::CancellationToken::new(),
        options: crate::options::Options::of_daemon(),
        path: Vec::new(),
        action: None,
    };
    shell::run(session).await;
    let mut screen = vt100::Parser::new(60.try_into().unwrap(), 200.try_into().unwrap(), 0);
    screen.process(terminal.output().as_bytes());
    files.plain(&screen.screen().contents())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_file_is_there_after_reload_at_the_same_node() {
    let screen = said(&["cd web", "version", "/ next two", "version", "reload", "version"]).await;
    let shown: Vec<&str> = screen.lines().filter(|line| ["one", "two"].contains(line)).collect();
    assert_eq!(shown, ["one", "one", "two"], "{screen}");
    assert!(screen.contains("R.web > reload\nloaded deploy.lua again\nR.web > version"), "{screen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_changes_nothing() {
    let screen = said(&["cd web", "/ next broken", "reload", "version"]).await;
    assert!(screen.contains("deploy.lua:1: unknown name 'Nod'; did you mean 'Node'?\n"), "{screen}");
    assert!(
        screen.contains("nothing was changed: the tree is the one loaded before\nR.web > version\none"),
        "{screen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_leads_to_the_nearest_above() {
    let screen = said(&["cd web", "/ next gone", "reload", "other version"]).await;
    assert!(screen.contains("R.web is gone (no node 'web' in R): you are at R\nR > other version\nthree"), "{screen}");
}
