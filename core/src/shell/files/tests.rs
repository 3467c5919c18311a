#![allow(clippy::unwrap_used)]

//! The file shell with this machine on both sides (row O-01).

use super::*;
use crate::host::conformance::{Stage, within};
use crate::host::local::LocalHost;
use crate::node::{HostDef, HostKind, HostSettings};
use crate::shell::reader::Lines;

/// A shell whose sides stand in two fresh directories.
async fn shell<'a>(stage: &Stage, screen: &'a Arc<Screen>, top: &Path) -> FileShell<'a> {
    std::fs::create_dir_all(top.join("l")).unwrap();
    std::fs::create_dir_all(top.join("r")).unwrap();
    let (remote, local) = (stage.host.clone(), here(stage.host.io().clone()));
    let terminal: Arc<dyn Terminal> = stage.terminal.clone();
    let asker = stage.host.io().asker.clone();
    let mut shell = FileShell::open(screen, terminal, asker, remote, local).await.unwrap();
    for (command, name) in [("lcd", "l"), ("cd", "r")] {
        assert_eq!(shell.line(&format!("{command} {}", top.join(name).display())).await.unwrap(), Some(0));
    }
    shell
}

fn stage() -> Stage {
    let settings = HostSettings { slug: "web1".to_string(), ..HostSettings::default() };
    Stage::plain(&(Arc::new(LocalHost::new(HostDef::new(HostKind::Local, settings))) as Arc<dyn crate::host::Host>))
}

fn offered(shell: &FileShell<'_>, left: &str) -> Vec<String> {
    shell.complete(left).candidates.into_iter().map(|candidate| candidate.text).collect()
}

// rows: O-02 O-03 O-04 O-05 O-06 O-07 O-08 O-09 O-12 O-13 O-14 O-15 W-39
#[tokio::test]
async fn files_and_directories_go_over_and_mistakes_are_told() {
    let (stage, top) = (stage(), tempfile::tempdir().unwrap());
    let screen = Screen::new(stage.terminal.clone(), false);
    let mut shell = shell(&stage, &screen, top.path()).await;
    let prompt: String = shell.prompt().into_iter().map(|(text, _)| text).collect();
    assert_eq!(prompt, "local:l ~ web1:r > ");
    std::fs::write(top.path().join("l/two words.txt"), "hello\x1b[31m\n").unwrap();
    std::fs::create_dir_all(top.path().join("l/tree/sub")).unwrap();
    std::fs::write(top.path().join("l/tree/sub/leaf"), "1").unwrap();
    let cases = [
        ("put 'two words.txt' tree", Some(0), ""),
        ("ls", Some(0), "tree/"),
        ("view 'two words.txt'", Some(0), "hello\\x1b[31m"),
        ("stat 'two words.txt'", Some(0), "  size  11 bytes"),
        ("cd 'two words.txt'", Some(1), "not a directory"),
        ("cd", Some(2), "incomplete: cd DIRECTORY"),
        ("cd a b", Some(2), "cd takes one name: put quotes around a name with blanks"),
        ("cd tree/sub", Some(0), "/r/tree/sub"),
        ("cd ../..", Some(0), "/r"),
        ("get none", Some(1), "cannot read"),
        ("pt x", Some(2), "no command 'pt'"),
        ("put 'x", Some(2), "unclosed quote"),
        ("pwd x", Some(2), "pwd takes no words"),
        ("lstat none", Some(1), "no such file or directory"),
        ("exit", None, ""),
    ];
    for (line, status, said) in cases {
        let before = stage.terminal.output().len();
        assert_eq!(within(line, shell.line(line)).await.unwrap(), status, "{line}");
        let output = stage.terminal.output()[before..].to_string();
        assert!(output.contains(said), "{line}: {output}");
    }
    assert!(!top.path().join("l/none").exists(), "no empty file is left behind");
    assert_eq!(std::fs::read(top.path().join("r/tree/sub/leaf")).unwrap(), b"1");
    std::fs::rename(top.path().join("r/tree"), top.path().join("r/back")).unwrap();
    assert_eq!(within("get", shell.line("get back")).await.unwrap(), Some(0));
    assert_eq!(std::fs::read(top.path().join("l/back/sub/leaf")).unwrap(), b"1");
}

// rows: O-17 O-18 O-19 O-20
#[tokio::test]
async fn tab_offers_the_names_there_are_now() {
    let (stage, top) = (stage(), tempfile::tempdir().unwrap());
    let screen = Screen::new(stage.terminal.clone(), false);
    let r = top.path().join("r");
    std::fs::create_dir_all(r.join("dir")).unwrap();
    std::os::unix::fs::symlink("dir", r.join("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", r.join("broken")).unwrap();
    std::fs::write(r.join("a file"), "").unwrap();
    let mut shell = shell(&stage, &screen, top.path()).await;
    assert_eq!(
        offered(&shell, "l"),
        ["lcd", "lpwd", "ls", "lls", "lstat", "lview", "ledit", "lconnect"]
            .map(String::from)
            .into_iter()
            .filter(|name| name.starts_with('l'))
            .collect::<Vec<_>>()
    );
    assert_eq!(offered(&shell, "cd "), ["dir", "link"]);
    assert_eq!(offered(&shell, "cd /"), ["/"]);
    assert_eq!(offered(&shell, "view "), ["'a file'", "broken"]);
    assert_eq!(offered(&shell, "get 'a"), ["'a file'"]);
    assert_eq!(offered(&shell, "put "), Vec::<String>::new());
    std::fs::write(top.path().join("l/new"), "").unwrap();
    within("lls", shell.line("lls")).await.unwrap();
    within("put", shell.line("put new")).await.unwrap();
    assert_eq!(offered(&shell, "view n"), ["new"]);
}
